import { anisotropicBlur, defocusBlur, gaussianBlur, jpegCompression, motionBlur, rescale } from "@refadgen/augment";
import { type Image, type ResizeFilter, resizeImage } from "@refadgen/image";
import type { Random } from "../random.js";
import type { MiniMask } from "../triplet.js";
import type { Change, FaultStyle } from "./truth.js";

/** Out of focus, shaken, or both. */
export function blurred(image: Image, style: FaultStyle<"blur">, strength: number, random: Random): Change {
  const shorter = Math.min(image.width, image.height);
  // At least one and a half pixels: less is no blur in a small picture.
  const radius = Math.max(1.5, shorter * (0.012 + 0.026 * strength));
  const degrees = random.between(0, 180);
  switch (style) {
    case "defocus":
      return { image: defocusBlur(image, { radius }), local: false, details: { radius } };
    case "motion": {
      const length = Math.max(5, radius * 4);
      return { image: motionBlur(image, { length, degrees }), local: false, details: { length, degrees } };
    }
    case "anisotropic": {
      const [sigmaAlong, sigmaAcross] = [radius * 1.4, radius * random.between(0.4, 0.7)];
      return { image: anisotropicBlur(image, { sigmaAlong, sigmaAcross, degrees }), local: false, details: { sigmaAlong, sigmaAcross, degrees } };
    }
    case "gaussian": {
      const sigma = radius * 0.7;
      return { image: gaussianBlur(image, { sigma }), local: false, details: { sigma } };
    }
  }
}

/** A thumbnail, as it is or enlarged again. */
export function lowResolution(image: Image, mask: MiniMask, style: FaultStyle<"low-resolution">, strength: number, random: Random): Change {
  const { width, height } = image;
  const shorter = Math.min(width, height);
  if (style === "small") {
    // Short side of 63 down to 24 pixels.
    const factor = (63 - 39 * strength) / shorter;
    const size = { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
    const grey = resizeImage({ width, height, channels: 1, data: mask.data.map((value) => 255 * value) }, size, { filter: "box" });
    const small: MiniMask = { ...size, data: Uint8Array.from(grey.data, (value) => (value >= 128 ? 1 : 0)) };
    return { image: resizeImage(image, size, { filter: "lanczos" }), mask: small, local: false, details: { ...size } };
  }
  const factor = Math.min(1 / (3 + 3 * strength), (120 - 70 * strength) / shorter);
  const down = random.pick(["area", "bilinear", "bicubic", "lanczos"] as const);
  const up = random.pick(["nearest", "bilinear", "bicubic", "lanczos"] as const satisfies readonly ResizeFilter[]);
  return { image: rescale(image, { factor, down, up }), local: false, details: { factor, down, up } };
}

/** Too little light, with the noise that comes with it; at night also blue. */
export function dark(image: Image, style: FaultStyle<"dark">, strength: number, random: Random): Change {
  // Of 0.11 of the light to 0.015.
  const gain = 0.11 * (0.015 / 0.11) ** strength;
  const tint = style === "night" ? [0.75, 0.9, 1.25] : [1, 1, 1];
  const noise = random.between(0.002, 0.006);
  const draw = random.fork("noise");
  const levels = image.data.map((level, index) => {
    const light = (level / 255) ** 2.2 * gain * tint[index % 3]!;
    const caught = light + draw.normal() * noise * Math.sqrt(light + 1e-4);
    return Math.round(255 * Math.min(1, Math.max(0, caught)) ** (1 / 2.2));
  });
  return { image: { ...image, data: levels }, local: false, details: { gain, noise } };
}

/** Blocks and rings of strong compression. */
export async function compressed(image: Image, style: FaultStyle<"jpeg">, strength: number, random: Random): Promise<Change> {
  const quality = Math.round(20 - 17 * strength);
  const times = style === "saved-often" ? random.integer(3, 6) : 1;
  return { image: await jpegCompression(image, { quality, times }), local: false, details: { quality, times } };
}
