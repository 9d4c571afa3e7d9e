import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ArgumentError } from "@refadgen/errors";

/** Where and how files are fetched. Everything left out comes from the environment variables that Python's huggingface_hub reads. */
export interface HubOptions {
  /** Folder of `models--org--name` folders. Default: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cacheDirectory?: string;
  /** Access token. Default: `HF_TOKEN`, else the file that `huggingface-cli login` writes. `""`: none. Sent to the endpoint's host only. */
  readonly token?: string;
  /** The hub's address. Default: `HF_ENDPOINT`, else the public hub. */
  readonly endpoint?: string;
  /** Use what is in the cache and ask nobody. Default: `HF_HUB_OFFLINE`. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  /** How many times in a row a request may fail before it is given up; bytes that arrive start the count anew. Default 5. */
  readonly attempts?: number;
  /** First pause after a failure, in milliseconds; it doubles up to 30 s, and a server's Retry-After wins. Default 500. */
  readonly retryDelay?: number;
  /** A connection on which nothing has come for this many milliseconds is taken for dead. Default 30 000. */
  readonly idleTimeout?: number;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** How far a call has come, over all files that it fetches. */
export interface DownloadProgress {
  /** The file that is being fetched, as named in its repository, or its address. */
  readonly file: string;
  /** Bytes that are there, and bytes in all; without `total` where a server does not say. */
  readonly done: number;
  readonly total?: number;
}

/** `HubOptions` with every default in its place. */
export interface Settings {
  readonly cacheDirectory: string;
  /** Where files from plain addresses are kept. */
  readonly assetsDirectory: string;
  readonly token: string | undefined;
  readonly endpoint: string;
  readonly offline: boolean;
  readonly signal: AbortSignal | undefined;
  readonly attempts: number;
  readonly retryDelay: number;
  readonly idleTimeout: number;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
}

/** The folder of hub repositories that Python shares; see `HubOptions.cacheDirectory`. */
export function hubCacheDirectory(): string {
  return expanded(process.env.HF_HUB_CACHE) ?? expanded(process.env.HUGGINGFACE_HUB_CACHE) ?? join(hubHome(), "hub");
}

/** Where files from plain addresses are kept: `HF_ASSETS_CACHE`, else `$HF_HOME/assets`; in it our own folder. */
export function assetsDirectory(): string {
  return join(expanded(process.env.HF_ASSETS_CACHE) ?? join(hubHome(), "assets"), "refadgen");
}

/** Fills in the defaults. @throws ArgumentError */
export async function settingsOf(name: string, options: HubOptions): Promise<Settings> {
  const { attempts = 5, retryDelay = 500, idleTimeout = 30_000, cacheDirectory, token, signal, onProgress } = options;
  if (!Number.isInteger(attempts) || attempts < 1) throw new ArgumentError(`${name}: expected attempts of at least 1, got ${attempts}`);
  if (!(retryDelay >= 0)) throw new ArgumentError(`${name}: expected retryDelay of at least 0 ms, got ${retryDelay}`);
  if (!(idleTimeout > 0)) throw new ArgumentError(`${name}: expected idleTimeout above 0 ms, got ${idleTimeout}`);
  return {
    cacheDirectory: resolve(cacheDirectory ?? hubCacheDirectory()),
    // A folder of its own for those who keep everything in one place: Python's tools skip names that begin with a dot.
    assetsDirectory: cacheDirectory === undefined ? assetsDirectory() : resolve(cacheDirectory, ".urls"),
    token: cleanToken(token ?? (await knownToken())),
    endpoint: checkedEndpoint(name, options.endpoint ?? nonEmpty(process.env.HF_ENDPOINT) ?? "https://huggingface.co"),
    offline: options.offline ?? (isTrue(process.env.HF_HUB_OFFLINE) || isTrue(process.env.TRANSFORMERS_OFFLINE)),
    signal,
    attempts,
    retryDelay,
    idleTimeout,
    onProgress,
  };
}

/** Plain http is for this machine: elsewhere anybody on the way could change the weights, or read the token. */
export function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

function hubHome(): string {
  return expanded(process.env.HF_HOME) ?? join(expanded(process.env.XDG_CACHE_HOME) ?? join(homedir(), ".cache"), "huggingface");
}

async function knownToken(): Promise<string | undefined> {
  const given = nonEmpty(process.env.HF_TOKEN) ?? nonEmpty(process.env.HUGGING_FACE_HUB_TOKEN);
  if (given !== undefined) return given;
  const file = expanded(process.env.HF_TOKEN_PATH) ?? join(hubHome(), "token");
  return readFile(file, "utf8").catch(() => undefined);
}

function cleanToken(token: string | undefined): string | undefined {
  return nonEmpty(token?.replaceAll(/\s/g, ""));
}

function checkedEndpoint(name: string, endpoint: string): string {
  if (!URL.canParse(endpoint) || !isSecure(new URL(endpoint)))
    throw new ArgumentError(`${name}: expected the endpoint to be an https address, or http on this machine, got "${endpoint}"`);
  return endpoint.replace(/\/+$/, "");
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes((value ?? "").toUpperCase());
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function expanded(path: string | undefined): string | undefined {
  return nonEmpty(path)?.replace(/^~(?=$|[/\\])/, homedir());
}
