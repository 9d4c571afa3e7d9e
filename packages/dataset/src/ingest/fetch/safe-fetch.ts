import { ArgumentError } from "@refadgen/errors";
import { Agent, type Dispatcher, request } from "undici";
import { type AddressRules, checkUrl } from "./address.js";
import { limitedBody } from "./body.js";
import { guardedConnector, type Resolve, systemResolve } from "./connector.js";
import { FetchError, fetchErrorIn } from "./fetch-error.js";
import { createHostGate, type HostGate } from "./host-gate.js";
import { allowAll, allowNothing, largestRobots, parseRobots, type RobotsRules, robotsTags } from "./robots.js";
import { systemWait, type Wait } from "./wait.js";

export interface FetcherOptions {
  /** Bytes of one answer, packed and unpacked. Default 30 MB. */
  readonly maxBytes?: number;
  /** Seconds for one address with all its redirects, without pauses between attempts. Default 20. */
  readonly timeout?: number;
  /** Default 5. */
  readonly maxRedirects?: number;
  /** Of an address whose server is busy or whose connection breaks. Default 3. */
  readonly attempts?: number;
  /** Ports that may be asked. Default 80 and 443. */
  readonly ports?: readonly number[];
  /** Hosts, `host` or `host:port`, that may lie in private networks; `"all"` for any. Default none. */
  readonly privateHosts?: readonly string[] | "all";
  /** Requests to one host at the same time; default 4. */
  readonly concurrent?: number;
  /** Beginnings of requests to one host per second; default 10. */
  readonly perSecond?: number;
  /** Whether `robots.txt` and the headers that reserve pictures from use by machines are honoured. Default true. */
  readonly honourRobots?: boolean;
  /** Product token of the user agent: letters, `_` and `-`. Default `refadgen`. */
  readonly product?: string;
  /** How names are resolved, and how time passes; for tests. */
  readonly resolve?: Resolve;
  readonly wait?: Wait;
}

export interface Fetched {
  /** After redirects. */
  readonly url: string;
  readonly bytes: Uint8Array;
  /** What the server's headers said against use by machines; only where they are not honoured. */
  readonly robots: readonly string[];
}

/** Fetches pictures from addresses that strangers wrote down. */
export interface Fetcher {
  /**
   * @throws FetchError with the `reason`: `refused` for addresses, ports and hosts that may not be asked and servers that say no; `too-large`; `network`
   */
  fetch(url: string, options?: { readonly signal?: AbortSignal }): Promise<Fetched>;
  dispose(): Promise<void>;
}

const busy: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Milliseconds; a server that wants more is given up. */
const longestPause = 60_000;

/**
 * A fetcher that only speaks to the public internet: addresses are judged by what they resolve to, at each redirect, and connected to as judged. Requests to
 * one host keep a distance, answers have limits in bytes and time, `robots.txt` (RFC 9309) is read once for each origin.
 *
 * @throws ArgumentError
 */
