import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inception, InceptionInput, InceptionLevel } from "../contract.js";
import { fixtureImage, formulaFile, formulaLookup, noise, recorded, useOwnCache, worst } from "../recorded.test-support.js";
import { inceptionTensor } from "./input.js";
import { loadInception } from "./load.js";

useOwnCache();

let inception: Inception;
beforeAll(async () => {
  inception = await loadInception(formulaLookup("fid", { gain: 1.625 }), { optimization: "mapped" });
});
afterAll(() => inception.dispose());

describe("features of a small picture as the packages have them", () => {
  const recipes: Readonly<Record<string, InceptionInput>> = {
    "pytorch-fid": "pytorch-fid",
    "torch-fidelity": "torch-fidelity",
    "torchmetrics-antialias": "torchmetrics",
    clean: "clean-fid",
  };
  test.each(Object.entries(recipes))("%s", async (name, input) => {
    const values = await recorded("fid-small.safetensors");
    const levels = [64, 192, 768, 2048, ...(values.has(`${name}.logits_unbiased`) ? ["logits_unbiased" as const] : [])] as InceptionLevel[];
    const features = await inception.features([await fixtureImage("images/fid-small.png")], { input, levels });
    expect([...features.keys()]).toEqual(levels);
    for (const level of levels) {
      const expected = values.get(`${name}.${level}`)!;
      const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
      const deviation = Math.sqrt(expected.reduce((sum, value) => sum + (value - mean) ** 2, 0) / expected.length);
      expect(worst(features.get(level)!.data, expected), String(level)).toBeLessThan(1e-4 * deviation);
    }
  });
});

test("a tensor gives what its picture gives; logits differ from those without bias by the bias", async () => {
  const picture = noise(70, 50);
  const [viaPicture, viaTensor] = [
    await inception.features([picture], { input: "torch-fidelity", levels: ["logits", "logits_unbiased", 64] }),
    await inception.tensorFeatures({ dtype: "float32", dims: [1, 3, 299, 299], data: inceptionTensor(picture, "torch-fidelity") }, { levels: [64] }),
  ];
  expect(worst(viaTensor.get(64)!.data, viaPicture.get(64)!.data)).toBeLessThan(1e-5);
  const bias = await formulaLookup("fid").tensor("fc.bias", [1008])!.read();
  const expected = new Float32Array(bias.buffer).map((value, index) => value + viaPicture.get("logits_unbiased")!.data[index]!);
  expect(worst(viaPicture.get("logits")!.data, expected)).toBeLessThan(1e-5);
});

test("wrong arguments are refused before anything is computed", async () => {
  await expect(inception.features([], { input: "pytorch-fid" })).rejects.toThrow(/at least one picture/);
  await expect(inception.features([noise(9, 9)], { input: "tensorflow" as never })).rejects.toThrow(
    /expected input pytorch-fid, .* got "tensorflow"/,
  );
  await expect(inception.features([noise(9, 9)], { input: "pytorch-fid", levels: [512 as never] })).rejects.toThrow(/expected levels/);
  await expect(inception.tensorFeatures({ dtype: "float32", dims: [1, 3, 224, 224], data: new Float32Array(3 * 224 * 224) })).rejects.toThrow(/299/);
});

test("torchvision's ImageNet weights are refused by name", async () => {
  const shapes = { "Conv2d_1a_3x3.conv.weight": [32, 3, 3, 3], "fc.weight": [1000, 2048] };
  await expect(loadInception(formulaFile("x", shapes))).rejects.toThrow(
    /expected the weights of FID's Inception.*got torchvision's inception_v3 for ImageNet/,
  );
});
