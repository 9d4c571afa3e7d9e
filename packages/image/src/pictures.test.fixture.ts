import type { Channels, Image } from "./index.js";

/** The pictures of `fixtures/record-pillow.py`: noise, with much of the alpha at 0 and 255. */
export function picture(width: number, height: number, channels: Channels, seed: number): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
  if (channels === 2 || channels === 4) {
    for (let i = channels - 1; i < data.length; i += channels) data[i] = data[i]! < 80 ? 0 : data[i]! > 170 ? 255 : data[i]!;
  }
  return { width, height, channels, data };
}

/** A picture with smooth colours, for lossy formats. */
export function gradient(width: number, height: number, channels: Channels): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    const x = (pixel % width) / width;
    const y = Math.floor(pixel / width) / height;
    return Math.round([200 * x, 200 * y, 100 + 100 * x * y, 255 * (1 - x)][i % channels]! + 20);
  }).map((value) => Math.min(value, 255));
  return { width, height, channels, data };
}
