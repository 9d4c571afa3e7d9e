/** sRGB, 0 to 1, as linear light. IEC 61966-2-1. */
export function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** Linear light as sRGB; clipped to 0 to 1. */
export function toSrgb(linear: number): number {
  if (!(linear > 0)) return 0;
  if (linear >= 1) return 1;
  return linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** The linear light of each of the 256 levels. */
export const linearOfByte: Float32Array = Float32Array.from({ length: 256 }, (_, level) => toLinear(level / 255));

/** Steps of `byteOfLinear`: fine enough for a fifth of a level where the curve is steepest. */
export const linearSteps = 16_384;

/** Levels of linear light in steps of 1 / `linearSteps`, nearest. */
export const byteOfLinear: Uint8Array = Uint8Array.from({ length: linearSteps + 1 }, (_, step) => Math.floor(toSrgb(step / linearSteps) * 255 + 0.5));
