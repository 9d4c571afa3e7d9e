/**
 * A picture carried on smoothly into where it is not known: averages of what is known, coarse to fine (pull and push).
 *
 * @param values [H, W, 3]; changed where `known` is below 1.
 * @param known [H, W] 0 to 1.
 * @param fallback where nothing is known at all.
 */
function fillSmoothly(values: Float32Array, known: Float32Array, width: number, height: number, fallback: readonly [number, number, number]): void {
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const coarse = new Float32Array(w * h * 3);
  const weights = new Float32Array(w * h);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const weight = known[i]!;
      if (weight === 0) continue;
      const j = (y >> 1) * w + (x >> 1);
      weights[j]! += weight;
      coarse[j * 3]! += weight * values[i * 3]!;
      coarse[j * 3 + 1]! += weight * values[i * 3 + 1]!;
      coarse[j * 3 + 2]! += weight * values[i * 3 + 2]!;
    }
  }
  for (let j = 0; j < weights.length; j++) {
    const weight = weights[j]!;
    for (let c = 0; c < 3; c++) coarse[j * 3 + c] = weight > 0 ? coarse[j * 3 + c]! / weight : fallback[c]!;
    weights[j] = Math.min(weight, 1);
  }
  if (w > 1 || h > 1) fillSmoothly(coarse, weights, w, h, fallback);
  for (let y = 0; y < height; y++) {
    const v = Math.min(Math.max(y / 2 - 0.25, 0), h - 1);
    const y0 = Math.floor(v);
    const y1 = Math.min(y0 + 1, h - 1);
    const fy = v - y0;
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const weight = known[i]!;
      if (weight >= 1) continue;
      const u = Math.min(Math.max(x / 2 - 0.25, 0), w - 1);
      const x0 = Math.floor(u);
      const x1 = Math.min(x0 + 1, w - 1);
      const fx = u - x0;
      for (let c = 0; c < 3; c++) {
        const upper = coarse[(y0 * w + x0) * 3 + c]! * (1 - fx) + coarse[(y0 * w + x1) * 3 + c]! * fx;
        const lower = coarse[(y1 * w + x0) * 3 + c]! * (1 - fx) + coarse[(y1 * w + x1) * 3 + c]! * fx;
        const smooth = upper * (1 - fy) + lower * fy;
        values[i * 3 + c] = weight * values[i * 3 + c]! + (1 - weight) * smooth;
      }
    }
  }
}

/** Pixels round the product that are left out of the plate: they hold a soft edge or a sharp shadow. */
const halo = 2;

/**
 * The photo with the product painted out.
 *
 * @param rgb [H, W, 3], 0 to 1.
 * @param coverage [H, W] 0 to 1.
 * @returns [H, W, 3]; white if the product fills the frame.
 */
export function paintOut(rgb: Float32Array, coverage: Float32Array, width: number, height: number): Float32Array {
  const plate = rgb.slice();
  const known = new Float32Array(width * height);
  // Running maxima over the halo: rows, then columns.
  const rows = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let most = 0;
      for (let k = Math.max(x - halo, 0); k <= Math.min(x + halo, width - 1); k++) most = Math.max(most, coverage[y * width + k]!);
      rows[y * width + x] = most;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let most = 0;
      for (let k = Math.max(y - halo, 0); k <= Math.min(y + halo, height - 1); k++) most = Math.max(most, rows[k * width + x]!);
      known[y * width + x] = most < 0.02 ? 1 : 0;
    }
  }
  fillSmoothly(plate, known, width, height, [1, 1, 1]);
  return plate;
}
