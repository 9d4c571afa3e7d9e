import { ArgumentError } from "@refadgen/errors";
import type { DepthMap } from "./depth.js";
import { LiftError } from "./error.js";
import type { Inflation } from "./inflate.js";
import type { Silhouette } from "./silhouette.js";

/** Least and most relief of a product, as parts of the square root of its area, that an uncertain depth is given. */
const flattest = 0.04;
const deepest = 0.9;

/** @throws ArgumentError for a depth map of the wrong size or kind. */
export function checkDepthMap(map: DepthMap, where: string): void {
  const { width, height, data, kind, metric = false } = map;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`${where}: expected the depth's ${name} to be a positive integer, got ${String(value)}`);
  }
  if (!(data instanceof Float32Array) || data.length !== width * height) {
    throw new ArgumentError(`${where}: expected depth data of ${width} × ${height} float32 numbers, got ${String(data?.length)}`);
  }
  if (kind !== "depth" && kind !== "inverse-depth")
    throw new ArgumentError(`${where}: expected the kind depth or inverse-depth, got ${String(kind)}`);
  if (metric && kind === "inverse-depth") throw new ArgumentError(`${where}: expected metric only with the kind depth, got inverse-depth`);
}

/**
 * The part of a depth map that belongs to a silhouette, in the scene's unit; NaN where unknown.
 *
 * A depth up to scale and shift is fitted, by least squares, to the outline blown up, and its relief clamped to what products have. An inverse
 * depth becomes a depth by the same fit of 1 / (scale · d + shift), to first order: the relief of a product is small beside its distance.
 *
 * @param photo size of the photo that the silhouette was cut from.
 * @param distance of the plane of the outline, in the scene's unit.
 * @throws LiftError `no-depth` if nothing is known inside the silhouette.
 */
export function alignDepth(
  map: DepthMap,
  silhouette: Silhouette,
  round: Inflation,
  {
    photo,
    distance,
    focal,
  }: { readonly photo: { readonly width: number; readonly height: number }; readonly distance: number; readonly focal: number },
): Float32Array {
  const raw = cutDepth(map, silhouette, photo);
  if (map.metric) return raw;
  const { inside, area } = silhouette;
  const pixel = distance / focal;
  const known: number[] = [];
  for (let i = 0; i < raw.length; i++) if (inside[i] && Number.isFinite(raw[i]!)) known.push(raw[i]!);
  if (known.length === 0) throw new LiftError("no-depth", "lift: expected a depth map with depths inside the mask, got none");
  const sorted = Float32Array.from(known).sort();
  const [low, high] = [sorted[Math.floor(sorted.length * 0.01)]!, sorted[Math.ceil(sorted.length * 0.99) - 1]!];
  const range = high - low;
  const nearer = map.kind === "inverse-depth" ? 1 : -1;
  const out = new Float32Array(raw.length).fill(Number.NaN);
  if (!(range > 1e-6 * Math.max(Math.abs(low), Math.abs(high), 1e-30))) {
    for (let i = 0; i < raw.length; i++) if (inside[i]) out[i] = distance;
    return out;
  }
  // Least squares of the blown-up relief against the depth, both without their means.
  let [n, sumD, sumR, sumDD, sumDR] = [0, 0, 0, 0, 0];
  for (let i = 0; i < raw.length; i++) {
    if (!inside[i] || !Number.isFinite(raw[i]!)) continue;
    const d = (nearer * (Math.min(Math.max(raw[i]!, low), high) - low)) / range;
    const r = Math.sqrt(round.relief[i]!);
    n++;
    sumD += d;
    sumR += r;
    sumDD += d * d;
    sumDR += d * r;
  }
  const variance = sumDD / n - (sumD / n) ** 2;
  const slope = (sumDR / n - (sumD / n) * (sumR / n)) / variance;
  const size = Math.sqrt(area);
  const extent = Math.min(Math.max(slope, flattest * size), deepest * size) * pixel;
  // The farthest part of the front lies in the plane of the outline.
  for (let i = 0; i < raw.length; i++) {
    if (!inside[i] || !Number.isFinite(raw[i]!)) continue;
    const d = (Math.min(Math.max(raw[i]!, low), high) - low) / range;
    out[i] = distance - extent * (nearer > 0 ? d : 1 - d) + extent / 2;
  }
  return out;
}

/** Resamples, where sizes differ, and cuts. Unknown neighbours are left out of the mean, so that nothing bleeds in from the background. */
function cutDepth(
  { width, height, data, kind }: DepthMap,
  { left, top, width: w, height: h, inside }: Silhouette,
  photo: { readonly width: number; readonly height: number },
): Float32Array {
  const out = new Float32Array(w * h).fill(Number.NaN);
  const valid = (value: number): boolean => Number.isFinite(value) && (kind === "inverse-depth" || value > 0);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (!inside[y * w + x]) continue;
      const u = ((left + x + 0.5) * width) / photo.width - 0.5;
      const v = ((top + y + 0.5) * height) / photo.height - 0.5;
      const [x0, y0] = [Math.floor(u), Math.floor(v)];
      const [fx, fy] = [u - x0, v - y0];
      let sum = 0;
      let weights = 0;
      for (let corner = 0; corner < 4; corner++) {
        const [dx, dy] = [corner & 1, corner >> 1];
        const weight = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy);
        if (weight === 0) continue;
        const value = data[Math.min(Math.max(y0 + dy, 0), height - 1) * width + Math.min(Math.max(x0 + dx, 0), width - 1)]!;
        if (!valid(value)) continue;
        sum += weight * value;
        weights += weight;
      }
      if (weights > 0.2) out[y * w + x] = sum / weights;
    }
  }
  return out;
}
