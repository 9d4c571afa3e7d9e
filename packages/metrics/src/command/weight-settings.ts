import { ArgumentError } from "@refadgen/errors";
import type { ExecutionProvider } from "@refadgen/graph";
import type { NetworkOptions } from "../evaluate/networks.js";
import { type WeightId, weightCatalogue } from "../weights/catalogue.js";

/** The options about weights that all commands have, as commander gives them. */
export interface WeightSettings {
  readonly weightsDir?: string;
  readonly weights?: readonly string[];
  readonly offline?: boolean;
  /** `false`: no cache. */
  readonly cache?: string | boolean;
  readonly device?: ExecutionProvider;
  readonly threads?: number;
}

/** What networks are loaded with. */
export function networkOptionsOf({ weightsDir, weights = [], offline, cache, device, threads }: WeightSettings): NetworkOptions {
  return {
    weights: Object.fromEntries(weights.map(assignment)) as NonNullable<NetworkOptions["weights"]>,
    ...(weightsDir !== undefined && { weightsDirectory: weightsDir }),
    ...(offline && { offline }),
    ...(typeof cache === "string" && { cacheDirectory: cache }),
    ...(device && { provider: device }),
    ...(threads !== undefined && { threads }),
  };
}

function assignment(text: string): [WeightId, string] {
  const at = text.indexOf("=");
  const id = text.slice(0, at);
  const known = weightCatalogue.find((file) => file.id === id);
  if (at < 0 || !known || text.length === at + 1) {
    const ids = weightCatalogue.map((file) => file.id).join(", ");
    throw new ArgumentError(`--weights: expected ID=PATH with one of the ids ${ids}, got "${text}"`);
  }
  return [known.id, text.slice(at + 1)];
}
