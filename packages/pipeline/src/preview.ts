import type { Image } from "@refadgen/image";

/**
 * How much red, green and blue each latent channel of Stable Diffusion 1.x stands for, by least squares against decoded images;
 * the factors that interfaces commonly use.
 */
const factors = [
  [0.3512, 0.2297, 0.3227],
  [0.325, 0.4974, 0.235],
  [-0.2829, 0.1762, 0.2721],
  [-0.212, -0.2616, -0.7177],
] as const;

/**
 * A rough picture of latents, one pixel per latent: a weighted sum of the channels, without the decoder.
 *
 * @param latents `[4, h, w]`, scaled as the U-Net sees them
 */
export function previewLatents(latents: Float32Array, { width, height }: { readonly width: number; readonly height: number }): Image {
  const data = new Uint8Array(width * height * 3);
  const area = width * height;
  for (let pixel = 0; pixel < area; pixel++) {
    for (let color = 0; color < 3; color++) {
      let sum = 0;
      for (let channel = 0; channel < 4; channel++) sum += latents[channel * area + pixel]! * factors[channel]![color]!;
      data[pixel * 3 + color] = Math.min(255, Math.max(0, Math.round((sum / 2 + 0.5) * 255)));
    }
  }
  return { width, height, channels: 3, data };
}
