import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formulaGaussian, Graph, openSession, openWeights, type Session, type Tensor, Weights } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeLatents, encodeLatents } from "./autoencoder.js";
import { parseAutoencoderConfig } from "./config.js";
import { decodeTiled, encodeTiled } from "./tiles.js";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "refadgen-core-unet-"));
  process.env.REFADGEN_CACHE = cache;
});
afterAll(() => rm(cache, { recursive: true }));

const gaussian = (name: string, dims: readonly number[]): Tensor<"float32"> => ({ dtype: "float32", dims, data: formulaGaussian(name, dims) });

/** Every value repeated `factor` times in both directions: a decoder that looks at no neighbour. */
async function enlarge({ dims, data }: Tensor, factor = 2): Promise<Tensor> {
  const [batch, channels, height, width] = dims as [number, number, number, number];
  const out = new Float32Array(data.length * factor * factor);
  for (let index = 0; index < out.length; index++) {
    const x = index % (width * factor);
    const y = Math.floor(index / (width * factor)) % (height * factor);
    const plane = Math.floor(index / (width * factor * height * factor));
    out[index] = Number(data[(plane * height + Math.floor(y / factor)) * width + Math.floor(x / factor)]);
  }
  return { dtype: "float32", dims: [batch, channels, height * factor, width * factor], data: out };
}

/** The largest and the root-mean-square difference. */
function difference(a: Tensor, b: Tensor): { readonly worst: number; readonly rms: number } {
  expect(a.dims).toEqual(b.dims);
  const squares = Array.from({ length: a.data.length }, (_, index) => (Number(a.data[index]) - Number(b.data[index])) ** 2);
  return {
    worst: Math.sqrt(squares.reduce((most, value) => Math.max(most, value), 0)),
    rms: Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length),
  };
}

describe("decodeTiled", () => {
  it.each([
    [[2, 3, 13, 21], { height: 8, width: 8 }, 2],
    [[1, 4, 15, 9], { height: 8, width: 9 }, 3],
    [[1, 1, 5, 7], { height: 5, width: 7 }, 0],
    [[1, 2, 30, 17], { height: 7, width: 5 }, 4],
    [[1, 1, 16, 24], { height: 8, width: 8 }, 0],
    [[1, 1, 9, 64], { height: 9, width: 10 }, 8],
  ])("of a decoder that looks at no neighbour equals decoding at once: %j in %j, overlap %d", async (dims, tile, overlap) => {
    const latents = gaussian("z", dims);
    const seen: string[] = [];
    const decode = async (part: Tensor) => {
      seen.push(String(part.dims));
      return enlarge(part);
    };
    const progress: number[] = [];
    const image = await decodeTiled({ latents, decode, tile, overlap, onProgress: ({ done, total }) => progress.push(done / total) });
    expect(difference(image, await enlarge(latents)).worst).toBeLessThan(1e-6);
    expect(new Set(seen)).toEqual(new Set([String([dims[0], dims[1], tile.height, tile.width])]));
    const count = (length: number, size: number) => Math.ceil((length - overlap) / (size - overlap));
    expect(seen).toHaveLength(count(dims[2]!, tile.height) * count(dims[3]!, tile.width));
    expect(progress.at(-1)).toBe(1);
    expect(progress).toHaveLength(seen.length);
  });

  it("fades evenly from one tile into the next", async () => {
    let tiles = 0;
    const decode = async ({ dims }: Tensor): Promise<Tensor> => ({ dtype: "float32", dims, data: new Float32Array(dims[3]!).fill(tiles++) });
    const { data } = await decodeTiled({ latents: gaussian("z", [1, 1, 1, 12]), decode, tile: { height: 1, width: 8 }, overlap: 0 });
    expect([...data].map((value) => Math.round(value * 1000))).toEqual([0, 0, 0, 0, 125, 375, 625, 875, 1000, 1000, 1000, 1000]);
  });

  it("stops between tiles", async () => {
    const controller = new AbortController();
    let tiles = 0;
    const decode = (part: Tensor) => {
      if (++tiles === 2) controller.abort(new Error("enough"));
      return enlarge(part);
    };
    await expect(
      decodeTiled({ latents: gaussian("z", [1, 1, 20, 20]), decode, tile: { height: 8, width: 8 }, signal: controller.signal }),
    ).rejects.toThrow("enough");
    expect(tiles).toBe(2);
  });

  const latents = gaussian("z", [1, 2, 10, 12]);
  const tile = { height: 8, width: 8 };
  it.each([
    [
      "a tile larger than the latents",
      { latents, decode: enlarge, tile: { height: 11, width: 8 } },
      "decodeTiled: expected a tile height of 1 to 10, got 11",
    ],
    ["half a tile", { latents, decode: enlarge, tile: { height: 8, width: 7.5 } }, "decodeTiled: expected a tile width of 1 to 12, got 7.5"],
    ["an overlap of the whole tile", { latents, decode: enlarge, tile, overlap: 8 }, "decodeTiled: expected an overlap of 0 to 7, got 8"],
    ["a negative overlap", { latents, decode: enlarge, tile, overlap: -1 }, "decodeTiled: expected an overlap of 0 to 7, got -1"],
    [
      "latents of three dimensions",
      { latents: gaussian("z", [2, 10, 12]), decode: enlarge, tile },
      "decodeTiled: expected float32 [B, C, H, W], got float32 [2, 10, 12]",
    ],
    [
      "a decoder that gives another size",
      { latents, decode: async () => gaussian("y", [1, 3, 16, 12]), tile },
      'decodeTiled: expected "image" to be float32 [1, C, n · 8, n · 8], got float32 [1, 3, 16, 12]',
    ],
  ])("refuses %s", async (_, options, message) => {
    await expect(decodeTiled(options)).rejects.toThrow(message);
  });
});

