import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";
import { solve } from "./linear-system.js";
import { checkNumber, checkNumbers, checkPicture, type Picture } from "./picture.js";
import { type Border, type Point, type Warp, warpPicture } from "./warp.js";

/** Row by row; of a map from source to target. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** The warp that a matrix is: source → target, homogeneous. */
export function matrixWarp(matrix: Matrix3, size: Size): Warp {
  if (matrix.length !== 9 || !matrix.every(Number.isFinite))
    throw new ArgumentError(`matrixWarp: expected nine finite numbers, got ${matrix.join(", ")}`);
  const [a, b, c, d, e, f, g, h, i] = inverse(matrix);
  const affine = g === 0 && h === 0;
  return {
    size,
    formula: { kind: "matrix", values: [a, b, c, d, e, f, g, h, i] },
    sourceOf: (x, y) => {
      const w = g * x + h * y + i;
      return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
    },
    sourcesOfRow: (y, xs, ys) => {
      const [startX, startY, startW] = [b * y + c, e * y + f, h * y + i];
      if (affine) {
        for (let x = 0; x < xs.length; x++) {
          xs[x] = (a * x + startX) / i;
          ys[x] = (d * x + startY) / i;
        }
        return;
      }
      for (let x = 0; x < xs.length; x++) {
        const w = g * x + startW;
        // At and behind the horizon there is nothing to see.
        const scale = w * i > 0 ? 1 / w : Number.NaN;
        xs[x] = (a * x + startX) * scale;
        ys[x] = (d * x + startY) * scale;
      }
    },
  };
}

/** The matrix that takes four points to four others. */
export function matrixOfPoints(source: readonly Point[], target: readonly Point[]): Matrix3 {
  if (source.length !== 4 || target.length !== 4)
    throw new ArgumentError(`matrixOfPoints: expected four points each, got ${source.length} and ${target.length}`);
  const rows = source.flatMap(([x, y], k) => {
    const [u, v] = target[k]!;
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  const [a, b, c, d, e, f, g, h] = solve("matrixOfPoints", rows).map(([value]) => value!) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return [a, b, c, d, e, f, g, h, 1];
}

function inverse([a, b, c, d, e, f, g, h, i]: Matrix3): Matrix3 {
  const [A, B, C] = [e * i - f * h, c * h - b * i, b * f - c * e];
  const determinant = a * A + d * B + g * C;
  if (!(Math.abs(determinant) > 1e-14)) throw new ArgumentError(`matrixWarp: expected a matrix that can be inverted, got determinant ${determinant}`);
  const all = [A, B, C, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  return all.map((value) => value / determinant) as unknown as Matrix3;
}

export interface PerspectiveParams {
  /** How far the corners move (top left, top right, bottom right, bottom left), in shares of width and height; each -0.45 to 0.45. */
  readonly corners: readonly [Point, Point, Point, Point];
  /** Default `"replicate"`. */
  readonly border?: Border;
}

/** A photo taken at an angle. */
export function perspective<P extends Picture>(picture: P, params: PerspectiveParams): P {
  checkPicture("perspective", picture);
  return warpPicture(picture, perspectiveWarp(picture, params), { border: params.border ?? "replicate" });
}

/** The warp of `perspective`, for masks and companions. */
export function perspectiveWarp({ width, height }: Size, { corners }: PerspectiveParams): Warp {
  if (!Array.isArray(corners) || corners.length !== 4) throw new ArgumentError(`perspective: expected four corners, got ${JSON.stringify(corners)}`);
  for (const [index, corner] of corners.entries()) checkNumbers("perspective", `corners[${index}]`, corner, 2, -0.45, 0.45);
  // The outer edges of the pixels, so that pictures one pixel wide have an area too.
  const source: Point[] = [
    [-0.5, -0.5],
    [width - 0.5, -0.5],
    [width - 0.5, height - 0.5],
    [-0.5, height - 0.5],
  ];
  const target = source.map(([x, y], k): Point => [x + corners[k]![0] * width, y + corners[k]![1] * height]);
  return matrixWarp(matrixOfPoints(source, target), { width, height });
}

export interface AffineParams {
  /** Degrees, anticlockwise; -180 to 180. */
  readonly degrees: number;
  /** 0.1 to 10, about the middle. Default 1. */
  readonly scale?: number;
  /** Of the x axis with y, -1 to 1. Default 0. */
  readonly shear?: number;
  /** In shares of width and height, -1 to 1. Default none. */
  readonly shift?: Point;
  /** Default `"replicate"`. */
  readonly border?: Border;
}

/** Turned, scaled, sheared, shifted about the middle. */
export function affine<P extends Picture>(picture: P, params: AffineParams): P {
  checkPicture("affine", picture);
  return warpPicture(picture, affineWarp(picture, params), { border: params.border ?? "replicate" });
}

/** The warp of `affine`, for masks and companions. */
export function affineWarp({ width, height }: Size, { degrees, scale = 1, shear = 0, shift = [0, 0] }: AffineParams): Warp {
  checkNumber("affine", "degrees", degrees, -180, 180);
  checkNumber("affine", "scale", scale, 0.1, 10);
  checkNumber("affine", "shear", shear, -1, 1);
  checkNumbers("affine", "shift", shift, 2, -1, 1);
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180) * scale, Math.sin((degrees * Math.PI) / 180) * scale];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  // y points down, so that anticlockwise has a positive sine in the first row.
  const [a, b, d, e] = [cos, cos * shear + sin, -sin, -sin * shear + cos];
  return matrixWarp([a, b, cx - a * cx - b * cy + shift[0] * width, d, e, cy - d * cx - e * cy + shift[1] * height, 0, 0, 1], { width, height });
}
