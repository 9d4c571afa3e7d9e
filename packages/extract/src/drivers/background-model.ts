/** A smooth colour field: each Lab channel a quadratic polynomial of the place, which follows vignettes and studio sweeps. */
export interface BackgroundModel {
  /** Writes the Lab colour expected at a pixel. */
  at(x: number, y: number, into: Float64Array): void;
  /** Spread of the samples around the field, in ΔE: 1.4826 times the median distance. */
  readonly noise: number;
  /** The share of the samples that belong to the field. */
  readonly share: number;
}

const terms = 6;
/** Samples further from the field than this in ΔE, or than three times the noise, are taken for something else. */
const outlier = 4;

/**
 * Fits the field to samples by least squares, leaving out what does not belong to it: a product that touches the border may take a third of it.
 *
 * @param lab `[H, W, 3]`
 * @param pixels where the background shows, most of the time
 */
export function fitBackground(
  lab: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  pixels: readonly number[],
): BackgroundModel {
  const basis = (x: number, y: number, into: Float64Array) => {
    const [u, v] = [(2 * x) / Math.max(1, width - 1) - 1, (2 * y) / Math.max(1, height - 1) - 1];
    into[0] = 1;
    into[1] = u;
    into[2] = v;
    into[3] = u * u;
    into[4] = u * v;
    into[5] = v * v;
  };
  const row = new Float64Array(terms);
  // The first guess is the median colour, which needs no field.
  let coefficients: Float64Array[] = [0, 1, 2].map((channel) => {
    const constant = new Float64Array(terms);
    constant[0] = median(pixels.map((pixel) => lab[pixel * 3 + channel]!));
    return constant;
  });
  const expected = (pixel: number, channel: number) => {
    basis(pixel % width, Math.floor(pixel / width), row);
    return row.reduce((sum, value, term) => sum + value * coefficients[channel]![term]!, 0);
  };
  const distances = () => pixels.map((pixel) => Math.hypot(...[0, 1, 2].map((channel) => lab[pixel * 3 + channel]! - expected(pixel, channel))));
  let found = distances();
  // Wide at first, so that a sweep's far end is not taken for something else, then narrower.
  for (const reach of [5, 3, 1.5, 1, 1]) {
    const limit = Math.max(outlier * reach, 3 * 1.4826 * median(found));
    const inliers = pixels.filter((_, index) => found[index]! <= limit);
    const fitted = solveLeastSquares(inliers, lab, width, basis);
    if (!fitted) break;
    coefficients = fitted;
    found = distances();
  }
  const noise = 1.4826 * median(found);
  const limit = Math.max(outlier, 3 * noise);
  const [first, second, third] = coefficients as [Float64Array, Float64Array, Float64Array];
  return {
    noise,
    share: found.filter((distance) => distance <= Math.min(limit, 3 * outlier)).length / found.length,
    at(x, y, into) {
      basis(x, y, row);
      let [l, a, b] = [0, 0, 0];
      for (let term = 0; term < terms; term++) {
        l += row[term]! * first[term]!;
        a += row[term]! * second[term]!;
        b += row[term]! * third[term]!;
      }
      into[0] = l;
      into[1] = a;
      into[2] = b;
    },
  };
}

/** The coefficients of the three channels; undefined when there are too few samples. */
function solveLeastSquares(
  pixels: readonly number[],
  lab: Float32Array,
  width: number,
  basis: (x: number, y: number, into: Float64Array) => void,
): Float64Array[] | undefined {
  if (pixels.length < terms * 4) return undefined;
  const row = new Float64Array(terms);
  // Normal equations, with a trace of ridge: on a picture of one row or column some terms say the same.
  const matrix = Array.from({ length: terms }, (_, index) => {
    const line = new Float64Array(terms + 3);
    line[index] = 1e-6 * pixels.length;
    return line;
  });
  for (const pixel of pixels) {
    basis(pixel % width, Math.floor(pixel / width), row);
    for (let i = 0; i < terms; i++) {
      for (let j = 0; j < terms; j++) matrix[i]![j]! += row[i]! * row[j]!;
      for (let channel = 0; channel < 3; channel++) matrix[i]![terms + channel]! += row[i]! * lab[pixel * 3 + channel]!;
    }
  }
  for (let pivot = 0; pivot < terms; pivot++) {
    const best = matrix
      .slice(pivot)
      .reduce((most, line, index) => (Math.abs(line[pivot]!) > Math.abs(matrix[most]![pivot]!) ? pivot + index : most), pivot);
    [matrix[pivot], matrix[best]] = [matrix[best]!, matrix[pivot]!];
    for (let i = 0; i < terms; i++) {
      if (i === pivot) continue;
      const factor = matrix[i]![pivot]! / matrix[pivot]![pivot]!;
      for (let j = pivot; j < terms + 3; j++) matrix[i]![j]! -= factor * matrix[pivot]![j]!;
    }
  }
  return [0, 1, 2].map((channel) => Float64Array.from(matrix, (line, term) => line[terms + channel]! / line[term]!));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
