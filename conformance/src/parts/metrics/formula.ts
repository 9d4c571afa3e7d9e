// Weights of the metrics' networks that follow from their names, with the departures that the fixtures' README lists.
import { type FloatDType, formulaTensor, isFloat, type StoredTensor, type WeightLookup, widenToFloat32 } from "@refadgen/graph";

export interface FormulaOptions {
  readonly salt: string;
  /** Times this where a tensor has two or more dimensions. */
  readonly gain?: number;
  /** Then every tensor times this. */
  readonly scale?: number;
  readonly absolute?: boolean;
}

/** Every key, whatever sizes are asked for. */
export function formulaLookup(options: FormulaOptions): WeightLookup {
  return { description: `formula weights "${options.salt}"`, keys: () => [], tensor: (key, dims) => changed(options, key, dims) };
}

export type Shapes = ReadonlyMap<string, { readonly dims: readonly number[]; readonly half?: boolean }>;

/** A checkpoint of certain keys and sizes; tensors marked `half` are rounded to float16 as the published file is. */
export function formulaCheckpoint(options: FormulaOptions, shapes: Shapes): WeightLookup {
  return {
    description: `formula weights "${options.salt}"`,
    keys: () => shapes.keys(),
    tensor: (key) => {
      const shape = shapes.get(key);
      if (!shape) return undefined;
      const tensor = changed(options, key, shape.dims);
      return shape.half ? map(tensor, "float16", toHalf) : tensor;
    },
  };
}

function changed({ salt, gain = 1, scale = 1, absolute = false }: FormulaOptions, key: string, dims: readonly number[]): StoredTensor {
  const tensor = formulaTensor(salt, key, dims);
  if (!isFloat(tensor.dtype)) return tensor;
  const factor = dims.length >= 2 ? gain : 1;
  if (factor === 1 && scale === 1 && !absolute) return tensor;
  return map(tensor, `times ${factor}, ${scale}, ${absolute}`, (value) => {
    const scaled = Math.fround(Math.fround(value * factor) * scale);
    return absolute ? Math.abs(scaled) : scaled;
  });
}

function map(tensor: StoredTensor, name: string, change: (value: number) => number): StoredTensor {
  const changedBytes = async (bytes: Promise<Uint8Array>): Promise<Uint8Array> => {
    const values = widenToFloat32(tensor.dtype as FloatDType, await bytes);
    for (let i = 0; i < values.length; i++) values[i] = change(values[i]!);
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  };
  const { readRange } = tensor;
  return {
    name: tensor.name,
    dtype: tensor.dtype,
    dims: tensor.dims,
    read: () => changedBytes(tensor.read()),
    ...(readRange && { readRange: (start: number, end: number) => changedBytes(readRange(start, end)) }),
    contentKey: async () => `${await tensor.contentKey()} ${name}`,
  };
}

/** To the nearest float16, halves to even, as a number; below 2^-24 and above 65504 the weights do not go. */
function toHalf(value: number): number {
  const magnitude = Math.abs(value);
  const exponent = magnitude === 0 ? -14 : Math.max(-14, Math.floor(Math.log2(magnitude)));
  const step = 2 ** (exponent - 10);
  const steps = value / step;
  const rounded = Math.round(steps);
  return (rounded - steps === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded) * step;
}
