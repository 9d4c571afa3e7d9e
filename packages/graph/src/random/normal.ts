import type { RandomBits } from "./mersenne-twister.js";
import { uniform24, uniform53 } from "./uniform.js";

const block = 16;
/** 2π as the float32 that the reference multiplies with. */
const turn32 = Math.fround(2 * Math.PI);

/** Standard normals one at a time, as PyTorch draws fewer than 16. */
export type SerialNormals = () => number;

/**
 * PyTorch's rule for fewer than 16 values, and for tensors that are not contiguous: two 53-bit uniforms give two normals in
 * float64, and the second waits for the next such draw, whatever is drawn by other rules in between.
 */
export function serialNormals(bits: RandomBits): SerialNormals {
  let waiting: number | undefined;
  return () => {
    if (waiting !== undefined) {
      const value = waiting;
      waiting = undefined;
      return value;
    }
    const angle = 2 * Math.PI * uniform53(bits);
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53(bits)));
    waiting = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * PyTorch's rule for 16 values or more: all uniforms first, then Box-Muller on each block of 16, radius from value j and angle
 * from value j + 8. If 16 does not divide the length, the last 16 values are made again from 16 more uniforms.
 *
 * @param order when the 16 more uniforms are drawn: after a uniform for every value, or (half precision) after those of the whole blocks
 */
export function fillNormalBlocks(values: Float32Array | Float64Array, bits: RandomBits, order: "all-first" | "whole-blocks-first"): void {
  const single = values instanceof Float32Array;
  const rest = values.length % block;
  const drawn = order === "all-first" ? values.length : values.length - rest;
  const uniform = single ? uniform24 : uniform53;
  for (let i = 0; i < drawn; i++) values[i] = uniform(bits);
  for (let start = 0; start + block <= values.length; start += block) boxMuller(values, start);
  if (rest === 0) return;
  const last = values.length - block;
  for (let i = last; i < values.length; i++) values[i] = uniform(bits);
  boxMuller(values, last);
}

function boxMuller(values: Float32Array | Float64Array, start: number): void {
  const turn = values instanceof Float32Array ? turn32 : 2 * Math.PI;
  for (let j = start; j < start + block / 2; j++) {
    // Storing the angle rounds it to the array's precision, as the reference has it.
    values[j + block / 2]! *= turn;
    const angle = values[j + block / 2]!;
    const radius = Math.sqrt(-2 * Math.log(1 - values[j]!));
    values[j] = radius * Math.cos(angle);
    values[j + block / 2] = radius * Math.sin(angle);
  }
}
