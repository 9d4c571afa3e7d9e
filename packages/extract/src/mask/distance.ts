import type { Mask } from "./mask.js";

/**
 * The squared Euclidean distance of every pixel to the nearest pixel that has `value`; Infinity where there is none.
 * Exact, in time linear in the pixels (Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012).
 */
export function squaredDistance({ width, height, data }: Mask, value: 0 | 1): Float64Array {
  const field = Float64Array.from(data, (pixel) => (pixel === value ? 0 : Number.POSITIVE_INFINITY));
  const longest = Math.max(width, height);
  const line = new Float64Array(longest);
  const vertices = new Int32Array(longest);
  const bounds = new Float64Array(longest + 1);
  const pass = (start: number, stride: number, length: number) => {
    for (let index = 0; index < length; index++) line[index] = field[start + index * stride]!;
    let count = 0; // parabolas of the lower envelope
    for (let index = 0; index < length; index++) {
      if (line[index] === Number.POSITIVE_INFINITY) continue;
      let bound = Number.NEGATIVE_INFINITY;
      while (count > 0) {
        const vertex = vertices[count - 1]!;
        bound = (line[index]! + index * index - (line[vertex]! + vertex * vertex)) / (2 * (index - vertex));
        if (bound > bounds[count - 1]!) break;
        count--;
        bound = Number.NEGATIVE_INFINITY;
      }
      vertices[count] = index;
      bounds[count++] = bound;
    }
    if (count === 0) return;
    let current = 0;
    for (let index = 0; index < length; index++) {
      while (current + 1 < count && bounds[current + 1]! < index) current++;
      const vertex = vertices[current]!;
      field[start + index * stride] = (index - vertex) ** 2 + line[vertex]!;
    }
  };
  for (let x = 0; x < width; x++) pass(x, width, height);
  for (let y = 0; y < height; y++) pass(y * width, 1, width);
  return field;
}
