import { ArgumentError } from "@refadgen/errors";
import { elementCount } from "../tensor.js";
import type { Generator, RandomDType, RandomOptions, RandomTensor } from "./generator.js";

/**
 * Standard normals for a batch `[B, …]`. One generator makes the batch in one draw; a list has one generator per item, each of
 * which comes out as if made alone.
 *
 * @throws ArgumentError when a list does not hold as many generators as the batch items.
 * Source: behaviour of huggingface/diffusers `utils/torch_utils.py` (`randn_tensor`).
 */
export function randnTensor<D extends RandomDType = "float32">(
  dims: readonly number[],
  generator: Generator | readonly Generator[],
  options: RandomOptions<D> = {},
): RandomTensor<D> {
  if (!isList(generator)) return generator.randn(dims, options);
  const [batch, ...itemDims] = dims;
  if (batch === undefined || generator.length !== batch) {
    throw new ArgumentError(`randnTensor: expected as many generators as batch items, got ${generator.length} for [${dims.join(", ")}]`);
  }
  const size = elementCount(itemDims);
  const data = options.dtype === "float64" ? new Float64Array(batch * size) : new Float32Array(batch * size);
  for (const [i, one] of generator.entries()) data.set(one.randn([1, ...itemDims], options).data, i * size);
  return { dtype: data instanceof Float64Array ? "float64" : "float32", dims, data } as RandomTensor<D>;
}

function isList(generator: Generator | readonly Generator[]): generator is readonly Generator[] {
  return Array.isArray(generator);
}
