import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ArgumentError, RefAdGenError } from "@refadgen/errors";
import { DatasetError } from "../error.js";
import { browsePage } from "./page/page.js";
import { BadRequest, decisionOf, pictureOf, queryOf } from "./request.js";
import type { DecisionStore } from "./store.js";
import { ThumbnailCache } from "./thumbnails.js";

export interface BrowseOptions {
  readonly store: DecisionStore;
  /** Shown above the page. Default "Dataset". */
  readonly title?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Closes the server. */
  readonly signal?: AbortSignal;
}

export interface BrowseServer {
  /** With the token, without which nothing is answered; for the person who started it. */
  readonly url: string;
  readonly port: number;
  /** Answers what is under way and ends. */
  close(): Promise<void>;
}

const mostBody = 4096;

/**
 * A page on this machine to look at, accept and reject items with the keyboard: j and k go on and back, a accepts, r rejects, u undoes. It listens on
 * 127.0.0.1 only; a random token in the address, the name by which it is called and the origin of decisions are checked, so that other pages in the same
 * browser and other names for this machine get nothing.
 *
 * @throws ArgumentError for a port out of range; DatasetError `network` if the port is taken
 */
export async function browse({ store, title = "Dataset", port = 0, signal }: BrowseOptions): Promise<BrowseServer> {
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new ArgumentError(`browse: expected a port from 0 to 65535, got ${port}`);
  signal?.throwIfAborted();
  const token = randomBytes(24).toString("base64url");
  const page = await browsePage(title);
  const thumbnails = new ThumbnailCache(store, 160, 1000);
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response, { store, token, page, thumbnails, port: (server.address() as AddressInfo).port }).catch((error: unknown) =>
      fail(response, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new DatasetError("network", `browse: cannot listen on 127.0.0.1:${port}: ${error.message}`, { cause: error })),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const close = () =>
    new Promise<void>((resolve) => {
      signal?.removeEventListener("abort", onAbort);
      server.close(() => resolve());
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 2000).unref();
    });
  const onAbort = () => void close();
  signal?.addEventListener("abort", onAbort, { once: true });
  return { url: `http://127.0.0.1:${bound}/${token}/`, port: bound, close };
}

interface Serving {
  readonly store: DecisionStore;
  readonly token: string;
  readonly page: Awaited<ReturnType<typeof browsePage>>;
  readonly thumbnails: ThumbnailCache;
  readonly port: number;
}

async function answer(request: IncomingMessage, response: ServerResponse, { store, token, page, thumbnails, port }: Serving): Promise<void> {
  for (const [name, value] of Object.entries(protections)) response.setHeader(name, value);
  response.setHeader("content-security-policy", page.policy);
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  // A name that was made to point here, by DNS rebinding, is another.
  if (!hosts.includes(request.headers.host ?? "")) return send(response, 421, "text/plain; charset=utf-8", "wrong host\n");
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const [, given = "", ...path] = url.pathname.split("/");
  if (!sameSecret(given, token)) return send(response, 404, "text/plain; charset=utf-8", "nothing here\n");
  const { origin, "sec-fetch-site": site } = request.headers;
  if (
    (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) ||
    (site !== undefined && site !== "same-origin" && site !== "none")
  ) {
    return send(response, 403, "text/plain; charset=utf-8", "from elsewhere\n");
  }
  const route = `${request.method} ${path[0] ?? ""}${path[0] === "api" ? `/${path[1] ?? ""}` : ""}`;
  if (route === "GET " && path.length === 1) return send(response, 200, "text/html; charset=utf-8", page.html);
  if (route === "GET api/facets" && path.length === 2) return json(response, 200, await store.facets());
  if (route === "GET api/items" && path.length === 2) return json(response, 200, await store.list(queryOf(url.searchParams)));
  if (route === "POST api/decide" && path.length === 2) {
    if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) throw new BadRequest("expected application/json");
    const { key, decision } = decisionOf(await bodyOf(request));
    const counts = await store.decide(key, decision);
    return counts ? json(response, 200, counts) : json(response, 404, { error: "there is no such item" });
  }
  if (route === "GET picture" && path.length === 3) {
    const { key, role } = pictureOf(path[1]!, path[2]!);
    return picture(response, await store.picture(key, role));
  }
  if (route === "GET thumbnail" && path.length === 2) return picture(response, await thumbnails.of(pictureOf(path[1]!, "ad").key));
  send(response, 404, "text/plain; charset=utf-8", "nothing here\n");
}

const protections: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

/** Compares in the same time wherever they differ. */
function sameSecret(given: string, token: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBody) throw new BadRequest(`expected at most ${mostBody} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function picture(response: ServerResponse, found: Awaited<ReturnType<DecisionStore["picture"]>>): void {
  if (!found) {
    send(response, 404, "text/plain; charset=utf-8", "no such picture\n");
    return;
  }
  // Only pictures, whatever a store says of its bytes.
  const type = ["image/png", "image/jpeg", "image/webp"].includes(found.type) ? found.type : "application/octet-stream";
  response.setHeader("cache-control", "private, max-age=600");
  send(response, 200, type, found.bytes);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof BadRequest ? 400 : 500;
  const message = error instanceof BadRequest || RefAdGenError.isInstance(error) ? error.message : "something went wrong";
  json(response, status, { error: message });
}
