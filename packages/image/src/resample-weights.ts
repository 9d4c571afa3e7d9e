/** Pillow's filters; all but "nearest" are antialiased when they shrink. */
export type ResizeFilter = "nearest" | "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";

interface Kernel {
  /** Half its width, in pixels of the smaller grid. */
  readonly support: number;
  readonly at: (x: number) => number;
}

/** Of one axis: which inputs make each output, and how much of each. */
export interface ResampleWeights {
  /** First input of each output, `[out]`. */
  readonly first: Int32Array;
  /** Number of inputs of each output, `[out]`. */
  readonly count: Int32Array;
  /** Row length of `values`. */
  readonly stride: number;
  /** Weights `[out, stride]`, each row summing to 1 over its first `count`. */
  readonly values: Float64Array;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

const kernels: Readonly<Record<Exclude<ResizeFilter, "nearest">, Kernel>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(1 - Math.abs(x), 0) },
  hamming: {
    support: 1,
    at: (signed) => {
      const x = Math.abs(signed);
      return x >= 1 ? 0 : sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI)); // float constants in Pillow too
    },
  },
  bicubic: {
    support: 2,
    at: (signed) => {
      const x = Math.abs(signed);
      const a = -0.5;
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** The names that `resizeImage` accepts. */
export const resizeFilters: readonly ResizeFilter[] = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"];

/**
 * One axis of Pillow's resampling, in double precision (python-pillow/Pillow src/libImaging/Resample.c, precompute_coeffs).
 * When shrinking, the kernel is stretched by the scale, so that every input counts.
 */
export function resampleWeights(input: number, output: number, filter: Exclude<ResizeFilter, "nearest">): ResampleWeights {
  const kernel = kernels[filter];
  const scale = input / output;
  const stretch = Math.max(scale, 1);
  const support = kernel.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(output);
  const count = new Int32Array(output);
  const values = new Float64Array(output * stride);
  for (let i = 0; i < output; i++) {
    const center = (i + 0.5) * scale;
    const from = Math.max(Math.trunc(center - support + 0.5), 0);
    const n = Math.min(Math.trunc(center + support + 0.5), input) - from;
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const weight = kernel.at((k + from - center + 0.5) * (1 / stretch));
      values[i * stride + k] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let k = 0; k < n; k++) values[i * stride + k]! /= sum;
    first[i] = from;
    count[i] = n;
  }
  return { first, count, stride, values };
}

/** Which input each output takes under nearest neighbour (Pillow src/libImaging/Geometry.c, ImagingScaleAffine: the position is a running sum). */
export function nearestSources(input: number, output: number): Int32Array {
  const sources = new Int32Array(output);
  const scale = input / output;
  let position = scale * 0.5;
  for (let i = 0; i < output; i++, position += scale) sources[i] = Math.min(Math.trunc(position), input - 1);
  return sources;
}
