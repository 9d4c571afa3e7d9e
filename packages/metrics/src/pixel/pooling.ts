import type { Planes } from "./planes.js";

/** Means of squares of `factor` × `factor` pixels; what is left over at the right and below is dropped. */
export function averagePooled({ channels, height, width, data }: Planes, factor: number): Planes {
  const [down, across] = [Math.floor(height / factor), Math.floor(width / factor)];
  const pooled = new Float64Array(channels * down * across);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < down; row++) {
      for (let column = 0; column < across; column++) {
        let sum = 0;
        for (let y = 0; y < factor; y++) {
          const from = (channel * height + row * factor + y) * width + column * factor;
          for (let x = 0; x < factor; x++) sum += data[from + x]!;
        }
        pooled[(channel * down + row) * across + column] = sum / (factor * factor);
      }
    }
  }
  return { channels, height: down, width: across, data: pooled };
}

/** The planes with their first row and first column once more. */
export function repeatedEdge({ channels, height, width, data }: Planes): Planes {
  const size = { height: height + 1, width: width + 1 };
  const values = new Float64Array(channels * size.height * size.width);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < size.height; row++) {
      const from = (channel * height + Math.max(0, row - 1)) * width;
      const to = (channel * size.height + row) * size.width;
      values[to] = data[from]!;
      values.set(data.subarray(from, from + width), to + 1);
    }
  }
  return { channels, ...size, data: values };
}
