import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  centerCrop,
  clipNormalization,
  decodeWithMode,
  type Image,
  imageToTensor,
  maxFilter,
  pillowFilter,
  type ResizeFilter,
  resizeFloatImage,
  resizeImage,
  resizeTensor,
  type TensorResizeMethod,
  toFloatImage,
  toGrey,
  toRgb,
  torchvisionResize,
} from "./index.js";

// Recorded from Pillow 13.0.0, torchvision 0.29.2, transformers 4.57.1 and PyTorch 2.15.0, as the settings in the file say.
interface Recorded {
  readonly name: string;
  readonly kind: string;
  readonly image: string;
  readonly filter: ResizeFilter;
  readonly size: readonly [number, number] & number;
  readonly to: string;
  readonly threshold: number;
  readonly n: number;
  readonly order: string;
  readonly method: TensorResizeMethod;
  readonly sample_every?: number;
}

const folder = new URL("../fixtures/preprocessing/", import.meta.url);
const bytes = readFileSync(new URL("preprocessing.safetensors", folder));
const headerLength = Number(bytes.readBigUInt64LE());
const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength));
const cases: readonly Recorded[] = JSON.parse(header.__metadata__.settings).cases;

function recordedValues(name: string): Uint8Array | Float32Array {
  const { dtype, data_offsets } = header[name];
  const values = Uint8Array.from(bytes.subarray(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]));
  return dtype === "U8" ? values : new Float32Array(values.buffer);
}

async function answer({ kind, image: file, filter, size, to, threshold, n, order, method, sample_every }: Recorded): Promise<ArrayLike<number>> {
  const { image, mode, palette } = await decodeWithMode(fileURLToPath(new URL(file, folder)));
  const planes = (cropped: Image) => imageToTensor(cropped, clipNormalization);
  switch (kind) {
    case "pil-resize": {
      const resized = resizeImage(image, { width: size[0], height: size[1] }, { filter: pillowFilter(mode, filter) });
      return mode === "P" ? indices(resized, palette!) : resized.data;
    }
    case "pil-resize-float":
      return resizeFloatImage(toFloatImage(image), { width: size[0], height: size[1] }, { filter }).data;
    case "convert":
      return (to === "RGB" ? toRgb(image) : toGrey(image)).data;
    case "max-filter":
      return maxFilter({ ...image, data: image.data.map((value) => (value > threshold ? 255 : 0)) }, size).data;
    case "torchvision-resize-crop":
      return centerCrop(torchvisionResize(image, n, { filter }), { width: n, height: n }).data;
    case "clip-image-processor":
      return centerCrop(torchvisionResize(image, n, { filter }), { width: n, height: n }, { rounding: "floor" }).data;
    case "center-crop":
      return centerCrop(image, { height: size[0], width: size[1] }).data;
    case "clip-transform": {
      const square = { width: n, height: n };
      return order.startsWith("RGB")
        ? planes(centerCrop(torchvisionResize(toRgb(image), n), square))
        : planes(toRgb(centerCrop(torchvisionResize(image, n, { filter: pillowFilter(mode, "bicubic") }), square)));
    }
    case "clip-image-processor-default":
      return planes(centerCrop(torchvisionResize(image, 224), { width: 224, height: 224 }, { rounding: "floor" })).filter(
        (_, i) => i % sample_every! === 0,
      );
    case "tensor-resize":
      return resizeTensor(imageToTensor(image, { scale: 1 }), [3, image.height, image.width], { width: size[0], height: size[1] }, { method });
    default:
      throw new Error(`unknown kind ${kind}`);
  }
}

/** The palette index of every pixel; the fixture's palette has no colour twice. */
function indices({ data }: Image, palette: Uint8Array): Uint8Array {
  const colours = new Map<string, number>();
  for (let i = 0; i < palette.length / 3; i++) colours.set(palette.subarray(i * 3, i * 3 + 3).join(), i);
  return Uint8Array.from({ length: data.length / 3 }, (_, i) => colours.get(data.subarray(i * 3, i * 3 + 3).join()) ?? 255);
}

const tolerances: Readonly<Record<string, number>> = {
  "pil-resize-float": 1e-4,
  "clip-transform": 1e-6,
  "clip-image-processor-default": 1e-6,
  "tensor-resize": 2e-3,
};

describe("recorded preprocessing", () => {
  it.each(cases.map((recorded) => [recorded.name, recorded] as const))("%s", async (name, recorded) => {
    const expected = recordedValues(name);
    const got = await answer(recorded);
    expect(got.length).toBeGreaterThanOrEqual(expected.length);
    const tolerance = tolerances[recorded.kind] ?? 0;
    let worst = 0;
    for (const [i, value] of expected.entries()) worst = Math.max(worst, Math.abs(got[i]! - value));
    expect(worst).toBeLessThanOrEqual(tolerance);
    expect(Number.isNaN(worst)).toBe(false);
  });
});
