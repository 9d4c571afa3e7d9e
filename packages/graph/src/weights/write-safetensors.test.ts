import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formulaValues } from "./formula.js";
import { memoryWeights } from "./memory.js";
import { narrowFloat32 } from "./narrow.js";
import { openSafetensors } from "./open.js";
import type { StoredTensor } from "./source.js";
import { widenToFloat32 } from "./widen.js";
import { writeSafetensors } from "./write-safetensors.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const big = 2 ** 20 + 77;
const tensors = [
  ...memoryWeights([
    { name: "b.weight", dtype: "float32", dims: [3, 5], data: Float32Array.from({ length: 15 }, (_, index) => index / 7 - 1) },
    { name: "a.big", dtype: "float32", dims: [big], data: Float32Array.from(formulaValues("big", big), Math.fround) },
    { name: "scalar", dtype: "float32", dims: [], data: Float32Array.of(2.5) },
  ]).tensors.values(),
];

describe("writeSafetensors", () => {
  it("writes what is read back, sorted, aligned, with metadata and progress", async () => {
    const path = join(folder, "same.safetensors");
    const seen: number[] = [];
    const bytes = await writeSafetensors(path, tensors, { metadata: { format: "pt" }, onProgress: ({ done }) => seen.push(done) });
    expect((await stat(path)).size).toBe(bytes);
    expect((await readFile(path)).readBigUInt64LE() % 8n).toBe(0n);
    const found = await openSafetensors(path);
    expect([...found.tensors.keys()]).toEqual(["a.big", "b.weight", "scalar"]);
    expect(found.metadata).toEqual(new Map([["format", "pt"]]));
    for (const tensor of tensors) expect(Buffer.compare(await found.tensors.get(tensor.name)!.read(), await tensor.read()), tensor.name).toBe(0);
    expect(seen.at(-1)).toBe((big + 15 + 1) * 4);
    expect(await readdir(folder)).toEqual(["same.safetensors"]);
  });

  it.each(["float16", "bfloat16"] as const)("narrows to %s and back within half a unit in the last place", async (dtype) => {
    const path = join(folder, `${dtype}.safetensors`);
    await writeSafetensors(path, tensors, { dtype });
    const found = await openSafetensors(path);
    const wide = widenToFloat32("float32", await tensors.find(({ name }) => name === "a.big")!.read());
    const back = widenToFloat32(dtype, await found.tensors.get("a.big")!.read());
    const unit = dtype === "float16" ? 2 ** -11 : 2 ** -8;
    expect(back.every((value, index) => Math.abs(value - wide[index]!) <= Math.max(unit * Math.abs(wide[index]!), 2 ** -25))).toBe(true);
    expect(found.tensors.get("scalar")!.dtype).toBe(dtype);
  });

  it("leaves nothing behind when a tensor cannot be read or the signal is aborted", async () => {
    const path = join(folder, "broken.safetensors");
    const broken: StoredTensor = {
      ...tensors[0]!,
      name: "z",
      dtype: "float32",
      dims: [2],
      contentKey: async () => "z",
      read: () => Promise.reject(new Error("gone")),
    };
    await expect(writeSafetensors(path, [tensors[0]!, broken])).rejects.toThrow("gone");
    await expect(writeSafetensors(path, tensors, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect((await readdir(folder)).filter((name) => name.startsWith("broken"))).toEqual([]);
  });

  it("refuses no tensors and two of one name", async () => {
    const path = join(folder, "none.safetensors");
    await expect(writeSafetensors(path, [])).rejects.toThrow("expected tensors, got none");
    await expect(writeSafetensors(path, [tensors[0]!, tensors[0]!])).rejects.toThrow('expected one tensor "b.weight", got two');
  });
});

describe("narrowFloat32", () => {
  const bits = (dtype: "float16" | "bfloat16", ...values: number[]) =>
    Array.from(new Uint16Array(narrowFloat32(dtype, Float32Array.from(values)).buffer));

  it("float16: every value comes back as itself, and halfway goes to even", () => {
    const all = new Uint16Array(65536).map((_, index) => index);
    const wide = widenToFloat32("float16", new Uint8Array(all.buffer));
    const narrow = new Uint16Array(narrowFloat32("float16", wide).buffer);
    narrow.forEach((value, index) => {
      if (Number.isNaN(wide[index])) expect(value & 0x7c00).toBe(0x7c00);
      else if (value !== index) expect([index, value]).toEqual([index, index]);
    });
    // Between neighbours: exactly halfway goes to the even one, a little beyond to the nearer.
    for (const low of [0x0001, 0x03ff, 0x0400, 0x3bff, 0x3c00, 0x7bfd]) {
      const middle = (wide[low]! + wide[low + 1]!) / 2;
      expect(bits("float16", middle)).toEqual([low % 2 === 0 ? low : low + 1]);
      expect(bits("float16", middle * (1 + 2 ** -20), middle * (1 - 2 ** -20))).toEqual([low + 1, low]);
    }
    expect(bits("float16", 65519.99, 65520, -1e9, 2 ** -25, 2 ** -25 * 1.001, -0)).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 1, 0x8000]);
  });

  it("bfloat16: the same", () => {
    expect(bits("bfloat16", 1, -2.5, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, Number.POSITIVE_INFINITY)).toEqual([
      0x3f80, 0xc020, 0x3f80, 0x3f82, 0x7f80, 0x7f80,
    ]);
    expect(Number.isNaN(widenToFloat32("bfloat16", narrowFloat32("bfloat16", Float32Array.of(Number.NaN)))[0])).toBe(true);
  });
});
