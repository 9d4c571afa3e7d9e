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

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** To the nearest float16, halves to even, as a number; above 65504 the weights do not go. */
function toHalf(value: number): number {
  if (Math.abs(value) < 2 ** -14) {
    const steps = value * 2 ** 24;
    const rounded = Math.round(steps);
    return (rounded - steps === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded) * 2 ** -24;
  }
  // 13 of the mantissa's bits go; what is carried may well reach the exponent.
  single[0] = value;
  bits[0] = (bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1)) & ~0x1fff;
  return single[0]!;
}
