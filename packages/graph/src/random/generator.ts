import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Tensor } from "../tensor.js";
import { roundToBfloat16, roundToFloat16 } from "./half-precision.js";
import { fillIntegers, permutation } from "./integers.js";
import { mersenneTwister } from "./mersenne-twister.js";
import { drawDistinct, drawRepeatedly } from "./multinomial.js";
import { fillNormalBlocks, serialNormals } from "./normal.js";
import { uniform24, uniform53 } from "./uniform.js";

/** Element types of which PyTorch draws differently. float16 and bfloat16 draws come as float32 tensors that hold only values of that type. */
export type RandomDType = "float32" | "float64" | "float16" | "bfloat16";

/** The tensor in which draws of a type come. */
export type RandomTensor<D extends RandomDType> = Tensor<D extends "float64" ? "float64" : "float32">;

export interface RandomOptions<D extends RandomDType = "float32"> {
  /** Default `"float32"`. */
  readonly dtype?: D;
}

export interface NormalOptions<D extends RandomDType = "float32"> extends RandomOptions<D> {
  /** `"channels-last"`: drawn as PyTorch fills such a tensor `[B, C, H, W]`, given back row-major all the same. Default `"contiguous"`. */
  readonly memoryFormat?: "contiguous" | "channels-last";
}

/** A stream of random numbers; every call takes the next ones. The methods are PyTorch's functions of the same names. */
export interface Generator {
  /** The seed it was made with. */
  readonly seed: bigint;
  /** Standard normals. */
  randn<D extends RandomDType = "float32">(dims: readonly number[], options?: NormalOptions<D>): RandomTensor<D>;
  /** Uniform on [0, 1). */
  rand<D extends RandomDType = "float32">(dims: readonly number[], options?: RandomOptions<D>): RandomTensor<D>;
  /** Integers from `low` (default 0) up to but without `high`. */
  randint(dims: readonly number[], range: { readonly low?: number | bigint; readonly high: number | bigint }): Tensor<"int64">;
  /** The numbers 0 … length - 1 in random order: `[length]`. */
  randperm(length: number): Tensor<"int64">;
  /** Exponentially distributed with rate 1, float32. */
  exponential(dims: readonly number[]): Tensor<"float32">;
  /** 1 with this probability (0 to 1), else 0. PyTorch's `bernoulli_(number)`. */
  bernoulli(dims: readonly number[], probability: number): Tensor<"float32">;
  /** 1 with the probability that stands in its place, else 0. PyTorch's `bernoulli(tensor)`, which draws differently from `bernoulli_(number)`. */
  bernoulliOf(probabilities: Tensor<"float32">): Tensor<"float32">;
  /** What `dropout` multiplies with: 0 with probability `rate`, else 1 / (1 - rate). */
  dropoutMask(dims: readonly number[], rate: number): Tensor<"float32">;
  /** `count` indices drawn in proportion to `weights` `[N]`, each at most once unless with replacement: `[count]`. */
  multinomial(weights: Tensor<"float32">, options: { readonly count: number; readonly replacement: boolean }): Tensor<"int64">;
}

/**
 * The generator that `torch.Generator("cpu").manual_seed(seed)` is: the same numbers, in the same order, from the same calls.
 * float32 normals of 16 values or more agree to 2e-6 (PyTorch's own vector and scalar code differ by 1.4e-6), everything else exactly.
 *
 * @param seed an integer from -2^63 to 2^64 - 1; beyond ±(2^53 - 1) as a bigint. As in PyTorch only its low 32 bits count.
 * @throws ArgumentError for any other seed; from the methods for impossible sizes, ranges or probabilities, before anything is drawn.
 * Source: behaviour of PyTorch 2.15, x86-64.
 */
