import type { Json } from "../../contract.js";
import { DatasetError } from "../../error.js";
import type { Random } from "../../mini/random.js";
import type { Budget, CallTokens } from "./budget.js";
import type { Clock } from "./clock.js";
import { type AnswerFormat, answerFormats, type CheckedEndpoint } from "./endpoint.js";
import { Limiter } from "./limiter.js";
import { type PostOutcome, postChat } from "./post.js";

export interface RetrySettings {
  /** Requests for one answer, whichever endpoints they go to. Default 6. */
  readonly attempts?: number;
  /** Seconds before the second request; doubled for each further one. Default 0.5. */
  readonly firstWait?: number;
  /** Seconds; what a server asks for beyond it counts as being down. Default 60. */
  readonly longestWait?: number;
}

export interface ChatOptions {
  readonly endpoints: readonly CheckedEndpoint[];
  /** `in-order`: the first that is well; `least-busy`: among those that are well, the one with the fewest requests. */
  readonly spread: "in-order" | "least-busy";
  readonly retry: Required<RetrySettings>;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ChatRequest {
  readonly messages: Json;
  /** Further fields of the body. */
  readonly fields: { readonly [name: string]: Json };
  readonly schema: { readonly name: string; readonly schema: Json };
  /** The most that it can take. */
  readonly tokens: CallTokens;
  /** For the waits. */
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

export interface ChatAnswer {
  readonly content: string;
  /** The answer was longer than allowed and ends in the middle. */
  readonly cut: boolean;
  readonly model: string;
}

/** What is known of an endpoint's health. */
interface Line {
  readonly endpoint: CheckedEndpoint;
  readonly limiter: Limiter;
  format: AnswerFormat;
  failures: number;
  pausedUntil: number;
}

/**
 * Asks one of several endpoints: tries again with growing waits after failures, as long as a server asks when it says so, goes over to the next endpoint
 * while one is down or refuses, and learns which answer format each takes.
 */
export class Chat {
  readonly #options: ChatOptions;
  readonly #lines: readonly Line[];

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#lines = options.endpoints.map((endpoint) => ({
      endpoint,
      limiter: new Limiter(endpoint, options.clock),
      format: endpoint.format,
      failures: 0,
      pausedUntil: Number.NEGATIVE_INFINITY,
    }));
  }

  /**
   * @throws DatasetError `network` (to be tried again) when no endpoint answers, `endpoint` when all refuse the request, `budget` when it is spent
   */
  async ask(request: ChatRequest): Promise<ChatAnswer> {
    const { retry, clock } = this.#options;
    const refusedBy = new Set<Line>();
    let last = "";
    for (let attempt = 1; attempt <= retry.attempts; attempt++) {
      const line = this.#choose(refusedBy);
      if (!line) throw new DatasetError("endpoint", `captions: ${last}`);
      const pause = line.pausedUntil - clock.now();
      if (pause > retry.longestWait * 1000) break;
      if (pause > 0) await clock.sleep(pause, request.signal);
      const leave = await line.limiter.enter(request.signal);
      let outcome: PostOutcome;
      try {
        outcome = await this.#send(line, request);
      } finally {
        leave();
      }
      if (outcome.kind === "answer") {
        line.failures = 0;
        line.limiter.answered();
        return { content: outcome.content, cut: outcome.cut, model: line.endpoint.model };
      }
      last = `${line.endpoint.url.host} ${outcome.message}`;
      if (outcome.kind === "refused") {
        refusedBy.add(line);
        continue;
      }
      if (outcome.kind === "busy") line.limiter.busy();
      line.failures++;
      const wait = outcome.after ?? backOff(line.failures, retry) * request.random.between(0.75, 1.25);
      line.pausedUntil = Math.max(line.pausedUntil, clock.now() + wait);
    }
    throw new DatasetError("network", `captions: ${last === "" ? "every endpoint asks to wait longer than allowed" : last}`, { retryable: true });
  }

  #choose(refusedBy: ReadonlySet<Line>): Line | undefined {
    const now = this.#options.clock.now();
    const open = this.#lines.filter((line) => !refusedBy.has(line));
    const well = open.filter(({ pausedUntil }) => pausedUntil <= now);
    const by = (measure: (line: Line) => number) => (best: Line, line: Line) => (measure(line) < measure(best) ? line : best);
    if (open.length === 0) return undefined;
    if (well.length === 0) return open.reduce(by(({ pausedUntil }) => pausedUntil));
    return this.#options.spread === "in-order" ? well[0] : well.reduce(by(({ limiter }) => limiter.load));
  }

  /** One request; more if the endpoint refuses and may take a simpler answer format. */
  async #send(line: Line, { messages, fields, schema, tokens, signal }: ChatRequest): Promise<PostOutcome> {
    const { endpoint } = line;
    const key = this.#keyOf(endpoint);
    let outcome: PostOutcome | undefined;
    for (const format of answerFormats.slice(answerFormats.indexOf(line.format))) {
      const body = withParameters({ ...fields, model: endpoint.model, messages, stream: false, ...formatField(format, schema) }, endpoint.parameters);
      const reservation = this.#options.budget.reserve({ ...tokens, output: mostOutput(tokens.output, endpoint.parameters) }, endpoint.prices);
      let next: PostOutcome | undefined;
      try {
        next = await postChat(endpoint, body, key, signal);
      } finally {
        if (next?.kind === "answer") reservation.settle(next.used);
        // Unknown or aborted: it may have been paid for.
        else if (next && (next.kind !== "failed" || !next.unknown)) reservation.settle({ input: 0, output: 0 });
        else reservation.settle();
      }
      if (next.kind === "answer") line.format = format;
      const mayBeFormat = next.kind === "refused" && [400, 415, 422, 501].includes(next.status);
      // Of several refusals the first says what is wrong with the request as it was meant.
      outcome = next.kind === "refused" ? (outcome ?? next) : next;
      if (!mayBeFormat) break;
    }
    return outcome!;
  }

  #keyOf({ keyEnvironment, url }: CheckedEndpoint): string | undefined {
    if (keyEnvironment === undefined) return undefined;
    const key = this.#options.environment[keyEnvironment]?.trim();
    if (key === undefined || key === "") {
      throw new DatasetError(
        "invalid-config",
        `captions: expected the key of ${url.host} in the environment variable ${keyEnvironment}, got nothing`,
      );
    }
    return key;
  }
}

function backOff(failures: number, { firstWait, longestWait }: Required<RetrySettings>): number {
  return 1000 * Math.min(longestWait, firstWait * 2 ** (failures - 1));
}

function formatField(format: AnswerFormat, { name, schema }: ChatRequest["schema"]): { readonly [name: string]: Json } {
  if (format === "json-schema") return { response_format: { type: "json_schema", json_schema: { name, strict: true, schema } } };
  if (format === "json-object") return { response_format: { type: "json_object" } };
  return {};
}

function withParameters(body: { readonly [name: string]: Json }, parameters: { readonly [name: string]: Json }): Json {
  return Object.fromEntries(Object.entries({ ...body, ...parameters }).filter(([name, value]) => value !== null || !(name in parameters)));
}

/** What the server may write at most; the settings may allow more than the stage asks for. */
function mostOutput(asked: number, { max_tokens, max_completion_tokens }: { readonly [name: string]: Json }): number {
  return Math.max(asked, typeof max_tokens === "number" ? max_tokens : 0, typeof max_completion_tokens === "number" ? max_completion_tokens : 0);
}
