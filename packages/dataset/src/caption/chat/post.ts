import type { Json } from "../../contract.js";
import type { CallTokens } from "./budget.js";
import type { CheckedEndpoint } from "./endpoint.js";

/** What came of one request. */
export type PostOutcome =
  | { readonly kind: "answer"; readonly content: string; readonly cut: boolean; readonly used: CallTokens | undefined }
  /** The server has too much to do; `after` is what it asks to wait, in milliseconds. */
  | { readonly kind: "busy"; readonly message: string; readonly after: number | undefined }
  /** No answer, or one that is none: it may be better the next time. `unknown` if the work may have been done and billed all the same. */
  | { readonly kind: "failed"; readonly message: string; readonly after: number | undefined; readonly unknown: boolean }
  /** The server does not take this request, now or later. */
  | { readonly kind: "refused"; readonly message: string; readonly status: number };

/** A reply of four captions has a few kilobytes. */
const mostBytes = 2 ** 20;

/** Sends one request. Nothing is thrown but the signal's reason; no message holds the key. */
export async function postChat(
  endpoint: CheckedEndpoint,
  body: Json,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<PostOutcome> {
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(endpoint.timeout * 1000);
  const hidden = (text: string) => withoutKey(text, key);
  try {
    const response = await fetch(endpoint.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(key !== undefined && { [endpoint.keyHeader]: endpoint.keyHeader.toLowerCase() === "authorization" ? `Bearer ${key}` : key }),
      },
      body: JSON.stringify(body),
      // Elsewhere, nobody gets the picture or the key.
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const text = await readText(response);
    if (text === undefined) return { kind: "failed", message: `answered more than ${mostBytes} bytes`, after: undefined, unknown: true };
    if (response.ok) return envelope(text, hidden);
    const message = `answered ${response.status}: ${hidden(summary(text))}`;
    const after = retryAfter(response.headers);
    if ([429, 503, 529].includes(response.status)) return { kind: "busy", message, after };
    if ([408, 409, 425].includes(response.status) || (response.status >= 500 && response.status !== 501))
      return { kind: "failed", message, after, unknown: false };
    return { kind: "refused", message, status: response.status };
  } catch (error) {
    signal?.throwIfAborted();
    if (limit.aborted) return { kind: "failed", message: `did not answer within ${endpoint.timeout} s`, after: undefined, unknown: true };
    return { kind: "failed", message: `cannot be reached: ${hidden(causes(error))}`, after: undefined, unknown: false };
  }
}

async function readText(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    // Leaving the loop closes the connection.
    if (bytes > mostBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function envelope(text: string, hidden: (text: string) => string): PostOutcome {
  const useless = (what: string): PostOutcome => ({
    kind: "failed",
    message: `answered ${what}: ${hidden(summary(text))}`,
    after: undefined,
    unknown: true,
  });
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    return useless("what is not JSON");
  }
  const choice = at(at(reply, "choices"), 0);
  const message = at(choice, "message");
  const content = contentOf(at(message, "content")) ?? contentOf(at(message, "refusal"));
  if (content === undefined) return useless("without a message");
  const [input, output] = [at(at(reply, "usage"), "prompt_tokens"), at(at(reply, "usage"), "completion_tokens")];
  const used = isCount(input) && isCount(output) ? { input, output } : undefined;
  return { kind: "answer", content, cut: at(choice, "finish_reason") === "length", used };
}

/** Text, or parts of which some are text. */
function contentOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part) => at(part, "text"))
    .filter((part) => typeof part === "string")
    .join("");
}

function at(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Milliseconds, from `retry-after-ms` or `retry-after` in seconds or as a date; a date is read against the server's own clock. */
function retryAfter(headers: Headers): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && Number(exact) >= 0) return Number(exact);
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  const serverNow = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(until) || Number.isNaN(serverNow) ? undefined : Math.max(0, until - serverNow);
}

/** The beginning of an answer, in one line without controls. */
function summary(text: string): string {
  const flat = text
    .slice(0, 2000)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return flat.length > 200 ? `${flat.slice(0, 200)}…` : flat === "" ? "nothing" : flat;
}

function withoutKey(text: string, key: string | undefined): string {
  const hidden = key === undefined || key === "" ? text : text.replaceAll(key, "[key]");
  return hidden.replaceAll(/\bbearer\s+\S+/gi, "Bearer [key]").replaceAll(/\bsk-[\w*-]{6,}/g, "[key]");
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? error.cause.message !== ""
      ? error.cause.message
      : String(Reflect.get(error.cause, "code") ?? error.cause.name)
    : error.message;
}
