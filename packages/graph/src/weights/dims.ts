import { WeightsError } from "./error.js";
import type { WeightLimits } from "./limits.js";

/**
 * The number of elements of a tensor with these sizes, which come from a file. Throws a `WeightsError`: `malformed` unless all are
 * integers ≥ 0, `limit` for too many dimensions or a product beyond 2⁵³. `what` begins the message.
 */
export function checkedElementCount(dims: readonly unknown[], what: string, limits: WeightLimits): number {
  if (dims.length > limits.dimensions)
    throw new WeightsError("limit", `${what}: expected at most ${limits.dimensions} dimensions, got ${dims.length}`);
  let count = 1;
  for (const size of dims) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      throw new WeightsError(
        "malformed",
        `${what}: expected sizes that are integers from 0 to 2^53, got ${typeof size === "number" ? size : typeof size}`,
      );
    }
    count *= size;
  }
  if (dims.includes(0)) return 0;
  if (!Number.isSafeInteger(count)) throw new WeightsError("limit", `${what}: sizes [${dims.join(", ")}] make more than 2^53 elements`);
  return count;
}
