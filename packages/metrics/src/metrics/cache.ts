import { ArgumentError } from "@refadgen/errors";
import type { FeatureStore } from "../evaluate/cached-networks.js";
import type { LoadedNetwork } from "../networks/contract.js";
import type { MetricResult } from "./contract.js";

/**
 * Runs a metric with a network that keeps its features in a folder, and closes the folder afterwards. When the folder refuses, everything is
 * computed, and the result says so.
 */
export async function withFeatureCache<T extends LoadedNetwork>(
  network: T,
  cacheDirectory: string | undefined,
  cached: (network: T, store: FeatureStore) => T,
  run: (network: T) => Promise<MetricResult>,
): Promise<MetricResult> {
  if (cacheDirectory === undefined) return run(network);
  if (typeof cacheDirectory !== "string" || cacheDirectory === "")
    throw new ArgumentError(`cacheDirectory: expected a folder, got ${JSON.stringify(cacheDirectory)}`);
  const warnings: string[] = [];
  const keeping = cached(network, { folder: cacheDirectory, onFailure: (message) => warnings.push(message) });
  try {
    const result = await run(keeping);
    return warnings.length === 0 ? result : { ...result, warnings: [...result.warnings, ...warnings] };
  } finally {
    await keeping.dispose();
  }
}
