/** Variance of the low-pass of views, px²: less than the usual 0.3, which blurs splats of one pixel. */
export const viewLowPass = 0.1;

/** Coverage from which a pixel among such is inside the product, however much shines through between its splats. */
const innerCoverage = 0.85;

/** Whether a pixel and its neighbours are covered well; beyond the first and the last row nothing is asked. */
export function isInner(alpha: Float32Array, i: number, width: number): boolean {
  return (
    alpha[i]! > innerCoverage &&
    (i === 0 || alpha[i - 1]! > innerCoverage) &&
    (i + 1 >= alpha.length || alpha[i + 1]! > innerCoverage) &&
    (i < width || alpha[i - width]! > innerCoverage) &&
    (i + width >= alpha.length || alpha[i + width]! > innerCoverage)
  );
}

/**
 * How much of a pixel on the outline is covered. Splats lie in a stack there, which fills up before the pixel does: the square undoes some of that, and
 * a share of the neighbours the rest.
 */
export function edgeCoverage(alpha: Float32Array, i: number, width: number): number {
  const own = alpha[i]!;
  const left = i > 0 ? alpha[i - 1]! : own;
  const right = i + 1 < alpha.length ? alpha[i + 1]! : own;
  const above = i >= width ? alpha[i - width]! : own;
  const below = i + width < alpha.length ? alpha[i + width]! : own;
  return (2 * squareOf(own) + squareOf(left) + squareOf(right) + squareOf(above) + squareOf(below)) / 6;
}

function squareOf(alpha: number): number {
  const most = Math.min(alpha, 1);
  return most * most;
}

const bins = 16;

/**
 * What the coverage of outline pixels stands for, learnt from the one view that is known: for each sixteenth of what is drawn from the photo's own
 * camera, the mean of the mask there; rising from 0 to 1.
 *
 * @param drawn [H, W] `edgeCoverage` where a pixel lies on the outline, NaN elsewhere.
 * @param coverage [H, W] the photo's mask, 0 to 1.
 */
export function outlineCurve(drawn: Float32Array, coverage: Float32Array): Float32Array {
  const [sums, counts] = [new Float64Array(bins + 1), new Float64Array(bins + 1)];
  for (let i = 0; i < drawn.length; i++) {
    // Each pixel counts for the two ends of its bin, by nearness; NaN for none.
    const place = Math.min(drawn[i]!, 1) * bins;
    if (!(place > 0.016 || coverage[i]! > 1e-3)) continue;
    const low = Math.min(Math.floor(place), bins - 1);
    if (!(low >= 0)) continue;
    const part = place - low;
    sums[low]! += (1 - part) * coverage[i]!;
    counts[low]! += 1 - part;
    sums[low + 1]! += part * coverage[i]!;
    counts[low + 1]! += part;
  }
  const curve = new Float32Array(bins + 1);
  for (let bin = 0; bin <= bins; bin++) {
    // As many made-up pixels that say what is drawn as keep a bin of one or two from saying anything.
    const learnt = (sums[bin]! + (4 * bin) / bins) / (counts[bin]! + 4);
    curve[bin] = bin === 0 ? 0 : bin === bins ? 1 : Math.max(curve[bin - 1]!, Math.min(1, learnt));
  }
  return curve;
}

/** The curve at a coverage. */
export function outlineShare(curve: Float32Array, drawn: number): number {
  const place = Math.min(Math.max(drawn, 0), 1) * bins;
  const low = Math.min(Math.floor(place), bins - 1);
  return curve[low]! + (curve[low + 1]! - curve[low]!) * (place - low);
}
