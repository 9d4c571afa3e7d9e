import { rm } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, describe, expect, it } from "vitest";
import type { Detector, Segmenter } from "../contract.js";
import { maskArea, maskIoU } from "../mask/mask.js";
import { type SceneOptions, scene } from "../scene.test.support.js";
import { backgroundRemovalExtractor } from "./background-removal.js";
import { extractEach, groundedExtractor } from "./grounded.js";
import { groundingDino } from "./grounding-dino.js";
import { tinyBackgroundRemoval, tinyGroundingDino, tinySam2 } from "./models.test.support.js";
import { sam2, segmentsOf } from "./sam2.js";

const redBox: SceneOptions = {
  width: 180,
  height: 120,
  background: `<rect width="100%" height="100%" fill="#6080b0"/><circle cx="30" cy="90" r="20" fill="#40a050"/>`,
  product: (paint) => `<rect x="96" y="24" width="48" height="72" fill="${paint("#d02010")}"/>`,
};
const box = { left: 96, top: 24, width: 48, height: 72 };

const made: string[] = [];
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));
const kept = async (path: Promise<string>) => {
  made.push(await path);
  return made.at(-1)!;
};
const dino = async () => groundingDino({ model: await kept(tinyGroundingDino({ height: 71, width: 107 }, 5)), offline: true });

describe("Grounding DINO and SAM 2", () => {
  it("gives boxes in pixels, in the model's order, with the words they stand for", async () => {
    const { image } = await scene(redBox);
    const detector = await dino();
    const found = await detector.detect(image, " Red box.");
    expect(found.map(({ label }) => label)).toEqual(["red box", "red box", "red box"]);
    expect(found.map(({ score }) => Number(score.toFixed(3)))).toEqual([0.4, 0.8, 0.6]);
    // Preprocessing blurs edges by a pixel of its 107 × 71.
    for (const side of ["left", "top", "width", "height"] as const) expect(Math.abs(found[1]!.box[side] - box[side])).toBeLessThan(1.5);
    expect(found[0]!.box).toEqual({ left: 0, top: 0, width: 180, height: 120 });
    await detector.dispose!();
  });

  it("thresholds boxes and words", async () => {
    const { image } = await scene(redBox);
    const model = await kept(tinyGroundingDino({ height: 71, width: 107 }, 5));
    const strict = groundingDino({ model, boxThreshold: 0.7, textThreshold: 0.9 });
    expect((await strict.detect(image, "red box")).map(({ label }) => label)).toEqual([""]);
    await strict.dispose!();
  });

  it("segments in boxes of the picture's own pixels", async () => {
    const { image, mask } = await scene(redBox);
    const segmenter = sam2({ model: await kept(tinySam2(2)) });
    const [whole, part] = await segmenter.segment(image, [box, { left: 0, top: 0, width: 120, height: 120 }]);
    expect(maskIoU(whole!.mask, mask)).toBeGreaterThan(0.97);
    expect(maskArea(part!.mask) / maskArea(mask)).toBeCloseTo(0.5, 1);
    expect([whole!.quality, whole!.stability > 0.95]).toEqual([expect.closeTo(0.9), true]);
    expect(await segmenter.segment(image, [])).toEqual([]);
    await segmenter.dispose!();
  });

  it("extract together", async () => {
    const { image, mask } = await scene(redBox);
    const extractor = groundedExtractor({ detector: await dino(), segmenter: sam2({ model: await kept(tinySam2(1)) }) });
    const found = await extractor.extract(image, { category: "red box" });
    expect(maskIoU(found.mask, mask)).toBeGreaterThan(0.95); // the detector's box cuts off a row
    // The third box is the second one again.
    expect(found.detections!.map(({ score, chosen }) => [Number(score.toFixed(1)), chosen])).toEqual([
      [0.8, true],
      [0.4, false],
    ]);
    expect(found.reasons.map(({ code }) => code)).toEqual(["several-products"]);
    await extractor.dispose!();
  });

  it("says what is missing", async () => {
    const { image } = await scene(redBox);
    await expect(groundingDino({ model: "/nowhere/at/all", offline: true }).detect(image, "pen")).rejects.toMatchObject({ code: "model" });
    await expect(sam2({ model: await dino().then(() => made.at(-1)!) }).segment(image, [box])).rejects.toMatchObject({ code: "model" });
  });

  it.each([{ boxThreshold: 1.5 }, { textThreshold: -1 }, { device: "tpu" as "cpu" }, { dtype: "fp64" as "fp32" }])("refuses %o", (options) => {
    expect(() => groundingDino(options)).toThrow(ArgumentError);
  });

  it("refuses an empty prompt", async () => {
    const { image } = await scene(redBox);
    await expect(groundingDino().detect(image, " . ")).rejects.toThrow(ArgumentError);
  });
});

