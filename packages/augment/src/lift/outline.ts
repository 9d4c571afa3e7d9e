import type { Silhouette } from "./silhouette.js";

/** An outline described along its long axis. */
export interface Outline {
  /** Unit vector of the axis of symmetry, or of the longest extent, in pixels (x right, y down). */
  readonly axis: readonly [number, number];
  /** Centre of mass, pixels from the silhouette's corner. */
  readonly centre: readonly [number, number];
  /** First and last position along the axis, pixels from the centre. */
  readonly start: number;
  readonly end: number;
  /** Per pixel along the axis from `start` on: middle and half width across the axis, 0 wide where nothing is. */
  readonly middle: Float32Array;
  readonly halfWidth: Float32Array;
  /** Part of the area between the outermost points of each line across the axis that is inside: 1 without holes or forks. */
  readonly solidity: number;
  /** Mean distance of the middles from one straight line, as a part of the mean half width: 0 for a mirror-symmetric outline. */
  readonly asymmetry: number;
  /** Part of the bounding rectangle along the axis that is inside. */
  readonly rectangularity: number;
  /** How much of the outline and of the quadrilateral of its four corners is the same: 1 for a rectangle seen from anywhere. */
  readonly fourCorners: number;
}

/**
 * Describes an outline along its axis: upright or lying where it is symmetric about that, else along the longest extent.
 */
export function describeOutline(silhouette: Silhouette): Outline {
  const { width, height, inside, area } = silhouette;
  let [sx, sy, sxx, sxy, syy] = [0, 0, 0, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!inside[i]) continue;
      sx += x;
      sy += y;
      sxx += x * x;
      sxy += x * y;
      syy += y * y;
    }
  }
  const centre: readonly [number, number] = [sx / area, sy / area];
  const [cxx, cxy, cyy] = [sxx / area - centre[0] ** 2, sxy / area - centre[0] * centre[1], syy / area - centre[1] ** 2];
  const angle = 0.5 * Math.atan2(2 * cxy, cxx - cyy);
  const principal: readonly [number, number] = [Math.cos(angle), Math.sin(angle)];
  const across: readonly [number, number] = [-principal[1], principal[0]];
  const candidates = ([[0, 1], [1, 0], principal, across] as const).map((axis) => along(silhouette, axis, centre));
  // Upright first: the others have to be clearly better, since almost everything stands.
  const [upright, ...others] = candidates as [AlongAxis, ...AlongAxis[]];
  const described = others.reduce((best, outline) => (badness(outline) < badness(best) - 0.03 ? outline : best), upright);
  return { ...described, fourCorners: overlapWithCorners(silhouette, described) };
}

type AlongAxis = Omit<Outline, "fourCorners">;

/** How far an outline is from that of a body turned on a lathe about its axis. */
function badness({ solidity, asymmetry }: AlongAxis): number {
  return 1 - solidity + asymmetry;
}

function along({ width, height, inside, area }: Silhouette, axis: readonly [number, number], centre: readonly [number, number]): AlongAxis {
  const [ax, ay] = axis;
  const reach = Math.ceil(Math.hypot(width, height)) + 1;
  const low = new Float32Array(2 * reach + 1).fill(Infinity);
  const high = new Float32Array(2 * reach + 1).fill(-Infinity);
  let [start, end, least, most] = [reach, -reach, Infinity, -Infinity];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!inside[i]) continue;
      const [dx, dy] = [x - centre[0], y - centre[1]];
      const s = Math.round(ax * dx + ay * dy);
      const r = ax * dy - ay * dx;
      if (s < start) start = s;
      if (s > end) end = s;
      if (r < low[s + reach]!) low[s + reach] = r;
      if (r > high[s + reach]!) high[s + reach] = r;
      if (r < least) least = r;
      if (r > most) most = r;
    }
  }
  const length = end - start + 1;
  const middle = new Float32Array(length);
  const halfWidth = new Float32Array(length);
  let [filled, weights, sum, sumS, sumSS, sumSM] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < length; k++) {
    const at = k + start + reach;
    if (high[at]! < low[at]!) continue;
    middle[k] = (low[at]! + high[at]!) / 2;
    const half = (high[at]! - low[at]! + 1) / 2;
    halfWidth[k] = half;
    filled += 2 * half;
    weights += half;
    sum += half * middle[k]!;
    sumS += half * k;
    sumSS += half * k * k;
    sumSM += half * k * middle[k]!;
  }
  const meanS = sumS / weights;
  const spread = sumSS / weights - meanS * meanS;
  const lean = spread > 1 ? (sumSM / weights - (meanS * sum) / weights) / spread : 0;
  let off = 0;
  for (let k = 0; k < length; k++) off += halfWidth[k]! * Math.abs(middle[k]! - sum / weights - lean * (k - meanS));
  const meanHalf = filled / 2 / length;
  return {
    axis,
    centre,
    start,
    end,
    middle,
    halfWidth,
    solidity: Math.min(1, area / filled),
    asymmetry: off / weights / meanHalf + Math.abs(lean),
    rectangularity: Math.min(1, area / (length * (most - least + 1))),
  };
}

/** The corners are what lies farthest in the four directions between the axis and across it. */
function overlapWithCorners({ width, height, inside, area }: Silhouette, { axis, centre, start, end, halfWidth }: AlongAxis): number {
  const [ax, ay] = axis;
  const length = (end - start + 1) / 2;
  const across = halfWidth.reduce((widest, half) => Math.max(widest, half), 0.5);
  const far = new Float64Array(4).fill(Number.NEGATIVE_INFINITY);
  const corner = new Float64Array(8);
  // A corner lies at an end of a row.
  for (let y = 0; y < height; y++) {
    const row = inside.subarray(y * width, (y + 1) * width);
    for (const x of [row.indexOf(1), row.lastIndexOf(1)]) {
      if (x < 0) break;
      const s = ax * (x - centre[0]) + ay * (y - centre[1]);
      const r = ax * (y - centre[1]) - ay * (x - centre[0]);
      for (let k = 0; k < 4; k++) {
        const distance = (k === 0 || k === 3 ? s : -s) / length + (k < 2 ? r : -r) / across;
        if (distance <= far[k]!) continue;
        far[k] = distance;
        // Corners are those of pixels, half a pixel further out than their centres.
        corner[k * 2] = s + (k === 0 || k === 3 ? 0.5 : -0.5);
        corner[k * 2 + 1] = r + (k < 2 ? 0.5 : -0.5);
      }
    }
  }
  let twice = 0;
  for (let k = 0; k < 4; k++) {
    const next = (k + 1) % 4;
    twice += corner[k * 2]! * corner[next * 2 + 1]! - corner[k * 2 + 1]! * corner[next * 2]!;
  }
  let both = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!inside[i]) continue;
      const s = ax * (x - centre[0]) + ay * (y - centre[1]);
      const r = ax * (y - centre[1]) - ay * (x - centre[0]);
      let within = 1;
      for (let k = 0; k < 4; k++) {
        const [s0, r0] = [corner[k * 2]!, corner[k * 2 + 1]!];
        const [s1, r1] = [corner[((k + 1) & 3) * 2]!, corner[((k + 1) & 3) * 2 + 1]!];
        if ((s1 - s0) * (r - r0) - (r1 - r0) * (s - s0) < 0) within = 0;
      }
      both += within;
    }
  }
  return both / Math.max(area + Math.abs(twice) / 2 - both, 1);
}
