import { readFile } from "node:fs/promises";
import type { Image } from "@refadgen/image";
import { expect, test } from "vitest";
import { clipImageTensor, clipPreprocessing, parsePreprocessorConfig } from "./preprocessing.js";

interface RecordedCase {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly settings: object;
  readonly length: number;
  readonly every: number;
  readonly values: number[];
}

/** Pixels that follow from a text, as the recording script drew them: FNV-1a of the text, then a hash of the counter. */
function drawnImage({ name, height, width }: RecordedCase): Image {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => {
    let x = (seed + Math.imul(index, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) >>> 24;
  });
  return { width, height, channels: 3, data };
}

const cases: RecordedCase[] = JSON.parse(await readFile(new URL("../fixtures/preprocessing.json", import.meta.url), "utf8"));

test.each(cases)("as transformers' slow CLIPImageProcessor: $name", (recorded) => {
  const tensor = clipImageTensor(drawnImage(recorded), parsePreprocessorConfig(recorded.settings));
  expect(tensor.length).toBe(recorded.length);
  const worst = recorded.values.reduce((most, value, index) => Math.max(most, Math.abs(tensor[index * recorded.every]! - value)), 0);
  expect(worst).toBeLessThanOrEqual(1e-6 * Math.max(1, ...recorded.values.map(Math.abs)));
});

test("a published file is the default; grey and alpha become RGB", () => {
  const published = {
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_processor_type: "CLIPImageProcessor",
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 224 },
  };
  expect(parsePreprocessorConfig(published)).toEqual(clipPreprocessing);
  expect(parsePreprocessorConfig({ size: 224, crop_size: 224, feature_extractor_type: "CLIPFeatureExtractor" })).toEqual(clipPreprocessing);
  const [grey, rgba] = [
    { width: 2, height: 3, channels: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    { width: 2, height: 3, channels: 4, data: Uint8Array.from([1, 2, 3, 4, 5, 6].flatMap((value) => [value, value, value, 77])) },
  ] as const;
  expect(clipImageTensor(grey)).toEqual(clipImageTensor(rgba));
  expect(() => clipImageTensor(grey, { ...clipPreprocessing, do_convert_rgb: false })).toThrow(
    "expected 3 channels where do_convert_rgb is false, got 1",
  );
  expect(() => clipImageTensor(rgba, { ...clipPreprocessing, resample: 6 })).toThrow("expected resample from 0 to 5, got 6");
});

test.each([
  [null, "expected an object, got null"],
  [{ image_processor_type: "ViTImageProcessor" }, 'expected CLIPImageProcessor, got "ViTImageProcessor"'],
  [{ size: { longest_edge: 5 } }, 'expected size to be a short side, or width and height, got {"longest_edge":5}'],
  [{ crop_size: { height: 5 } }, "expected crop_size to be a side, or width and height"],
  [{ size: 0 }, "expected size to be"],
  [{ resample: "bicubic" }, 'expected resample to be 0 to 5, got "bicubic"'],
  [{ do_resize: 1 }, "expected do_resize to be true or false, got 1"],
  [{ image_mean: [0, 1] }, "expected image_mean to be three numbers, got [0,1]"],
  [{ rescale_factor: "1/255" }, "expected rescale_factor to be a number"],
])("refuses %j", (json, message) => {
  expect(() => parsePreprocessorConfig(json)).toThrow(message);
});