describe("segmentsOf", () => {
  const plane = (value: number) => Array(4).fill(value) as number[];
  const outputs = (masks: number[][], scores: number[]) => ({
    pred_masks: { dims: [1, 1, masks.length, 2, 2], data: masks.flat() },
    iou_scores: { dims: [1, 1, scores.length], data: scores },
  });

  it("takes the single-mask token while it is stable, as published", () => {
    const [segment] = segmentsOf(outputs([plane(5), plane(5), [5, 5, -5, -5], plane(-5)], [0.2, 0.3, 0.9, 0.1]), { width: 2, height: 2 });
    expect([maskArea(segment!.mask), segment!.stability]).toEqual([4, 1]);
  });

  it("else the best of the other three", () => {
    const [segment] = segmentsOf(outputs([[5, 5, 0.01, 5], plane(5), [5, 5, -5, -5], plane(-5)], [0.95, 0.3, 0.9, 0.1]), { width: 2, height: 2 });
    expect([maskArea(segment!.mask), segment!.quality]).toEqual([2, 0.9]);
  });

  it("refuses what is no such output", () => {
    expect(() => segmentsOf(outputs([plane(1)], [1, 2]), { width: 2, height: 2 })).toThrow("expected masks [1, N, M, h, w]");
  });
});

describe("groundedExtractor", () => {
  const detections = [
    { box: { left: 0, top: 0, width: 2, height: 2 }, score: 0.4, label: "pen" },
    { box: { left: 4, top: 0, width: 4, height: 4 }, score: 0.6, label: "pen" },
    { box: { left: 4, top: 0, width: 4, height: 4 }, score: 0.5, label: "pen" },
    { box: { left: 0, top: 6, width: 0.5, height: 2 }, score: 0.9, label: "pen" },
    { box: { left: 0, top: 4, width: 3, height: 3 }, score: 0.7, label: "pen" },
  ];
  const detector: Detector = { name: "boxes", detect: async () => detections };
  const segmenter: Segmenter = {
    name: "fill",
    segment: async ({ width, height }, boxes) =>
      boxes.map(({ left, top, width: wide, height: high }) => {
        const data = Uint8Array.from({ length: width * height }, (_, index) => {
          const [x, y] = [index % width, Math.floor(index / width)];
          return x >= left && x < left + wide && y >= top && y < top + high ? 1 : 0;
        });
        return { mask: { width, height, data }, quality: 0.9, stability: 1 };
      }),
  };
  const image = { width: 9, height: 8, channels: 1, data: new Uint8Array(72) } as const;

  it.each([
    ["best", [0.7], 9],
    ["first", [0.4], 4],
    ["largest", [0.6], 16],
    ["all", [0.7, 0.6, 0.4], 29],
  ] as const)("chooses %s", async (choice, scores, area) => {
    const found = await groundedExtractor({ detector, segmenter, choice, feather: 0 }).extract(image, { category: "pen" });
    expect(found.detections!.filter(({ chosen }) => chosen).map(({ score }) => score)).toEqual(scores);
    expect(maskArea(found.mask)).toBe(area);
  });

  it("gives several products one by one", async () => {
    const each = await extractEach(image, { detector, segmenter, category: "pen" });
    expect(each.map(({ mask }) => maskArea(mask))).toEqual([9, 16, 4]);
  });

  it("says that nothing was found", async () => {
    const empty: Detector = { name: "none", detect: async () => [] };
    const found = await groundedExtractor({ detector: empty, segmenter }).extract(image, { category: "pen" });
    expect([found.score, found.reasons, maskArea(found.mask)]).toEqual([0, [{ code: "nothing-found", message: 'the detector found no "pen".' }], 0]);
  });

  it("needs a category", async () => {
    await expect(groundedExtractor({ detector, segmenter }).extract(image)).rejects.toThrow(ArgumentError);
  });
});

describe("backgroundRemovalExtractor", () => {
  it.each(["matte", "logits"] as const)("takes a model that gives a %s", async (output) => {
    const { image, mask } = await scene(redBox);
    const extractor = backgroundRemovalExtractor({ model: await kept(tinyBackgroundRemoval(output)) });
    const found = await extractor.extract(image);
    expect(maskIoU(found.mask, mask)).toBeGreaterThan(0.95);
    expect(found.score).toBeGreaterThan(0.8);
    await extractor.dispose!();
  });
});
