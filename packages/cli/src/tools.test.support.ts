import { knownModels } from "./inspect/known-models.js";

export interface Changes {
  readonly prefix?: string;
  readonly without?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly number[]>>;
  readonly resized?: Readonly<Record<string, readonly number[]>>;
}

/** A safetensors file of zeros with the tensors of a known model, as bytes, so that files differ from the published one as wanted. */
export function narrowedModel(name: string, { prefix = "", without = [], extra = {}, resized = {} }: Changes): Buffer {
  const { tensors } = knownModels().find((model) => model.name === name)!;
  const dims = new Map<string, readonly number[]>();
  for (const [key, size] of tensors)
    if (!without.includes(key)) dims.set(`${prefix}${key}`, resized[key] ?? (size === "" ? [] : size.split("x").map(Number)));
  for (const [key, size] of Object.entries(extra)) dims.set(key, size);
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [key, shape] of dims) {
    const begin = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    header[key] = { dtype: "F16", shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, Buffer.alloc(end)]);
}
