import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";
import { solve } from "./linear-system.js";
import { checkNumbers, checkPicture, type Picture } from "./picture.js";
import { type Border, type Point, type Warp, warpPicture } from "./warp.js";

/** Control points beyond this make the system slow to solve. */
const mostPoints = 400;

/** A thin-plate spline: f(p) = a₀ + a₁ x + a₂ y + Σ wᵢ U(|p - tᵢ|), U(r) = r² ln r². */
export interface ThinPlateSpline {
  readonly points: readonly Point[];
  /** w of each point, then a₀, a₁, a₂; x and y of each. */
  readonly weights: readonly Point[];
}

/**
 * The spline that takes each target point exactly to its source point, and bends least in between.
 *
 * @throws ArgumentError for fewer than 3 points, or points on one line
 */
export function thinPlateSpline(target: readonly Point[], source: readonly Point[]): ThinPlateSpline {
  const n = target.length;
  if (n < 3 || n > mostPoints || source.length !== n)
    throw new ArgumentError(`thinPlateSpline: expected 3 to ${mostPoints} pairs of points, got ${n} and ${source.length}`);
  const rows = target.map(([x, y], i) => [...target.map(([u, v]) => kernel((x - u) ** 2 + (y - v) ** 2)), 1, x, y, ...source[i]!]);
  const sides = [target.map(() => 1), target.map(([x]) => x), target.map(([, y]) => y)].map((side) => [...side, 0, 0, 0, 0, 0]);
  return { points: target, weights: solve("thinPlateSpline", [...rows, ...sides]) as unknown as Point[] };
}

function kernel(squared: number): number {
  return squared === 0 ? 0 : squared * Math.log(squared);
}

/** The warp of a spline whose targets are places of the result. */
export function splineWarp(spline: ThinPlateSpline, size: Size): Warp {
  return scaledWarp(spline, size, [1, 1]);
}

/** The warp of a spline in which places stand divided by `scale`. */
function scaledWarp({ points, weights }: ThinPlateSpline, size: Size, scale: Point): Warp {
  const linear = weights.slice(points.length);
  const table = Float64Array.from([...points.flatMap(([x, y], i) => [x, y, ...weights[i]!]), ...linear.map(([x]) => x), ...linear.map(([, y]) => y)]);
  return { size, sourceOf: (x, y) => splineAt(table, scale, x, y), formula: { kind: "spline", table, scale } };
}

/** One place, by a table as `WarpFormula` says; the kernel does whole rows. */
function splineAt(table: Float64Array, [scaleX, scaleY]: Point, x: number, y: number): Point {
  const [u, v] = [x / scaleX, y / scaleY];
  const linear = table.length - 6;
  let sumX = table[linear]! + table[linear + 1]! * u + table[linear + 2]! * v;
  let sumY = table[linear + 3]! + table[linear + 4]! * u + table[linear + 5]! * v;
  for (let k = 0; k < linear; k += 4) {
    const bend = kernel((u - table[k]!) ** 2 + (v - table[k + 1]!) ** 2);
    sumX += bend * table[k + 2]!;
    sumY += bend * table[k + 3]!;
  }
  return [sumX * scaleX, sumY * scaleY];
}

export interface ThinPlateParams {
  /** Control points along each side, 2 to 20; they form an even grid over the picture. */
  readonly grid: number;
  /** How far what lies at each control point comes from, in shares of width and height, -0.5 to 0.5; row by row, `grid`² of them. */
  readonly moves: readonly Point[];
  /** Default `"replicate"`. */
  readonly border?: Border;
}

/** Packaging that bulges, a print that is not flat. */
export function thinPlate<P extends Picture>(picture: P, params: ThinPlateParams): P {
  checkPicture("thinPlate", picture);
  return warpPicture(picture, thinPlateWarp(picture, params), { border: params.border ?? "replicate" });
}

/** The warp of `thinPlate`, for masks and companions. */
export function thinPlateWarp(size: Size, { grid, moves }: ThinPlateParams): Warp {
  if (!Number.isInteger(grid) || grid < 2 || grid > 20)
    throw new ArgumentError(`thinPlate: expected grid to be a whole number from 2 to 20, got ${String(grid)}`);
  if (!Array.isArray(moves) || moves.length !== grid * grid)
    throw new ArgumentError(`thinPlate: expected ${grid * grid} moves, got ${String(moves?.length)}`);
  for (const [index, move] of moves.entries()) checkNumbers("thinPlate", `moves[${index}]`, move, 2, -0.5, 0.5);
  const { width, height } = size;
  // In shares of the sides, so that any size has points in general position.
  const target = moves.map((_, k): Point => [(k % grid) / (grid - 1), Math.trunc(k / grid) / (grid - 1)]);
  const source = target.map(([x, y], k): Point => [x + moves[k]![0], y + moves[k]![1]]);
  return scaledWarp(thinPlateSpline(target, source), size, [Math.max(width - 1, 1), Math.max(height - 1, 1)]);
}
