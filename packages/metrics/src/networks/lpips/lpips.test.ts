import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import { memoryWeights } from "@refadgen/graph";
import { imageToTensor, symmetricNormalization } from "@refadgen/image";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MetricWeightsError } from "../../weights/error.js";
import type { Lpips, LpipsBackbone } from "../contract.js";
import { fixtureImage, formulaLookup, noise, recorded, useOwnCache, worst } from "../recorded.test-support.js";
import { loadLpips } from "./load.js";

useOwnCache();

describe.each([
  { backbone: "alex", salt: "alexnet", name: "lpips-alex-33x33" },
  { backbone: "squeeze", salt: "squeezenet1_1", name: "lpips-squeeze-50x39" },
] as const)("$name of the lpips and torchmetrics packages", ({ backbone, salt, name }) => {
  let values: ReadonlyMap<string, Float64Array>;
  const open = (lin?: "formula" | "none"): Promise<Lpips> =>
    loadLpips(formulaLookup(salt, { gain: 1.5 }), {
      backbone,
      threads: 1,
      ...(lin === undefined ? {} : { lin: lin === "none" ? lin : formulaLookup(`lpips-${backbone}`, { absolute: true }) }),
    });
  beforeAll(async () => {
    values = await recorded(`${name}.safetensors`);
  });

  test.each(["lpips", "torchmetrics"] as const)("%s", async (recipe) => {
    const [first, second] = [await fixtureImage(`images/${name}-a.png`), await fixtureImage(`images/${name}-b.png`)];
    for (const kind of ["published", "formula"] as const) {
      const lpips = await open(kind === "formula" ? "formula" : undefined);
      const { total, layers, spatial } = await lpips.distances([first], [second], { recipe, spatial: true });
      await lpips.dispose();
      const expected = values.get(`${recipe}.${kind}-lin.total`)![0]!;
      expect(Math.abs(total[0]! - expected)).toBeLessThan(1e-5 * expected);
      for (const [index, value] of values.get(`${recipe}.${kind}-lin.layers`)!.entries())
        expect(Math.abs(layers[index]![0]! - value), `layer ${index}`).toBeLessThan(1e-5 * value);
      const map = values.get(`${recipe}.${kind}-lin.spatial`);
      if (map) expect(worst(spatial!.data, map)).toBeLessThan(1e-5 * Math.max(...map));
    }
  });

  test("without the learned weights", async () => {
    const lpips = await open("none");
    expect(lpips.learned).toBe(false);
    const { total } = await lpips.distances([await fixtureImage(`images/${name}-a.png`)], [await fixtureImage(`images/${name}-b.png`)], {
      recipe: "lpips",
    });
    await lpips.dispose();
    const expected = values.get("baseline.total")![0]!;
    expect(Math.abs(total[0]! - expected)).toBeLessThan(1e-5 * expected);
  });
});

