import { stat } from "node:fs/promises";
import { RefAdGenError } from "@refadgen/errors";
import { locate } from "@refadgen/hub";
import { MetricWeightsError, type MetricWeightsErrorCode } from "./error.js";

/** What `locate` of `@refadgen/hub` takes, as far as it is used here. */
export interface LocateOptions {
  /** Expected sha256, hex; a file that was fetched and has another is refused. */
  readonly sha256?: string;
  /** Expected size. */
  readonly bytes?: number;
  readonly offline?: boolean;
  readonly cacheDirectory?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total?: number }) => void;
}

/**
 * The path of a weight file: the source itself when it lies on the disk, else what `@refadgen/hub` fetches into the shared cache.
 *
 * @throws MetricWeightsError `missing` when there is no such file, or it may not be fetched; `checksum`; `unavailable`; the signal's reason
 */
export async function locateWeights(source: string, options: LocateOptions = {}): Promise<string> {
  const there = await stat(source).catch(() => undefined);
  if (there) return source;
  if (isPath(source)) throw new MetricWeightsError("missing", `${source}: expected a weight file, there is none`);
  return locate(source, options).catch((error: unknown) => {
    throw weightsErrorOf(source, error);
  });
}

/** What is neither a URL nor of the form of a hub id can only be a path. */
function isPath(source: string): boolean {
  if (/^https?:\/\//.test(source)) return false;
  return source.startsWith(".") || source.startsWith("/") || source.includes("\\") || /^[A-Za-z]:/.test(source) || source.split("/").length < 3;
}

/** What went wrong at the hub, in the words of this package; anything else as it is. */
export function weightsErrorOf(source: string, error: unknown): unknown {
  if (!RefAdGenError.isInstance(error) || error.name !== "HubError") return error;
  const codes: Readonly<Record<string, MetricWeightsErrorCode>> = { offline: "missing", "not-found": "missing", mismatch: "checksum" };
  const message = error.message.includes(source) ? error.message : `${source}: ${error.message}`;
  return new MetricWeightsError(codes[error.code] ?? "unavailable", message, { cause: error });
}
