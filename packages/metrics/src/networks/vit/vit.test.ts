import { formulaTensor, widenToFloat32 } from "@refadgen/graph";
import { expect, test } from "vitest";
import { loadDino } from "../dino/load.js";
import { formulaFile, noise, useOwnCache, worst } from "../recorded.test-support.js";

useOwnCache();

const [width, heads, layers, patch, grid] = [128, 2, 2, 8, 3];
const shapes: Readonly<Record<string, readonly number[]>> = {
  cls_token: [1, 1, width],
  pos_embed: [1, 1 + grid ** 2, width],
  "patch_embed.proj.weight": [width, 3, patch, patch],
  "patch_embed.proj.bias": [width],
  ...Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [
      [`blocks.${layer}.attn.qkv.weight`, [3 * width, width]],
      [`blocks.${layer}.attn.qkv.bias`, [3 * width]],
      [`blocks.${layer}.attn.proj.weight`, [width, width]],
      [`blocks.${layer}.attn.proj.bias`, [width]],
      [`blocks.${layer}.mlp.fc1.weight`, [4 * width, width]],
      [`blocks.${layer}.mlp.fc1.bias`, [4 * width]],
      [`blocks.${layer}.mlp.fc2.weight`, [width, 4 * width]],
      [`blocks.${layer}.mlp.fc2.bias`, [width]],
      ...["norm1", "norm2"].flatMap((name) => ["weight", "bias"].map((part) => [`blocks.${layer}.${name}.${part}`, [width]])),
    ]).flat(),
  ),
  "norm.weight": [width],
  "norm.bias": [width],
};

type Rows = readonly (readonly number[])[];

/** The vision transformer, written down in float64 as the paper has it. */
async function slowVit(pixels: Float32Array, side: number): Promise<Rows> {
  const tensors = new Map<string, Float32Array>();
  for (const [name, dims] of Object.entries(shapes)) tensors.set(name, widenToFloat32("float32", await formulaTensor("vit", name, dims).read()));
  const get = (name: string) => tensors.get(name)!;
  const linear = (rows: Rows, name: string, out: number): Rows => {
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
    return rows.map((row) =>
      Array.from({ length: out }, (_, k) => row.reduce((sum, value, c) => sum + value * weight[k * row.length + c]!, bias[k]!)),
    );
  };
  const norm = (rows: Rows, name: string): Rows =>
    rows.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / width;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      return row.map((value, c) => ((value - mean) / Math.sqrt(variance + 1e-6)) * get(`${name}.weight`)[c]! + get(`${name}.bias`)[c]!);
    });
  const plus = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((value, c) => value + b[t]![c]!));
  const attend = (rows: Rows): Rows => {
    const size = width / heads;
    return rows.map((query) =>
      Array.from({ length: heads }, (_, head) => {
        const from = head * size;
        const scores = rows.map((key) => {
          let sum = 0;
          for (let c = from; c < from + size; c++) sum += query[c]! * key[width + c]!;
          return sum / Math.sqrt(size);
        });
        const highest = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - highest));
        const total = shares.reduce((a, b) => a + b);
        return Array.from({ length: size }, (_, c) => shares.reduce((sum, share, s) => sum + (share / total) * rows[s]![2 * width + from + c]!, 0));
      }).flat(),
    );
  };

  const along = side / patch;
  const patches = Array.from({ length: along ** 2 }, (_, place) => {
    const [top, left] = [Math.floor(place / along) * patch, (place % along) * patch];
    return [0, 1, 2].flatMap((c) =>
      Array.from({ length: patch ** 2 }, (_, i) => pixels[(c * side + top + Math.floor(i / patch)) * side + left + (i % patch)]!),
    );
  });
  let h: Rows = [Array.from(get("cls_token")), ...linear(patches, "patch_embed.proj", width)];
  h = h.map((row, t) => row.map((value, c) => value + get("pos_embed")[t * width + c]!));
  for (let layer = 0; layer < layers; layer++) {
    const name = `blocks.${layer}`;
    h = plus(h, linear(attend(linear(norm(h, `${name}.norm1`), `${name}.attn.qkv`, 3 * width)), `${name}.attn.proj`, width));
    const inner = linear(norm(h, `${name}.norm2`), `${name}.mlp.fc1`, 4 * width).map((row) => row.map((value) => value * normal(value)));
    h = plus(h, linear(inner, `${name}.mlp.fc2`, width));
  }
  return norm(h, "norm");
}

/** The normal distribution by its series. */
function normal(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

test("tokens are those of the definition; embeddings are the first of them, whatever the crop", async () => {
  const dino = await loadDino(formulaFile("vit", shapes), { threads: 1 });
  try {
    expect(dino).toMatchObject({ dimensions: width, patch });
    const side = grid * patch;
    const pixels = Float32Array.from({ length: 2 * 3 * side ** 2 }, (_, i) => Math.sin(i * 0.7) + (i % 5) * 0.1);
    const tokens = await dino.tensorTokens({ dtype: "float32", dims: [2, 3, side, side], data: pixels });
    expect(tokens.dims).toEqual([2, 1 + grid ** 2, width]);
    const expected = [await slowVit(pixels.subarray(0, 3 * side ** 2), side), await slowVit(pixels.subarray(3 * side ** 2), side)].flat(2);
    expect(worst(tokens.data, expected)).toBeLessThan(1e-5);

    for (const crop of [24, 40]) {
      const pictures = [noise(50, 60), noise(64, 48, { seed: 4 })];
      const [all, first] = [await dino.tokens(pictures, { crop }), await dino.embeddings(pictures, { crop })];
      expect(first.dims).toEqual([2, width]);
      for (const row of [0, 1]) {
        const from = row * all.dims[1]! * width;
        expect(worst(first.data.subarray(row * width, (row + 1) * width), all.data.subarray(from, from + width))).toBeLessThan(1e-5);
      }
    }
    await expect(dino.tokens([noise(50, 60)], { crop: 20 })).rejects.toThrow(/multiple of the patch of 8, got 20/);
    await expect(dino.tokens([noise(50, 60)], { crop: 24, resize: 20 })).rejects.toThrow(/resize of at least crop 24, got 20/);
    await expect(dino.tensorTokens({ dtype: "float32", dims: [1, 3, 24, 20], data: new Float32Array(1440) })).rejects.toThrow(
      /multiples of the patch/,
    );
  } finally {
    await dino.dispose();
  }
});

test("a DINOv2 and a file of another kind are refused by name", async () => {
  await expect(loadDino(formulaFile("x", { cls_token: [1, 1, 384], "blocks.0.ls1.gamma": [384] }))).rejects.toThrow(/got a DINOv2/);
  await expect(loadDino(formulaFile("x", { "fc.weight": [3, 3] }))).rejects.toThrow(/expected the weights of DINO's.*got none/);
});
