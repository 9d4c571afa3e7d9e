import { jpegCompression } from "@refadgen/augment";
import { cropImage, encodeImage, type Image, loadImage, type ResizeFilter, resizeImage } from "@refadgen/image";
import type { Random } from "../random.js";
import type { MiniMask } from "../triplet.js";
import type { Change, FaultStyle } from "./truth.js";

/** The same picture once more, as it comes back from other sites. */
export async function duplicated(image: Image, mask: MiniMask, style: FaultStyle<"duplicate">, strength: number, random: Random): Promise<Change> {
  const { width, height } = image;
  switch (style) {
    case "exact":
      return { image, mask, local: false, details: {} };
    case "re-encoded": {
      const quality = Math.round(92 - 32 * strength);
      if (random.chance(0.35)) {
        const bytes = await encodeImage(image, { format: "webp", quality });
        return { image: await loadImage(bytes), mask, local: false, file: { bytes, extension: "webp" }, details: { format: "webp", quality } };
      }
      const bytes = await encodeImage(image, { format: "jpeg", quality, chromaSubsampling: "4:2:0" });
      return {
        image: await jpegCompression(image, { quality }),
        mask,
        local: false,
        file: { bytes, extension: "jpg" },
        details: { format: "jpeg", quality },
      };
    }
    case "resized": {
      const factor = random.chance(0.6) ? random.between(0.9 - 0.35 * strength, 0.95) : random.between(1.1, 1.3 + 0.4 * strength);
      const size = { width: Math.round(width * factor), height: Math.round(height * factor) };
      const filter: ResizeFilter = random.pick(["bilinear", "bicubic", "lanczos"]);
      return { image: resizeImage(image, size, { filter }), mask: maskIn(mask, size), local: false, details: { ...size, filter } };
    }
    case "cropped": {
      // Up to a twelfth of each side, and at least one pixel.
      const cut = (side: number) => Math.max(1, Math.round(side * random.between(0.005, 0.015 + 0.03 * strength)));
      const [left, top] = [cut(width), cut(height)];
      const box = { left, top, width: width - left - cut(width), height: height - top - cut(height) };
      return { image: cropImage(image, box), mask: cropped(mask, box), local: false, details: { ...box } };
    }
    case "mirrored":
      return { image: mirroredImage(image), mask: mirroredMask(mask), local: false, details: {} };
    case "brightness": {
      const factor = random.chance(0.5) ? 1 + random.between(0.06, 0.1 + 0.2 * strength) : 1 - random.between(0.06, 0.1 + 0.2 * strength);
      return {
        image: { ...image, data: image.data.map((level) => Math.min(255, Math.round(level * factor))) },
        mask,
        local: false,
        details: { factor },
      };
    }
  }
}

function maskIn({ width, height, data }: MiniMask, size: { readonly width: number; readonly height: number }): MiniMask {
  const grey = resizeImage({ width, height, channels: 1, data: data.map((value) => 255 * value) }, size, { filter: "bilinear" });
  return { ...size, data: Uint8Array.from(grey.data, (value) => (value >= 128 ? 1 : 0)) };
}

function cropped(
  { width, data }: MiniMask,
  box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
): MiniMask {
  const out = new Uint8Array(box.width * box.height);
  for (let y = 0; y < box.height; y++)
    out.set(data.subarray((box.top + y) * width + box.left, (box.top + y) * width + box.left + box.width), y * box.width);
  return { width: box.width, height: box.height, data: out };
}

function mirroredImage({ width, height, channels, data }: Image): Image {
  return { width, height, channels, data: mirroredRows(data, width, height, channels) };
}

function mirroredMask({ width, height, data }: MiniMask): MiniMask {
  return { width, height, data: mirroredRows(data, width, height, 1) };
}

function mirroredRows(data: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++)
        out[(y * width + x) * channels + channel] = data[(y * width + width - 1 - x) * channels + channel]!;
  return out;
}
