import type { Image } from "@refadgen/image";
import { describe, expect, test } from "vitest";
import { augment, drawSteps, replay } from "./apply.js";
import { dualAugmentation } from "./dual-augmentation.js";
import { compose, degradation, inRandomOrder, oneOf, parseRecipe, someOf } from "./transform.js";
import { uploadRecipe } from "./upload-recipe.js";

const size = { width: 48, height: 36 };
const image: Image = { ...size, channels: 3, data: Uint8Array.from({ length: 48 * 36 * 3 }, (_, i) => (i * 37) % 251) };
const mask: Image = { ...size, channels: 1, data: Uint8Array.from({ length: 48 * 36 }, (_, i) => (i % 48 > 10 && i % 48 < 38 ? 255 : 0)) };

describe("recipes", () => {
  test("probabilities and picks come out as often as they say", () => {
    const recipe = compose([
      degradation("gamma", { probability: 0.25 }),
      oneOf([degradation("jpeg", { probability: 3 / 4 }), degradation("webp", { probability: 1 / 4 })]),
    ]);
    const counts = { gamma: 0, jpeg: 0, webp: 0 };
    const draws = 2000;
    for (let variant = 0; variant < draws; variant++) {
      const steps = drawSteps(recipe, { seed: 1, variant }, size);
      for (const { name } of steps) counts[name as keyof typeof counts]++;
      expect(steps.filter(({ name }) => name !== "gamma").length).toBe(1);
    }
    expect(Math.abs(counts.gamma / draws - 0.25)).toBeLessThan(0.04);
    expect(Math.abs(counts.jpeg / draws - 0.75)).toBeLessThan(0.04);
  });

  test("steps added behind others change nothing of theirs", () => {
    const [first, second] = [degradation("gaussian-noise"), degradation("perspective")];
    const short = drawSteps(compose([first]), { seed: 5, item: "a" }, size);
    expect(drawSteps(compose([first, second]), { seed: 5, item: "a" }, size)[0]).toEqual(short[0]);
    expect(drawSteps(compose([first]), { seed: 5, item: "b" }, size)[0]).not.toEqual(short[0]);
  });

  test("someOf picks different ones, inRandomOrder all of them", () => {
    const three = [degradation("gamma"), degradation("contrast"), degradation("exposure")];
    for (let variant = 0; variant < 20; variant++) {
      expect(new Set(drawSteps(someOf(2, three), { seed: 1, variant }, size).map(({ name }) => name)).size).toBe(2);
      expect(new Set(drawSteps(inRandomOrder(three), { seed: 1, variant }, size).map(({ name }) => name)).size).toBe(3);
    }
  });

  test("a record as JSON gives the same pixels, a recipe as JSON the same record", async () => {
    for (let variant = 0; variant < 4; variant++) {
      const key = { seed: "s", item: "p", variant };
      const { sample, record } = await augment({ image, mask }, uploadRecipe({ strength: 3 }), key);
      expect(await replay({ image, mask }, JSON.parse(JSON.stringify(record)))).toEqual(sample);
      const again = await augment({ image, mask }, parseRecipe(JSON.stringify(uploadRecipe({ strength: 3 }))), key);
      expect(again.record).toEqual(record);
    }
  });

  test("refuses what is no recipe or no record of this picture", async () => {
    expect(() => parseRecipe("{")).toThrow("expected JSON");
    expect(() => parseRecipe('{"kind":"compose","probability":1,"shuffled":false,"transforms":[{"kind":"x","probability":1}]}')).toThrow(
      "recipe.0: expected kind",
    );
    expect(() => degradation("gamma", { probability: Number.NaN })).toThrow("probability");
    expect(() => oneOf([])).toThrow("count");
    await expect(replay({ image, mask }, { version: 1, width: 3, height: 3, steps: [] })).rejects.toThrow("expected a picture of 3 × 3");
  });
});

describe("dualAugmentation", () => {
  test("degraded variants do not depend on how many there are", async () => {
    const collect = async (variants: number) => {
      const list = [];
      for await (const variant of dualAugmentation({ id: "p", image, mask }, { seed: 1, variants, views: 0 })) list.push(variant);
      return list;
    };
    const [two, three] = [await collect(2), await collect(3)];
    expect(three.slice(0, 2)).toEqual(two);
    expect(three.map(({ suffix }) => suffix)).toEqual(["_00", "_01", "_02"]);
  });

  test("stops when asked; views need a mask", async () => {
    const abort = new AbortController();
    const variants = dualAugmentation({ id: "p", image, mask }, { seed: 1, views: 0, signal: abort.signal });
    await variants.next();
    abort.abort(new Error("enough"));
    await expect(variants.next()).rejects.toThrow("enough");
    await expect(dualAugmentation({ id: "p", image }, { seed: 1 }).next()).rejects.toThrow("expected an item with a mask");
  });
});