export function torchGenerator(seed: number | bigint): Generator {
  const wholeSeed = checkedSeed(seed);
  const bits = mersenneTwister(Number(BigInt.asUintN(32, wholeSeed)));
  const nextNormal = serialNormals(bits);

  function randn<D extends RandomDType = "float32">(dims: readonly number[], options: NormalOptions<D> = {}): RandomTensor<D> {
    const count = checkedCount("randn", dims);
    const { dtype = "float32", memoryFormat = "contiguous" } = options;
    const values = checkedDType("randn", dtype) === "float64" ? new Float64Array(count) : new Float32Array(count);
    const half = dtype === "float16" || dtype === "bfloat16";
    if (memoryFormat === "channels-last" && !isContiguousChannelsLast(dims)) {
      const [batch, channels, height, width] = dims as readonly [number, number, number, number];
      const area = height * width;
      for (let b = 0; b < batch; b++) {
        for (let position = 0; position < area; position++) {
          for (let c = 0; c < channels; c++) values[(b * channels + c) * area + position] = nextNormal();
        }
      }
    } else if (count < 16) {
      for (let i = 0; i < count; i++) values[i] = nextNormal();
    } else {
      fillNormalBlocks(values, bits, half ? "whole-blocks-first" : "all-first");
    }
    return floatTensor(dims, values, dtype) as RandomTensor<D>;
  }

  function rand<D extends RandomDType = "float32">(dims: readonly number[], options: RandomOptions<D> = {}): RandomTensor<D> {
    const count = checkedCount("rand", dims);
    const { dtype = "float32" } = options;
    const double = checkedDType("rand", dtype) === "float64";
    const values = double ? new Float64Array(count) : new Float32Array(count);
    const uniform = double ? uniform53 : uniform24;
    for (let i = 0; i < count; i++) values[i] = uniform(bits);
    const tensor = floatTensor(dims, values, dtype);
    // Rounding to a half type can reach 1, which [0, 1) leaves out; float32 and float64 draws never do.
    for (let i = 0; i < count; i++) if (tensor.data[i] === 1) tensor.data[i] = 0;
    return tensor as RandomTensor<D>;
  }

  function randint(dims: readonly number[], { low = 0, high }: { readonly low?: number | bigint; readonly high: number | bigint }): Tensor<"int64"> {
    const data = new BigInt64Array(checkedCount("randint", dims));
    const from = checkedInteger("randint", "low", low);
    const to = checkedInteger("randint", "high", high);
    if (to <= from) throw new ArgumentError(`randint: expected low < high, got ${from} and ${to}`);
    if (from < -(2n ** 63n) || to > 2n ** 63n) throw new ArgumentError(`randint: expected 64-bit integers, got ${from} to ${to}`);
    fillIntegers(data, from, to, bits);
    return { dtype: "int64", dims, data };
  }

  function randperm(length: number): Tensor<"int64"> {
    return { dtype: "int64", dims: [length], data: permutation(checkedCount("randperm", [length]), bits) };
  }

  function exponential(dims: readonly number[]): Tensor<"float32"> {
    const data = new Float32Array(checkedCount("exponential", dims));
    for (let i = 0; i < data.length; i++) data[i] = -Math.log1p(-uniform53(bits));
    return { dtype: "float32", dims, data };
  }

  function bernoulli(dims: readonly number[], probability: number): Tensor<"float32"> {
    const data = new Float32Array(checkedCount("bernoulli", dims));
    if (!(probability >= 0 && probability <= 1)) throw new ArgumentError(`bernoulli: expected a probability of 0 to 1, got ${probability}`);
    for (let i = 0; i < data.length; i++) data[i] = uniform53(bits) < probability ? 1 : 0;
    return { dtype: "float32", dims, data };
  }

  function bernoulliOf({ dims, data: probabilities }: Tensor<"float32">): Tensor<"float32"> {
    const wrong = probabilities.find((probability) => !(probability >= 0 && probability <= 1));
    if (wrong !== undefined) throw new ArgumentError(`bernoulliOf: expected probabilities of 0 to 1, got ${wrong}`);
    return { dtype: "float32", dims, data: probabilities.map((probability) => (uniform24(bits) < probability ? 1 : 0)) };
  }

  function dropoutMask(dims: readonly number[], rate: number): Tensor<"float32"> {
    const count = checkedCount("dropoutMask", dims);
    if (!(rate >= 0 && rate <= 1)) throw new ArgumentError(`dropoutMask: expected a rate of 0 to 1, got ${rate}`);
    // Nothing is drawn where nothing is left to chance.
    if (rate === 0 || rate === 1) return { dtype: "float32", dims, data: new Float32Array(count).fill(1 - rate) };
    const kept = bernoulli(dims, 1 - rate);
    return { dtype: "float32", dims, data: kept.data.map((value) => value / (1 - rate)) };
  }

  function multinomial(
    weights: Tensor<"float32">,
    { count, replacement }: { readonly count: number; readonly replacement: boolean },
  ): Tensor<"int64"> {
    const { dims, data } = weights;
    checkedCount("multinomial", [count]);
    if (dims.length !== 1) throw new ArgumentError(`multinomial: expected weights [N], got [${dims.join(", ")}]`);
    const wrong = data.find((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
    if (wrong !== undefined) throw new ArgumentError(`multinomial: expected finite weights of 0 or more, got ${wrong}`);
    const possible = data.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
    const most = replacement && possible > 0 ? Number.POSITIVE_INFINITY : possible;
    if (count < 1 || count > most) {
      throw new ArgumentError(`multinomial: expected a count of 1 to the ${possible} weights above 0 (more with replacement), got ${count}`);
    }
    const indices = replacement ? drawRepeatedly(data, count, bits) : drawDistinct(data, count, bits);
    return { dtype: "int64", dims: [count], data: BigInt64Array.from(indices, BigInt) };
  }

  return { seed: wholeSeed, randn, rand, randint, randperm, exponential, bernoulli, bernoulliOf, dropoutMask, multinomial };
}

function floatTensor(dims: readonly number[], data: Float32Array | Float64Array, dtype: RandomDType): Tensor<"float32"> | Tensor<"float64"> {
  if (data instanceof Float64Array) return { dtype: "float64", dims, data };
  if (dtype === "float16") roundToFloat16(data);
  if (dtype === "bfloat16") roundToBfloat16(data);
  return { dtype: "float32", dims, data };
}

/** One channel, or one position: the two memory formats are the same then. */
function isContiguousChannelsLast(dims: readonly number[]): boolean {
  const [, channels, height, width] = dims;
  if (dims.length !== 4) throw new ArgumentError(`randn: expected [B, C, H, W] for channels-last, got [${dims.join(", ")}]`);
  return channels === 1 || height! * width! === 1;
}

function checkedSeed(seed: number | bigint): bigint {
  const whole = checkedInteger("torchGenerator", "a seed", seed);
  if (whole < -(2n ** 63n) || whole >= 2n ** 64n) throw new ArgumentError(`torchGenerator: expected a seed from -2^63 to 2^64 - 1, got ${whole}`);
  return whole;
}

function checkedInteger(where: string, what: string, value: number | bigint): bigint {
  if (typeof value === "bigint") return value;
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new ArgumentError(`${where}: expected ${what} that is an integer within ±(2^53 - 1), or a bigint, got ${String(value)}`);
}

function checkedCount(where: string, dims: readonly number[]): number {
  const count = elementCount(dims);
  if (dims.every((size) => Number.isSafeInteger(size) && size >= 0) && count < 2 ** 32) return count;
  throw new ArgumentError(`${where}: expected sizes of 0 or more and fewer than 2^32 values, got [${dims.join(", ")}]`);
}

function checkedDType(where: string, dtype: RandomDType): RandomDType {
  if (["float32", "float64", "float16", "bfloat16"].includes(dtype)) return dtype;
  throw new ArgumentError(`${where}: expected float32, float64, float16 or bfloat16, got ${String(dtype)}`);
}
