import { setTimeout as pause } from "node:timers/promises";
import { HubError } from "./error.js";
import { isSecure, type Settings } from "./settings.js";

const mostRedirects = 10;
const longestDelay = 30_000;
/** A server that asks for a longer pause than this is not waited for. */
const longestRetryAfter = 120_000;

export interface Answer {
  readonly response: Response;
  /** Tells that bytes have come: the connection lives. */
  alive(): void;
  /** Ends the request, whatever is left of it. */
  end(): void;
}

/**
 * One request, redirects followed. The token goes to the endpoint's own host and nowhere else: files lie with other companies.
 *
 * @throws HubError `redirect`, `unavailable` (no connection, or nothing came for `idleTimeout`); the signal's reason
 */
export async function request(url: URL, init: RequestInit, settings: Settings): Promise<Answer> {
  const { signal, idleTimeout, endpoint, token } = settings;
  const silence = new AbortController();
  const watch = setTimeout(() => silence.abort(new HubError("unavailable", `${url.host} sent nothing for ${idleTimeout} ms`)), idleTimeout);
  const end = () => {
    clearTimeout(watch);
    silence.abort();
  };
  const seen = new Set<string>();
  try {
    for (let address = url; ; ) {
      if (seen.has(address.href)) throw new HubError("redirect", `${url.href} redirects in a circle`);
      if (seen.size > mostRedirects) throw new HubError("redirect", `${url.href} redirects more than ${mostRedirects} times`);
      seen.add(address.href);
      const headers = new Headers(init.headers);
      if (token !== undefined && address.origin === new URL(endpoint).origin) headers.set("authorization", `Bearer ${token}`);
      const response = await fetch(address, {
        ...init,
        headers,
        redirect: "manual",
        signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) return { response, alive: () => void watch.refresh(), end };
      await response.body?.cancel();
      if (!URL.canParse(location, address.href))
        throw new HubError("redirect", `${url.href} redirects to "${location.slice(0, 200)}", which is no address`);
      address = new URL(location, address);
      if (!isSecure(address)) throw new HubError("redirect", `${url.href} redirects to ${address.protocol}//${address.host}, which is not https`);
    }
  } catch (error) {
    end();
    throw readable(error, url, settings);
  }
}

/** The error as something to act on: connections fail with words that name no host. */
export function readable(error: unknown, url: URL, { signal }: Settings): unknown {
  if (signal?.aborted) return signal.reason;
  if (HubError.isInstance(error)) return error;
  const reasons: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (HubError.isInstance(cause)) return cause;
    reasons.push(cause.message);
  }
  const code = error instanceof Error && error.cause instanceof Error ? Reflect.get(error.cause, "code") : undefined;
  return new HubError("unavailable", `${url.host} cannot be reached or broke off (${typeof code === "string" ? code : reasons.join(": ")})`, {
    cause: error,
  });
}

/** What a status other than 2xx means. `what` is named in the message. */
export function statusError(response: Response, what: string): HubError {
  const { status, headers } = response;
  const reason = headers.get("x-error-code");
  const message = headers.get("x-error-message");
  const said = message === null ? "" : ` The server says: ${message.slice(0, 300)}`;
  if (reason === "GatedRepo" || (status === 403 && reason === null))
    return new HubError(
      "unauthorized",
      `${what}: access has to be granted (${status}). Accept its terms on its page, then set HF_TOKEN to a token of that account.${said}`,
    );
  if (status === 401 && reason !== "RepoNotFound")
    return new HubError(
      "unauthorized",
      `${what}: a token is needed, or the one given is not valid (401). Set HF_TOKEN to a token that may read it.${said}`,
    );
  if (reason === "RepoNotFound" || status === 401)
    return new HubError("not-found", `${what}: there is no such repository, or it is private (${status}). Check the name, or set HF_TOKEN.${said}`);
  if (reason === "RevisionNotFound") return new HubError("not-found", `${what}: the repository has no such revision (${status}).${said}`);
  if (status === 403) return new HubError("unauthorized", `${what}: access is refused (403).${said}`);
  if (status === 404 || status === 410)
    return new HubError("not-found", `${what}: nothing is there (${status}). Check the name and the revision.${said}`);
  if (status === 429) return new HubError("rate-limited", `${what}: too many requests (429). Wait, or set HF_TOKEN.${said}`);
  return new HubError("unavailable", `${what}: the server answered ${status}.${said}`);
}

/** How long the server asks to wait, in milliseconds: `Retry-After` as seconds or as a date. */
function retryAfter(response: Response, now: number = Date.now()): number | undefined {
  const text = response.headers.get("retry-after");
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/** Waits before the attempt after the `failures`-th failure in a row. @throws HubError when the server asks for too long a pause */
export async function backOff(failures: number, response: Response | undefined, what: string, { retryDelay, signal }: Settings): Promise<void> {
  const asked = response && retryAfter(response);
  if (asked !== undefined && asked > longestRetryAfter) {
    throw new HubError("rate-limited", `${what}: the server asks to come back in ${Math.ceil(asked / 1000)} s. Try again then, or set HF_TOKEN.`);
  }
  const delay = asked ?? Math.min(longestDelay, retryDelay * 2 ** (failures - 1));
  await pause(delay, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  });
}

/**
 * A `fetch` for @huggingface/hub: JSON only, small, tried again where that may help. The library's errors name no next step, so a status
 * that is final becomes a `HubError` here.
 */
export function apiFetch(what: string, settings: Settings): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    for (let failures = 1; ; failures++) {
      let response: Response | undefined;
      try {
        const answer = await request(url, init ?? {}, settings);
        response = answer.response;
        try {
          if (response.ok) {
            const type = response.headers.get("content-type") ?? "";
            const text = await response.text();
            if (!type.includes("json")) throw notJson(url, type, text);
            return new Response(text, { status: response.status, headers: response.headers });
          }
          await response.body?.cancel();
        } finally {
          answer.end();
        }
        if (!isTransient(response.status) || failures >= settings.attempts) throw statusError(response, what);
      } catch (caught) {
        const error = readable(caught, url, settings);
        const again = HubError.isInstance(error) && error.code === "unavailable";
        if (!again || failures >= settings.attempts) throw error;
      }
      await backOff(failures, response, what, settings);
    }
  };
}

function notJson(url: URL, type: string, text: string): HubError {
  const title = /<title>([^<]{1,100})/i.exec(text)?.[1]?.trim();
  return new HubError(
    "unexpected-content",
    `${url.host} answered with ${title === undefined ? (type === "" ? "something else than JSON" : type) : `a page titled "${title}"`}: it is no hub, or a network login page stands in between`,
  );
}
