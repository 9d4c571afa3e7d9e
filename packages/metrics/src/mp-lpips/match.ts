import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import type { Image } from "@refadgen/image";
import { MetricError } from "../metrics/error.js";

/** A pixel. */
export interface Point {
  readonly row: number;
  readonly column: number;
}

/** Where a point of the product was found again. */
export interface Match extends Point {
  /** Cosine of both places' features, -1 to 1. */
  readonly cosine: number;
}

export interface MatchOptions {
  readonly signal?: AbortSignal;
}

/**
 * Pixels of a mask whose row and column are multiples of `distance`, row by row: the grid is that of the whole picture, not of the mask.
 *
 * @param mask one channel; what is not 0 is inside
 */
export function gridPoints(mask: Image, distance: number): readonly Point[] {
  if (mask.channels !== 1) throw new ArgumentError(`gridPoints: expected a mask of one channel, got ${mask.channels}`);
  if (!Number.isInteger(distance) || distance < 1) throw new ArgumentError(`gridPoints: expected a distance of at least 1, got ${distance}`);
  const points: Point[] = [];
  for (let row = 0; row < mask.height; row += distance) {
    for (let column = 0; column < mask.width; column += distance) if (mask.data[row * mask.width + column]! > 0) points.push({ row, column });
  }
  return points;
}

/** Cosines that differ by less are those of one and the same feature, such as pixels at the border share. */
const equalCosines = 1e-12;

/**
 * Finds each point's best match among all pixels of the other picture, by the cosine of features that are enlarged bilinearly
 * (half-pixel centres) to the picture's size. The first of equally good pixels counts, row by row.
 *
 * Nothing is really enlarged: products with the source are linear, so they are interpolated themselves, and the length of an interpolated
 * feature follows from the products of neighbouring cells. That takes a hundredth of the work, in float64.
 *
 * @param source features of the picture that has the points, `[1, C, h, w]`
 * @param target of the other one, `[1, C, h', w']`
 * @param size of the pictures, in pixels
 * @throws ArgumentError for sizes that do not fit; MetricError `not-finite`
 */