describe("loaded LPIPS", () => {
  let lpips: Lpips;
  beforeAll(async () => {
    lpips = await loadLpips(formulaLookup("alexnet", { gain: 1.5 }), { threads: 1, optimization: "mapped" });
  });
  afterAll(() => lpips.dispose());

  test("pairs of several sizes come out in their order, as one by one; the same picture is at no distance", async () => {
    const sizes = [
      [40, 33],
      [31, 50],
      [40, 33],
      [64, 64],
    ] as const;
    const first = sizes.map(([width, height], seed) => noise(width, height, { seed }));
    const second = sizes.map(([width, height], seed) => noise(width, height, { seed: seed + (seed === 2 ? 0 : 10) }));
    const { total, layers } = await lpips.distances(first, second, { recipe: "lpips" });
    expect(total[2]).toBe(0);
    for (const index of sizes.keys()) {
      const alone = await lpips.distances([first[index]!], [second[index]!], { recipe: "lpips" });
      expect(Math.abs(alone.total[0]! - total[index]!)).toBeLessThan(1e-6);
      expect(layers.reduce((sum, layer) => sum + layer[index]!, 0)).toBeCloseTo(total[index]!, 6);
    }
    const swapped = await lpips.distances(second, first, { recipe: "lpips" });
    expect(worst(swapped.total, total)).toBeLessThan(1e-6);
  });

  test("tensors in [-1, 1] give what pictures give; grey is RGB, alpha does not count", async () => {
    const [a, b] = [noise(35, 41), noise(35, 41, { seed: 9 })];
    const tensor = (image: typeof a): Tensor<"float32"> => ({
      dtype: "float32",
      dims: [1, 3, 41, 35],
      data: imageToTensor(image, symmetricNormalization),
    });
    const pictures = await lpips.distances([a], [b], { recipe: "torchmetrics" });
    expect((await lpips.tensorDistances(tensor(a), tensor(b), { recipe: "torchmetrics" })).total).toEqual(pictures.total);
    const grey = noise(35, 41, { channels: 1 });
    const withAlpha = {
      ...grey,
      channels: 2 as const,
      data: Uint8Array.from({ length: grey.data.length * 2 }, (_, i) => (i % 2 ? 7 : grey.data[i / 2]!)),
    };
    const twice = await lpips.distances([grey, withAlpha], [b, b], { recipe: "lpips" });
    expect(twice.total[0]).toBe(twice.total[1]);
  });

  test("what cannot be compared is refused", async () => {
    const fine = noise(40, 40);
    const recipe = "lpips" as const;
    const refused: readonly (() => Promise<unknown>)[] = [
      () => lpips.distances([], [], { recipe }),
      () => lpips.distances([fine], [fine, fine], { recipe }),
      () => lpips.distances([fine], [noise(40, 41)], { recipe }),
      () => lpips.distances([noise(30, 60)], [noise(30, 60)], { recipe }),
      () => lpips.distances([fine], [fine], { recipe: "piq" as never }),
      () => lpips.distances([fine, noise(50, 50)], [fine, noise(50, 50)], { recipe, spatial: true }),
      () => {
        const bytes: Tensor<"float32"> = { dtype: "float32", dims: [1, 3, 40, 40], data: Float32Array.from(fine.data) };
        return lpips.tensorDistances(bytes, bytes, { recipe });
      },
    ];
    for (const attempt of refused) await expect(attempt()).rejects.toSatisfy((error) => ArgumentError.isInstance(error));
  });
});

describe("wrong weights are named", () => {
  const file = (shapes: Readonly<Record<string, readonly number[]>>) =>
    memoryWeights(
      Object.entries(shapes).map(([name, dims]) => ({
        name,
        dims,
        dtype: "float32" as const,
        data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
      })),
    );
  const squeeze = { "features.0.weight": [64, 3, 3, 3], "features.12.squeeze.weight": [64, 512, 1, 1] };
  const alex = { "features.0.weight": [64, 3, 11, 11], "features.10.weight": [256, 256, 3, 3] };

  test.each<[string, Readonly<Record<string, readonly number[]>>, LpipsBackbone, RegExp]>([
    ["another backbone", squeeze, "alex", /expected the weights of torchvision's AlexNet.*got torchvision's SqueezeNet 1\.1/],
    ["a file that lacks layers", alex, "alex", /AlexNet.*missing +features\.3\.weight \[192, 64, 5, 5\]/s],
    [
      "learned weights alone",
      { "lin0.model.1.weight": [1, 64, 1, 1], "lin1.model.1.weight": [1, 192, 1, 1] },
      "alex",
      /got LPIPS's learned weights for AlexNet/,
    ],
  ])("%s", async (_, shapes, backbone, message) => {
    const attempt = loadLpips(file(shapes), { backbone });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toSatisfy((error) => MetricWeightsError.isInstance(error) && error.code === "wrong-file");
  });

  test("learned weights of another backbone", async () => {
    const lin = file({ "lin0.model.1.weight": [1, 64, 1, 1], "lin1.model.1.weight": [1, 128, 1, 1] });
    await expect(loadLpips(formulaLookup("alexnet"), { lin })).rejects.toThrow(/got LPIPS's learned weights for VGG16/);
  });

  test("an unknown backbone", async () => {
    await expect(loadLpips(formulaLookup("alexnet"), { backbone: "resnet" as never })).rejects.toThrow(
      /expected backbone alex, vgg, squeeze, got "resnet"/,
    );
  });
});