// The bundled weights are untrained, and what they decode hangs on the statistics of the whole image: diffusers 0.35.2's own tiling
// (`enable_tiling`, the same tile, overlap 4) differs by 0.85 standard deviations on average and 9.5 at most there, a little more than this.
describe("the bundled autoencoder in tiles", () => {
  const folder = new URL("../../../assets/micro/base/vae/", import.meta.url);
  const size = { height: 24, width: 36 };
  const tile = { height: 16, width: 16 };
  let sessions: Readonly<Record<"whole" | "part", Session>>;

  beforeAll(async () => {
    const config = parseAutoencoderConfig(JSON.parse(await readFile(new URL("config.json", folder), "utf8")));
    const { description, tensors } = await openWeights(fileURLToPath(new URL("diffusion_pytorch_model.safetensors", folder)));
    const opened = async ({ height, width }: typeof tile) => {
      const graph = new Graph("autoencoder");
      const weights = Weights.from({ description, tensor: (key) => tensors.get(key), keys: () => tensors.keys() });
      graph.output("image", decodeLatents(graph.input("latents", "float32", [1, 4, height, width]), weights, config));
      const { mean, logvar } = encodeLatents(graph.input("pixels", "float32", [1, 3, height * 8, width * 8]), weights, config);
      graph.output("mean", mean);
      graph.output("logvar", logvar);
      return openSession(graph);
    };
    sessions = { whole: await opened(size), part: await opened(tile) };
  });
  afterAll(async () => {
    for (const session of Object.values(sessions)) await session.dispose();
  });

  const run = (name: "whole" | "part", { latents, pixels }: { readonly latents?: Tensor; readonly pixels?: Tensor }) => {
    const { height, width } = name === "whole" ? size : tile;
    const zeros = (dims: number[]): Tensor => ({ dtype: "float32", dims, data: new Float32Array(dims.reduce((a, b) => a * b)) });
    return sessions[name].run({ latents: latents ?? zeros([1, 4, height, width]), pixels: pixels ?? zeros([1, 3, height * 8, width * 8]) });
  };

  /** Slow waves of every colour, as pictures are smoother than noise: `[1, C, height, width]`, within ±1. */
  const waves = (channels: number, height: number, width: number): Tensor<"float32"> => ({
    dtype: "float32",
    dims: [1, channels, height, width],
    data: Float32Array.from({ length: channels * height * width }, (_, index) => {
      const [x, y, c] = [(index % width) / width, (Math.floor(index / width) % height) / height, Math.floor(index / width / height)];
      return 0.6 * Math.sin(5 * x + 2 * c) * Math.cos(4 * y - c) + 0.4 * Math.sin(9 * y * x + c);
    }),
  });
  const deviation = ({ data }: Tensor) => {
    const values = Array.from({ length: data.length }, (_, index) => Number(data[index]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  };

  it.each([
    [4, 0.81, 8.7],
    [8, 0.78, 8],
    [12, 0.75, 7.5],
  ])("decodes with the difference that the README states: overlap %d", async (overlap, most, mostAtAll) => {
    const latents = waves(4, size.height, size.width);
    const whole = (await run("whole", { latents })).image!;
    const tiled = await decodeTiled({ latents, decode: async (part) => (await run("part", { latents: part })).image!, tile, overlap });
    const { worst, rms } = difference(tiled, whole);
    expect(rms / deviation(whole)).toBeLessThan(most);
    expect(worst / deviation(whole)).toBeLessThan(mostAtAll);
  });

  it("encodes with the difference that the README states", async () => {
    const pixels = waves(3, size.height * 8, size.width * 8);
    const whole = await run("whole", { pixels });
    const encode = async (part: Tensor) => {
      const { mean, logvar } = await run("part", { pixels: part });
      return { mean: mean!, logvar: logvar! };
    };
    const tiled = await encodeTiled({ image: pixels, encode, tile, overlap: 8 });
    for (const [name, most, mostAtAll] of [
      ["mean", 0.86, 5.6],
      ["logvar", 0.92, 7],
    ] as const) {
      const { worst, rms } = difference(tiled[name]!, whole[name]!);
      expect(rms / deviation(whole[name]!)).toBeLessThan(most);
      expect(worst / deviation(whole[name]!)).toBeLessThan(mostAtAll);
    }
  });

  it("encodeTiled refuses sides that are no multiples", async () => {
    await expect(encodeTiled({ image: gaussian("x", [1, 3, 36, 40]), encode: async () => ({}), tile: { height: 2, width: 2 } })).rejects.toThrow(
      "encodeTiled: expected sides that are multiples of 8, got 36 × 40",
    );
  });
});