export async function matchPoints(
  source: Tensor<"float32">,
  target: Tensor<"float32">,
  points: readonly Point[],
  size: { readonly width: number; readonly height: number },
  { signal }: MatchOptions = {},
): Promise<readonly Match[]> {
  const [from, to] = [gridOf("source", source), gridOf("target", target)];
  if (from.channels !== to.channels) throw new ArgumentError(`matchPoints: expected equally many channels, got ${from.channels} and ${to.channels}`);
  const outside = points.find(({ row, column }) => !(row >= 0 && row < size.height && column >= 0 && column < size.width));
  if (outside)
    throw new ArgumentError(
      `matchPoints: expected points inside of ${size.width} × ${size.height}, got row ${outside.row}, column ${outside.column}`,
    );
  const axes = { rows: taps(size.height, to.height), columns: taps(size.width, to.width) };
  const lengths = interpolatedLengths(to, axes);
  const sourceAxes = { rows: taps(size.height, from.height), columns: taps(size.width, from.width) };
  const cosines = new Float64Array(size.height * size.width);
  const matches: Match[] = [];
  for (const point of points) {
    signal?.throwIfAborted();
    const feature = featureAt(from, sourceAxes, point);
    matches.push(bestMatch(feature, to, axes, lengths, cosines, size.width));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return matches;
}

interface Grid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[C, h, w]`. */
  readonly data: Float32Array;
}

function gridOf(name: string, { dims, data }: Tensor<"float32">): Grid {
  const [batch, channels, height, width] = dims;
  if (dims.length !== 4 || batch !== 1 || !(data.length === channels! * height! * width! && data.length > 0))
    throw new ArgumentError(`matchPoints: expected ${name} features [1, C, h, w], got [${dims.join(", ")}] with ${data.length} values`);
  if (!data.every(Number.isFinite)) throw new MetricError("not-finite", `matchPoints: expected finite ${name} features, some are NaN or infinite`);
  return { channels: channels!, height: height!, width: width!, data };
}

/** Which two cells a pixel lies between, and how far from the first. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Float64Array;
}

interface Axes {
  readonly rows: Taps;
  readonly columns: Taps;
}

function taps(pixels: number, cells: number): Taps {
  const first = new Int32Array(pixels);
  const second = new Int32Array(pixels);
  const weight = new Float64Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const place = Math.max(0, ((pixel + 0.5) * cells) / pixels - 0.5);
    const cell = Math.min(cells - 1, Math.floor(place));
    first[pixel] = cell;
    second[pixel] = Math.min(cells - 1, cell + 1);
    // Beyond the last cell's centre all pixels have its feature, exactly.
    weight[pixel] = cell === cells - 1 ? 0 : place - cell;
  }
  return { first, second, weight };
}

function featureAt({ channels, height, width, data }: Grid, { rows, columns }: Axes, { row, column }: Point): Float64Array {
  const [y0, y1, down] = [rows.first[row]!, rows.second[row]!, rows.weight[row]!];
  const [x0, x1, across] = [columns.first[column]!, columns.second[column]!, columns.weight[column]!];
  return Float64Array.from({ length: channels }, (_, channel) => {
    const plane = channel * height * width;
    const top = data[plane + y0 * width + x0]! * (1 - across) + data[plane + y0 * width + x1]! * across;
    const bottom = data[plane + y1 * width + x0]! * (1 - across) + data[plane + y1 * width + x1]! * across;
    return top * (1 - down) + bottom * down;
  });
}

/** Lengths of the interpolated features of all pixels, from products of cells with themselves and their neighbours. */
function interpolatedLengths(grid: Grid, { rows, columns }: Axes): Float64Array {
  const { width } = grid;
  const own = neighbourProducts(grid, 0, 0);
  const right = neighbourProducts(grid, 0, 1);
  const below = neighbourProducts(grid, 1, 0);
  const diagonal = neighbourProducts(grid, 1, 1);
  const antidiagonal = neighbourProducts(grid, 1, -1);
  const [height, across] = [rows.first.length, columns.first.length];
  const lengths = new Float64Array(height * across);
  for (let y = 0; y < height; y++) {
    const [y0, y1, v] = [rows.first[y]!, rows.second[y]!, rows.weight[y]!];
    for (let x = 0; x < across; x++) {
      const [x0, x1, u] = [columns.first[x]!, columns.second[x]!, columns.weight[x]!];
      const [a, b, c, d] = [(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u];
      const [p00, p01, p10, p11] = [y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1];
      let squared = a * a * own[p00]! + b * b * own[p01]! + c * c * own[p10]! + d * d * own[p11]!;
      // Weights of neighbours that are not there are 0.
      if (b > 0) squared += 2 * a * b * right[p00]!;
      if (c > 0) squared += 2 * a * c * below[p00]!;
      if (d > 0) squared += 2 * (a * d * diagonal[p00]! + b * c * antidiagonal[p01]! + b * d * below[p01]! + c * d * right[p10]!);
      lengths[y * across + x] = Math.sqrt(Math.max(0, squared));
    }
  }
  return lengths;
}

/** Product of each cell's feature with that of the cell `down` and `across` from it; 0 where there is none. */
function neighbourProducts({ channels, height, width, data }: Grid, down: number, across: number): Float64Array {
  const products = new Float64Array(height * width);
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (let y = 0; y + down < height; y++) {
      for (let x = Math.max(0, -across); x + Math.max(0, across) < width; x++) {
        const at = y * width + x;
        products[at] = products[at]! + data[plane + at]! * data[plane + at + down * width + across]!;
      }
    }
  }
  return products;
}

function bestMatch(feature: Float64Array, grid: Grid, { rows, columns }: Axes, lengths: Float64Array, cosines: Float64Array, pixels: number): Match {
  const { width, height, data } = grid;
  const area = height * width;
  const products = new Float64Array(area);
  for (const [channel, value] of feature.entries()) {
    const plane = channel * area;
    for (let cell = 0; cell < area; cell++) products[cell] = products[cell]! + value * data[plane + cell]!;
  }
  const own = Math.max(1e-12, Math.sqrt(feature.reduce((sum, value) => sum + value * value, 0)));
  let best = Number.NEGATIVE_INFINITY;
  for (let y = 0; y < rows.first.length; y++) {
    const [top, bottom, v] = [rows.first[y]! * width, rows.second[y]! * width, rows.weight[y]!];
    for (let x = 0; x < pixels; x++) {
      const [x0, x1, u] = [columns.first[x]!, columns.second[x]!, columns.weight[x]!];
      const upper = products[top + x0]! * (1 - u) + products[top + x1]! * u;
      const lower = products[bottom + x0]! * (1 - u) + products[bottom + x1]! * u;
      const at = y * pixels + x;
      const cosine = (upper * (1 - v) + lower * v) / (own * Math.max(1e-12, lengths[at]!));
      cosines[at] = cosine;
      if (cosine > best) best = cosine;
    }
  }
  const first = cosines.findIndex((cosine) => cosine >= best - equalCosines);
  return { row: Math.floor(first / pixels), column: first % pixels, cosine: best };
}
