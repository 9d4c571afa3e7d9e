import { ArgumentError } from "@refadgen/errors";
import type { Image, Size } from "@refadgen/image";
import { premultiplied } from "./alpha.js";
import { reflect101 } from "./border.js";
import { checkPicture, isFloat, type Picture, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";

/** A point of a picture, px; pixel centres are at whole numbers. */
export type Point = readonly [x: number, y: number];

/** Where each pixel of the result comes from. */
export interface Warp {
  /** Of the result. */
  readonly size: Size;
  /** The place in the source of a place in the result. */
  readonly sourceOf: (x: number, y: number) => Point;
  /** The same for all pixels of a row, where that can be had faster. */
  readonly sourcesOfRow?: (y: number, xs: Float64Array, ys: Float64Array) => void;
  /** What the map is, where it is one of these: then its rows are computed by vectors. */
  readonly formula?: WarpFormula;
}

/**
 * A matrix from result to source, row by row; or p' = c + (p - c)(1 + k1 r² + k2 r⁴) with r² in units of 1 / `unit`; or a thin-plate spline of
 * places divided by `scale`, whose `table` holds x, y and both weights of each point, then the linear part of x (1, x, y) and of y.
 */
export type WarpFormula =
  | { readonly kind: "matrix"; readonly values: readonly number[] }
  | { readonly kind: "radial"; readonly centre: Point; readonly unit: number; readonly k1: number; readonly k2: number }
  | { readonly kind: "spline"; readonly table: Float64Array; readonly scale: Point };

/**
 * What lies beyond the source: white (0 in masks), the edge repeated, the picture reflected, or nothing (0: black, transparent).
 */
export type Border = "white" | "replicate" | "reflect" | "zero";

export interface WarpOptions {
  /** Default `"bilinear"`; masks and labels take `"nearest"`, which invents no values. */
  readonly interpolation?: "bilinear" | "nearest";
  /** Default `"white"`. */
  readonly border?: Border;
}

const borders: readonly Border[] = ["white", "replicate", "reflect", "zero"];

/** Moves the pixels of a picture. Taps of the interpolation that lie outside take the border's value one by one. */
export function warpPicture<P extends Picture>(picture: P, warp: Warp, { interpolation = "bilinear", border = "white" }: WarpOptions = {}): P {
  checkPicture("warpPicture", picture);
  if (!borders.includes(border)) throw new ArgumentError(`warpPicture: expected border ${borders.join(", ")}, got ${String(border)}`);
  if (interpolation !== "bilinear" && interpolation !== "nearest")
    throw new ArgumentError(`warpPicture: expected interpolation bilinear or nearest, got ${String(interpolation)}`);
  const { channels } = picture;
  if (!isFloat(picture) && (channels === 1 || (channels === 3 && interpolation === "bilinear")) && picture.data.length < mostBytes)
    return withData(picture, warpBytes(picture, warp, interpolation, border), warp.size);
  if (interpolation === "nearest") return nearest(picture, warp, border);
  return premultiplied(picture, (plain) => bilinear(plain, warp, border));
}

/**
 * Where points of the source lie in the result: the warp inverted by Newton's method.
 *
 * @returns the points in their order; undefined for one that no place of the result comes from.
 */
export function warpPoints(points: readonly Point[], warp: Warp): (Point | undefined)[] {
  return points.map((point) => inverted(point, warp));
}

function inverted([sourceX, sourceY]: Point, { sourceOf, size }: Warp): Point | undefined {
  const step = 0.25;
  // From a few starts, because a strong warp can lead the first astray.
  const starts: Point[] = [
    [sourceX, sourceY],
    [size.width / 2, size.height / 2],
    [size.width / 4, size.height / 4],
    [(3 * size.width) / 4, (3 * size.height) / 4],
  ];
  for (const [startX, startY] of starts) {
    let [x, y] = [startX, startY];
    for (let round = 0; round < 60; round++) {
      const [atX, atY] = sourceOf(x, y);
      const [errorX, errorY] = [sourceX - atX, sourceY - atY];
      if (Math.abs(errorX) + Math.abs(errorY) < 1e-7) return [x, y];
      const [rightX, rightY] = sourceOf(x + step, y);
      const [downX, downY] = sourceOf(x, y + step);
      const [a, b, c, d] = [(rightX - atX) / step, (downX - atX) / step, (rightY - atY) / step, (downY - atY) / step];
      const determinant = a * d - b * c;
      if (!(Math.abs(determinant) > 1e-12)) break;
      const scale = round < 30 ? 1 : 0.5;
      x += (scale * (d * errorX - b * errorY)) / determinant;
      y += (scale * (a * errorY - c * errorX)) / determinant;
    }
  }
  return undefined;
}

/** Calls `use` with the sources of each row of the result. */
function eachRow(warp: Warp, use: (y: number, xs: Float64Array, ys: Float64Array) => void): void {
  const { width, height } = warp.size;
  const [xs, ys] = [new Float64Array(width), new Float64Array(width)];
  for (let y = 0; y < height; y++) {
    rowOfSources(warp, y, xs, ys);
    use(y, xs, ys);
  }
}

function rowOfSources({ sourceOf, sourcesOfRow }: Warp, y: number, xs: Float64Array, ys: Float64Array): void {
  if (sourcesOfRow) sourcesOfRow(y, xs, ys);
  else
    for (let x = 0; x < xs.length; x++) {
      const [sourceX, sourceY] = sourceOf(x, y);
      xs[x] = sourceX;
      ys[x] = sourceY;
    }
}

function bilinear<P extends Picture>(picture: P, warp: Warp, border: Border): P {
  const { width, height, channels, data } = picture;
  const floats = isFloat(picture);
  const outWidth = warp.size.width;
  const out = floats ? new Float32Array(outWidth * warp.size.height * channels) : new Uint8Array(outWidth * warp.size.height * channels);
  const half = floats ? 0 : 0.5;
  const outside = border === "white" && (channels === 1 || channels === 3) ? (floats ? 1 : 255) : 0;
  const rowLength = width * channels;
  const tap = (x: number, y: number, c: number): number => {
    if (x >= 0 && x < width && y >= 0 && y < height) return data[y * rowLength + x * channels + c]!;
    if (border === "replicate") return data[Math.min(Math.max(y, 0), height - 1) * rowLength + Math.min(Math.max(x, 0), width - 1) * channels + c]!;
    return border === "reflect" ? data[reflect101(y, height) * rowLength + reflect101(x, width) * channels + c]! : outside;
  };
  const onePixel = (y: number, x: number, sourceX: number, sourceY: number): void => {
    const to = (y * outWidth + x) * channels;
    const x0 = Math.floor(sourceX);
    const y0 = Math.floor(sourceY);
    const fx = sourceX - x0;
    const fy = sourceY - y0;
    if (x0 >= 0 && y0 >= 0 && x0 < width - 1 && y0 < height - 1) {
      let i = y0 * rowLength + x0 * channels;
      for (let c = 0; c < channels; c++, i++) {
        const above = data[i]! + fx * (data[i + channels]! - data[i]!);
        const below = data[i + rowLength]! + fx * (data[i + rowLength + channels]! - data[i + rowLength]!);
        out[to + c] = above + fy * (below - above) + half;
      }
    } else if (Math.abs(sourceX) < 1e9 && Math.abs(sourceY) < 1e9) {
      for (let c = 0; c < channels; c++) {
        const above = tap(x0, y0, c) * (1 - fx) + tap(x0 + 1, y0, c) * fx;
        const below = tap(x0, y0 + 1, c) * (1 - fx) + tap(x0 + 1, y0 + 1, c) * fx;
        out[to + c] = above * (1 - fy) + below * fy + half;
      }
    } else for (let c = 0; c < channels; c++) out[to + c] = outside;
  };
  eachRow(warp, (y, xs, ys) => {
    for (let x = 0; x < outWidth; x++) onePixel(y, x, xs[x]!, ys[x]!);
  });
  return withData(picture, out as P["data"], warp.size);
}

/** Pictures beyond this are left to slower code that needs no second copy. */
const mostBytes = 1 << 29;
const borderNumber: Readonly<Record<Border, number>> = { white: 0, zero: 0, replicate: 1, reflect: 2 };

/** One channel, or three with bilinear interpolation, by the kernel. */
function warpBytes({ width, height, channels, data }: Image, warp: Warp, interpolation: "bilinear" | "nearest", border: Border): Uint8Array {
  const { size, formula } = warp;
  const count = size.width;
  const length = count * size.height * channels;
  const table = formula?.kind === "spline" ? formula.table : Float64Array.from(formula?.kind === "matrix" ? formula.values : []);
  return withKernel([data.length, length, count * 8, count * 8, table.byteLength], (kernel, source, target, xAt, yAt, tableAt) => {
    place(kernel, source, data);
    place(kernel, tableAt, table);
    const { buffer } = kernel.memory;
    const rowOf = (y: number): void => {
      if (formula?.kind === "matrix") kernel.matrixRow(xAt, yAt, count, y, tableAt);
      else if (formula?.kind === "spline") kernel.splineRow(xAt, yAt, count, y, tableAt, (table.length - 6) / 4, ...formula.scale);
      else if (formula) kernel.lensRow(xAt, yAt, count, y, ...formula.centre, formula.unit, formula.k1, formula.k2);
      else rowOfSources(warp, y, new Float64Array(buffer, xAt, count), new Float64Array(buffer, yAt, count));
    };
    const outside = border === "white" ? 255 : 0;
    for (let y = 0; y < size.height; y++) {
      rowOf(y);
      const to = target + y * count * channels;
      if (interpolation === "nearest") kernel.nearestRow(source, width, height, xAt, yAt, count, to, borderNumber[border], outside);
      else kernel.warpRow(source, width, height, channels, xAt, yAt, count, to, borderNumber[border], outside);
    }
    return taken(kernel, target, length);
  });
}

function nearest<P extends Picture>(picture: P, warp: Warp, border: Border): P {
  const { width, height, channels, data } = picture;
  const floats = isFloat(picture);
  const outWidth = warp.size.width;
  const out = floats ? new Float32Array(outWidth * warp.size.height * channels) : new Uint8Array(outWidth * warp.size.height * channels);
  const outside = border === "white" ? (floats ? 1 : 255) : 0;
  eachRow(warp, (y, xs, ys) => {
    for (let x = 0, to = y * outWidth * channels; x < outWidth; x++, to += channels) {
      let sourceX = Math.floor(xs[x]! + 0.5);
      let sourceY = Math.floor(ys[x]! + 0.5);
      if (!(sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height)) {
        if (border === "white" || border === "zero" || !Number.isFinite(sourceX + sourceY)) {
          for (let c = 0; c < channels; c++) out[to + c] = outside;
          continue;
        }
        sourceX = border === "replicate" ? Math.min(Math.max(sourceX, 0), width - 1) : reflect101(sourceX, width);
        sourceY = border === "replicate" ? Math.min(Math.max(sourceY, 0), height - 1) : reflect101(sourceY, height);
      }
      const from = (sourceY * width + sourceX) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c]!;
    }
  });
  return withData(picture, out as P["data"], warp.size);
}
