import { readFileSync } from "node:fs";
import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { elementCount, type Tensor } from "../tensor.js";
import { type Generator, type RandomDType, torchGenerator } from "./generator.js";
import { randnTensor } from "./randn-tensor.js";

// Recorded from PyTorch 2.15.0 and diffusers 0.35.2 by the conformance kit's generate/random_numbers.py.
const fixtures = new URL("../../fixtures/random/", import.meta.url);
const recorded = readTensors(readFileSync(new URL("draws.safetensors", fixtures)));
const notes = JSON.parse(readFileSync(new URL("draws.json", fixtures), "utf8")) as {
  programs: Record<string, [string, number][]>;
  refused: string[];
  sameStream: number[][];
  long: { key: string; shape: number[]; sum: number; sumOfSquares: number; absMax: number }[];
};
const keys = (prefix: string): string[][] => [...recorded.keys()].filter((key) => key.startsWith(`${prefix}/`)).map((key) => key.split("/"));

describe("torchGenerator", () => {
  it("draws normals as torch.randn, by every type, length and seed", () => {
    for (const [group, dtype, seed, shape, part] of keys("randn") as [string, RandomDType, string, string, string?][]) {
      const dims = shape.split("x").map(Number);
      const { data } = torchGenerator(BigInt(seed)).randn(dims, { dtype });
      const got = part === undefined ? data : part === "head" ? data.slice(0, 64) : data.slice(-64);
      const key = [group, dtype, seed, shape, part].filter((word) => word !== undefined).join("/");
      expectClose(key, got, dtype === "float64" ? 1e-15 : elementCount(dims) < 16 ? 0 : dtype === "float32" ? 2e-6 : `1 ulp ${dtype}`);
    }
    expect(keys("randn").length).toBeGreaterThan(200);
  });

  it("draws whole latents with the recorded sums", () => {
    for (const { key, shape, sum, sumOfSquares, absMax } of notes.long.filter(({ key }) => key.startsWith("randn/"))) {
      const [, dtype, seed] = key.split("/") as [string, RandomDType, string];
      const { data } = torchGenerator(BigInt(seed)).randn(shape, { dtype });
      const values = Array.from(data);
      expect(Math.abs(values.reduce((total, value) => total + value, 0) - sum), key).toBeLessThan(0.02);
      expect(Math.abs(values.reduce((total, value) => total + value * value, 0) - sumOfSquares), key).toBeLessThan(0.05);
      expect(Math.max(...values.map(Math.abs)), key).toBeCloseTo(absMax, 5);
    }
  });

  it("draws uniforms, integers, permutations, exponentials and choices", () => {
    for (const [, dtype, seed] of keys("rand") as [string, RandomDType, string][]) {
      expectClose(`rand/${dtype}/${seed}`, torchGenerator(BigInt(seed)).rand([40], { dtype }).data, 0);
    }
    for (const [, range, seed] of keys("randint") as [string, string, string][]) {
      const [low, high] = range.split("..").map(BigInt) as [bigint, bigint];
      expectClose(`randint/${range}/${seed}`, torchGenerator(BigInt(seed)).randint([24], { low, high }).data, 0);
    }
    for (const [, length, seed] of keys("randperm") as [string, string, string][]) {
      expectClose(`randperm/${length}/${seed}`, torchGenerator(BigInt(seed)).randperm(Number(length)).data, 0);
    }
    for (const [, seed] of keys("exponential") as [string, string][]) {
      expectClose(`exponential/${seed}`, torchGenerator(BigInt(seed)).exponential([50]).data, 1e-6);
    }
    const weights = vector(recorded.get("multinomial/weights")!.values);
    for (const [, count, seed] of keys("multinomial").filter(({ length }) => length === 3) as [string, string, string][]) {
      const drawn = torchGenerator(BigInt(seed)).multinomial(weights, { count: Number.parseInt(count, 10), replacement: count.endsWith("r") });
      expectClose(`multinomial/${count}/${seed}`, drawn.data, 0);
    }
  });

  it("draws Bernoulli numbers from one probability and from many, and dropout", () => {
    const probabilities = vector(recorded.get("bernoulli/p")!.values);
    for (const [, kind, seed] of keys("bernoulli").filter(({ length }) => length === 3) as [string, string, string][]) {
      const generator = torchGenerator(BigInt(seed));
      const drawn = kind === "tensor" ? generator.bernoulliOf(probabilities) : generator.bernoulli([200], Number(kind.slice("scalar".length)));
      expectClose(`bernoulli/${kind}/${seed}`, drawn.data, 0);
    }
    for (const [, rate, seed] of keys("dropout") as [string, string, string][]) {
      expectClose(`dropout/${rate}/${seed}`, torchGenerator(BigInt(seed)).dropoutMask([3, 40], Number(rate)).data, 1e-6);
    }
    expect(Array.from(torchGenerator(0).dropoutMask([3], 0).data)).toEqual([1, 1, 1]);
    expect(Array.from(torchGenerator(0).dropoutMask([3], 1).data)).toEqual([0, 0, 0]);
  });

  it("keeps the second normal of a small draw through other draws", () => {
    for (const [program, steps] of Object.entries(notes.programs)) {
      for (const seed of [0, 1, 42]) {
        const generator = torchGenerator(seed);
        for (const [i, [what, count]] of steps.entries()) {
          const { data } = draw(generator, what, count);
          const key = `sequence/${program}/${seed}/${i}-${what}${count}`;
          const tolerance = what === "randn" && count >= 16 ? 2e-6 : 0;
          if (count <= 1000) expectClose(key, data, tolerance);
          else {
            expectClose(`${key}/head`, data.slice(0, 64), tolerance);
            expectClose(`${key}/tail`, data.slice(-64), tolerance);
          }
        }
      }
    }
  });

  it("fills channels-last tensors in memory order", () => {
    const { data } = torchGenerator(0).randn([1, 4, 3, 5], { memoryFormat: "channels-last" });
    expectClose("channels_last/0", data, 0);
    const plain = torchGenerator(7).randn([2, 1, 4, 5]).data;
    expect(torchGenerator(7).randn([2, 1, 4, 5], { memoryFormat: "channels-last" }).data).toEqual(plain);
  });

  it("takes the low 32 bits of the seed and refuses what PyTorch refuses", () => {
    for (const group of notes.sameStream) {
      const draws = group.map((seed) => torchGenerator(seed).rand([4]).data);
      for (const other of draws) expect(other).toEqual(draws[0]);
    }
    for (const seed of notes.refused) expect(() => torchGenerator(BigInt(seed)), seed).toThrow(ArgumentError);
    for (const seed of [2n ** 64n - 1n, -(2n ** 63n)]) expect(torchGenerator(seed).seed).toBe(seed);
    for (const seed of [0.5, Number.NaN, 2 ** 53]) expect(() => torchGenerator(seed)).toThrow(ArgumentError);
  });

  it("refuses impossible sizes, ranges and probabilities", () => {
    const generator = torchGenerator(0);
    const weights = vector([1, 0, 2]);
    for (const attempt of [
      () => generator.randn([-1]),
      () => generator.randn([1.5]),
      () => generator.randn([2 ** 20, 2 ** 20]),
      () => generator.randn([2, 3], { memoryFormat: "channels-last" }),
      () => generator.rand([3], { dtype: "int8" as RandomDType }),
      () => generator.randint([3], { low: 5, high: 5 }),
      () => generator.randint([3], { high: 2n ** 63n + 1n }),
      () => generator.bernoulli([3], 1.1),
      () => generator.bernoulliOf(vector([0.5, Number.NaN])),
      () => generator.dropoutMask([3], -0.1),
      () => generator.multinomial(weights, { count: 3, replacement: false }),
      () => generator.multinomial(vector([0, 0]), { count: 1, replacement: true }),
      () => generator.multinomial(vector([1, -1]), { count: 1, replacement: true }),
    ]) {
      expect(attempt).toThrow(ArgumentError);
    }
    expect(generator.rand([4]).data, "nothing was drawn").toEqual(torchGenerator(0).rand([4]).data);
    expect(generator.randn([0, 4]).data).toHaveLength(0);
  });

  it("makes the latents of an image in well under 5 ms", () => {
    const generator = torchGenerator(1);
    const times = Array.from({ length: 20 }, () => {
      const start = performance.now();
      generator.randn([1, 4, 64, 80]);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(5);
  });
});

describe("randnTensor", () => {
  it("draws a batch from one generator, or each item from its own", () => {
    expectClose("randn_tensor/list/0,1", randnTensor([2, 4, 3, 5], [torchGenerator(0), torchGenerator(1)]).data, 2e-6);
    expectClose("randn_tensor/one/0", randnTensor([2, 4, 3, 5], torchGenerator(0)).data, 2e-6);
    expectClose("randn_tensor/float16/0", randnTensor([1, 4, 3, 5], [torchGenerator(0)], { dtype: "float16" }).data, "1 ulp float16");
  });

  it("refuses a list that does not fit the batch", () => {
    expect(() => randnTensor([2, 4, 3, 5], [torchGenerator(0)])).toThrow(ArgumentError);
    expect(() => randnTensor([], [])).toThrow(ArgumentError);
  });
});

function draw(generator: Generator, what: string, count: number): Tensor {
  if (what === "randn") return generator.randn([count]);
  if (what === "rand") return generator.rand([count]);
  return what === "randint" ? generator.randint([count], { high: 1000 }) : generator.randperm(count);
}

function vector(values: ArrayLike<number>): Tensor<"float32"> {
  return { dtype: "float32", dims: [values.length], data: Float32Array.from(values) };
}

function expectClose(key: string, got: ArrayLike<number | bigint>, tolerance: number | string): void {
  const { values, dims } = recorded.get(key)!;
  expect(got.length, key).toBe(elementCount(dims));
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs(Number(got[i]!) - values[i]!);
    const mantissa = tolerance === "1 ulp float16" ? 10 : 7;
    const allowed = typeof tolerance === "number" ? tolerance : 2 ** (Math.floor(Math.log2(Math.abs(values[i]!))) - mantissa);
    if (!(difference <= allowed)) expect.fail(`${key}[${i}]: expected ${values[i]}, got ${got[i]} (allowed ${allowed})`);
  }
}

function readTensors(file: Buffer): Map<string, { dims: number[]; values: Float64Array }> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, { dims: number[]; values: Float64Array }>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header).filter(([name]) => name !== "__metadata__")) {
    const bytes = file.subarray(start + data_offsets[0], start + data_offsets[1]);
    const read: Record<string, (i: number) => number> = {
      F32: (i) => bytes.readFloatLE(i * 4),
      F64: (i) => bytes.readDoubleLE(i * 8),
      I64: (i) => Number(bytes.readBigInt64LE(i * 8)),
      F16: (i) => fromFloat16(bytes.readUInt16LE(i * 2)),
      BF16: (i) => new Float32Array(Uint32Array.of(bytes.readUInt16LE(i * 2) << 16).buffer)[0]!,
    };
    tensors.set(name, { dims: shape, values: Float64Array.from({ length: elementCount(shape) }, (_, i) => read[dtype]!(i)) });
  }
  return tensors;
}

function fromFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  return (bits >> 15 ? -1 : 1) * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
