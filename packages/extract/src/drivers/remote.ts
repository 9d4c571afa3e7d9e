import { ArgumentError } from "@refadgen/errors";
import { alphaOf, decodeImage, encodeImage, type Image, resizeImage, toGrey } from "@refadgen/image";
import type { Extractor } from "../contract.js";
import { ExtractError } from "../error.js";
import { doubtsOfMask, judged } from "../judge.js";
import { thresholdMask } from "../mask/mask.js";

export interface RemoteOptions {
  /** http or https; for example `http://localhost:7000/api/remove` of rembg's server. */
  readonly endpoint: string | URL;
  /** Headers to send, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the form field that holds the picture; default `"file"`. */
  readonly field?: string;
  /** How long one attempt may take, in milliseconds. Default 60 000. */
  readonly timeout?: number;
  /** Attempts in all, for connections that fail and answers 408, 429 and 5xx. Default 3. */
  readonly attempts?: number;
  /** Answers of more bytes are refused. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Score of an answer that does not state one. 0 to 1, default 0.9. */
  readonly score?: number;
}

const longestWait = 30_000;

/**
 * A service that finds the product: the picture goes out as PNG in a multipart form, with `category` beside it when there is one. It answers
 * with a picture — its alpha is the matte, or its grey values if it has none — and may state a score in a header `x-score`.
 *
 * @throws ArgumentError for options out of range; when extracting, ExtractError `remote`
 */
export function remoteExtractor(options: RemoteOptions): Extractor {
  const { timeout = 60_000, attempts = 3, maxBytes = 64 * 2 ** 20, score = 0.9 } = options;
  const endpoint = URL.canParse(String(options.endpoint)) ? new URL(options.endpoint) : undefined;
  if (!endpoint || !["http:", "https:"].includes(endpoint.protocol)) {
    throw new ArgumentError(`remoteExtractor: expected an http or https endpoint, got ${options.endpoint}`);
  }
  for (const [name, value] of Object.entries({ timeout, attempts, maxBytes })) {
    if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`remoteExtractor: expected ${name} of at least 1, got ${value}`);
  }
  if (!(score >= 0 && score <= 1)) throw new ArgumentError(`remoteExtractor: expected score between 0 and 1, got ${score}`);
  const name = `remote (${endpoint.host})`;
  return {
    name,
    async extract(image, { category, signal } = {}) {
      const png = await encodeImage(image, { format: "png" });
      const body = new FormData();
      body.append(options.field ?? "file", new Blob([new Uint8Array(png)], { type: "image/png" }), "product.png");
      if (category !== undefined) body.append("category", category);
      const answer = await answerOf(endpoint, { body, headers: options.headers ?? {}, timeout, attempts, maxBytes, signal });
      const matte = await matteOf(answer.bytes, image);
      const mask = thresholdMask(image, matte);
      return judged(name, mask, matte, answer.score ?? score, doubtsOfMask(mask));
    },
  };
}

interface Sending {
  readonly body: FormData;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly attempts: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

async function answerOf(endpoint: URL, sending: Sending): Promise<{ readonly bytes: Uint8Array; readonly score: number | undefined }> {
  for (let attempt = 1; ; attempt++) {
    sending.signal?.throwIfAborted();
    const outcome = await once(endpoint, sending);
    if ("bytes" in outcome) return outcome;
    if (!outcome.again || attempt >= sending.attempts)
      throw new ExtractError("remote", `${endpoint.host} ${outcome.problem}`, { cause: outcome.cause });
    await wait(Math.min(longestWait, outcome.after ?? 250 * 2 ** attempt), sending.signal);
  }
}

type Outcome =
  | { readonly bytes: Uint8Array; readonly score: number | undefined }
  | { readonly problem: string; readonly again: boolean; readonly after?: number | undefined; readonly cause?: unknown };

async function once(endpoint: URL, { body, headers, timeout, maxBytes, signal }: Sending): Promise<Outcome> {
  const deadline = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      body,
      headers,
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    if (!response.ok) {
      const text = (await response.text()).replace(/\s+/g, " ").slice(0, 200);
      const again = response.status === 408 || response.status === 429 || response.status >= 500;
      return {
        problem: `answered ${response.status}${text === "" ? "" : `: ${text}`}`,
        again,
        after: retryAfter(response.headers.get("retry-after")),
      };
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of response.body ?? []) {
      length += piece.byteLength;
      if (length > maxBytes) return { problem: `sent more than ${maxBytes} bytes`, again: false };
      pieces.push(piece);
    }
    return { bytes: Buffer.concat(pieces), score: scoreOf(response.headers.get("x-score")) };
  } catch (error) {
    signal?.throwIfAborted();
    const why = deadline.aborted ? `did not answer within ${timeout} ms` : `cannot be reached: ${reasonOf(error)}`;
    return { problem: why, again: true, cause: error };
  }
}

function scoreOf(header: string | null): number | undefined {
  const score = Number(header ?? Number.NaN);
  return score >= 0 && score <= 1 ? score : undefined;
}

/** Seconds or a date, as HTTP has it; in milliseconds. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function matteOf(bytes: Uint8Array, { width, height }: Image): Promise<Uint8Array> {
  const answer = await decodeImage(bytes).catch((error: unknown) => {
    throw new ExtractError("remote", `expected a picture as answer: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  const levels = alphaOf(answer) ?? toGrey(answer);
  if (levels.width === width && levels.height === height) return levels.data;
  if (Math.abs(levels.width / levels.height - width / height) > 0.02 * (width / height)) {
    throw new ExtractError("remote", `expected a picture of the shape ${width} × ${height} as answer, got ${levels.width} × ${levels.height}`);
  }
  return resizeImage(levels, { width, height }, { filter: "bilinear" }).data;
}