export function createFetcher(options: FetcherOptions = {}): Fetcher {
  const { maxBytes = 30e6, timeout = 20, maxRedirects = 5, attempts = 3, concurrent = 4, perSecond = 10, honourRobots = true } = options;
  const { product = "refadgen", resolve = systemResolve, wait = systemWait, ports = [80, 443], privateHosts = [] } = options;
  for (const [name, value] of Object.entries({ maxBytes, timeout, attempts, concurrent, perSecond }))
    if (!(value > 0)) throw new ArgumentError(`createFetcher: expected ${name} above 0, got ${String(value)}`);
  if (!/^[A-Za-z_-]+$/.test(product))
    throw new ArgumentError(`createFetcher: expected product of letters, "_" and "-", got ${JSON.stringify(product)}`);
  const rules: AddressRules = { ports, privateHosts };
  const agent = new Agent({
    connect: guardedConnector({ ...rules, resolve, connectTimeout: timeout * 1000 }),
    headersTimeout: timeout * 1000,
    bodyTimeout: timeout * 1000,
    maxResponseSize: Math.max(maxBytes, largestRobots),
  });
  const gate = createHostGate({ concurrent, perSecond, wait });
  const asker: Asker = { agent, gate, rules, product, maxRedirects };
  const robots = new Map<string, Promise<RobotsRules>>();
  const rulesOf = (origin: string, signal: AbortSignal): Promise<RobotsRules> => {
    const known = robots.get(origin) ?? robotsOf(asker, origin, signal);
    robots.set(origin, known);
    known.catch(() => robots.delete(origin));
    return known;
  };
  const once = async (url: string, outer: AbortSignal | undefined): Promise<Fetched> => {
    const clock = AbortSignal.timeout(timeout * 1000);
    const signal = outer ? AbortSignal.any([clock, outer]) : clock;
    const allowed = async (target: URL): Promise<void> => {
      if (!honourRobots || (await rulesOf(target.origin, signal)).allows(`${target.pathname}${target.search}`)) return;
      throw new FetchError("refused", "robots", `safeFetch: the robots.txt of ${target.origin} keeps machines from ${target.pathname}`);
    };
    try {
      return await ask(asker, url, { signal, allowed, read: (target, response) => picture(target, response, { maxBytes, honourRobots, product }) });
    } catch (error) {
      outer?.throwIfAborted();
      if (clock.aborted)
        throw new FetchError("network", "timeout", `safeFetch: no whole answer from ${url} in ${timeout} s`, { cause: error, retryable: true });
      const found = fetchErrorIn(error);
      if (found) throw found;
      if (Reflect.get(Object(error), "code") === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
        throw new FetchError("too-large", "too-large", `safeFetch: expected at most ${maxBytes} bytes, got more from ${url}`, { cause: error });
      throw new FetchError("network", "connection", `safeFetch: no whole answer from ${url} (${(error as Error).message})`, {
        cause: error,
        retryable: true,
      });
    }
  };
  return {
    async fetch(url, { signal } = {}) {
      for (let attempt = 1; ; attempt++) {
        signal?.throwIfAborted();
        try {
          return await once(url, signal);
        } catch (error) {
          if (!(error instanceof FetchError) || !error.retryable || attempt >= attempts) throw error;
          const pause = error.retryAfter ?? 500 * 2 ** (attempt - 1);
          if (pause > longestPause) throw error;
          await wait.sleep(pause, signal);
        }
      }
    },
    dispose: () => agent.destroy(),
  };
}

interface Asker {
  readonly agent: Agent;
  readonly gate: HostGate;
  readonly rules: AddressRules;
  readonly product: string;
  readonly maxRedirects: number;
}

interface Question<T> {
  readonly signal: AbortSignal;
  /** Throws for addresses that are not to be asked. */
  readonly allowed?: (url: URL) => Promise<void>;
  readonly read: (url: URL, response: Dispatcher.ResponseData) => Promise<T>;
}

/** Asks an address and those that it leads on to. */
async function ask<T>({ agent, gate, rules, product, maxRedirects }: Asker, address: string, { signal, allowed, read }: Question<T>): Promise<T> {
  let url = checkUrl(address, rules);
  for (let redirects = 0; ; redirects++) {
    await allowed?.(url);
    const leave = await gate.enter(url.host, signal);
    try {
      const response = await request(url, {
        dispatcher: agent,
        signal,
        headers: {
          "user-agent": `${product} (+https://www.npmjs.com/package/@refadgen/dataset)`,
          accept: "image/*, */*;q=0.1",
          "accept-encoding": "gzip, br",
        },
      });
      const { statusCode, headers, body } = response;
      // What is not read to its end is dropped, which the stream would call an error.
      body.on("error", () => undefined);
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) {
        try {
          return await read(url, response);
        } finally {
          body.destroy();
        }
      }
      body.destroy();
      if (redirects >= maxRedirects)
        throw new FetchError("refused", "redirects", `safeFetch: expected at most ${maxRedirects} redirects, got more from ${address}`);
      url = checkUrl(String(headers.location), rules, url);
    } catch (error) {
      const found = fetchErrorIn(error);
      if (found?.retryAfter !== undefined) gate.pause(url.host, Math.min(found.retryAfter, longestPause));
      throw error;
    } finally {
      leave();
    }
  }
}

async function picture(
  url: URL,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { maxBytes, honourRobots, product }: { readonly maxBytes: number; readonly honourRobots: boolean; readonly product: string },
): Promise<Fetched> {
  if (statusCode !== 200) {
    const retryAfter = pauseOf(headers["retry-after"]);
    throw new FetchError("network", `http-${statusCode}`, `safeFetch: ${url.href} answered ${statusCode}`, {
      retryable: busy.has(statusCode),
      retryAfter,
    });
  }
  const robots = robotsTags(headers, product);
  if (honourRobots && robots.length > 0)
    throw new FetchError("refused", "robots", `safeFetch: ${url.href} is kept from machines: ${robots.join(", ")}`);
  const type = String(headers["content-type"] ?? "")
    .split(";")[0]!
    .trim()
    .toLowerCase();
  if (type !== "" && !type.startsWith("image/") && type !== "application/octet-stream" && type !== "binary/octet-stream")
    throw new FetchError("network", "content-type", `safeFetch: expected a picture from ${url.href}, got ${type.slice(0, 100)}`);
  const announced = Number(headers["content-length"] ?? Number.NaN);
  if (announced > maxBytes)
    throw new FetchError("too-large", "too-large", `safeFetch: expected at most ${maxBytes} bytes, got ${announced} from ${url.href}`);
  const encoding = String(headers["content-encoding"] ?? "");
  const bytes = await limitedBody(url, body, encoding, maxBytes);
  if (encoding === "" && Number.isFinite(announced) && bytes.length !== announced)
    throw new FetchError("network", "wrong-length", `safeFetch: expected ${announced} bytes from ${url.href}, got ${bytes.length}`, {
      retryable: true,
    });
  return { url: url.href, bytes, robots };
}

/** Milliseconds that a `Retry-After` asks for. */
function pauseOf(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === "string" ? header.trim() : undefined;
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** No robots.txt allows everything; one that cannot be had for the server's own fault allows nothing (RFC 9309 §2.3.1). */
async function robotsOf(asker: Asker, origin: string, signal: AbortSignal): Promise<RobotsRules> {
  const read = async (url: URL, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<RobotsRules> => {
    if (statusCode >= 500) return allowNothing;
    if (statusCode !== 200) return allowAll;
    const text = await limitedBody(url, body, String(headers["content-encoding"] ?? ""), largestRobots);
    return parseRobots(new TextDecoder().decode(text), asker.product);
  };
  try {
    return await ask(asker, `${origin}/robots.txt`, { signal, read });
  } catch (error) {
    const found = fetchErrorIn(error);
    // A robots.txt of this size, or one that leads in circles, says nothing that can be read.
    if (found?.reason === "too-large" || found?.reason === "redirects") return allowAll;
    throw error;
  }
}
