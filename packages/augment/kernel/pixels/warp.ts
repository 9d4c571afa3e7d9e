// Rows of warps. Places are float64, pixel centres at whole numbers.

/** Sources of a row under a matrix (nine float64, result to source). At and behind the horizon: NaN. */
export function matrixRow(xs: usize, ys: usize, count: i32, y: f64, matrix: usize): void {
  const a = load<f64>(matrix);
  const d = load<f64>(matrix, 24);
  const g = load<f64>(matrix, 48);
  const i = load<f64>(matrix, 64);
  const startX = load<f64>(matrix, 8) * y + load<f64>(matrix, 16);
  const startY = load<f64>(matrix, 32) * y + load<f64>(matrix, 40);
  const startW = load<f64>(matrix, 56) * y + i;
  const affine = g === 0 && load<f64>(matrix, 56) === 0;
  for (let k: i32 = 0; k < count; k += 2) {
    const x = f64x2(<f64>k, <f64>(k + 1));
    const u = f64x2.add(f64x2.mul(f64x2.splat(a), x), f64x2.splat(startX));
    const v = f64x2.add(f64x2.mul(f64x2.splat(d), x), f64x2.splat(startY));
    if (affine) {
      v128.store(xs + (<usize>k << 3), f64x2.div(u, f64x2.splat(i)));
      v128.store(ys + (<usize>k << 3), f64x2.div(v, f64x2.splat(i)));
    } else {
      const w = f64x2.add(f64x2.mul(f64x2.splat(g), x), f64x2.splat(startW));
      const seen = f64x2.gt(f64x2.mul(w, f64x2.splat(i)), f64x2.splat(0));
      const scale = v128.bitselect(f64x2.div(f64x2.splat(1), w), f64x2.splat(NaN), seen);
      v128.store(xs + (<usize>k << 3), f64x2.mul(u, scale));
      v128.store(ys + (<usize>k << 3), f64x2.mul(v, scale));
    }
  }
}

/** Sources of a row of a radial distortion about (cx, cy); `unit` scales squared distances. */
export function lensRow(xs: usize, ys: usize, count: i32, y: f64, cx: f64, cy: f64, unit: f64, k1: f64, k2: f64): void {
  const dy = f64x2.splat(y - cy);
  const dy2 = f64x2.mul(dy, dy);
  for (let k: i32 = 0; k < count; k += 2) {
    const dx = f64x2.sub(f64x2(<f64>k, <f64>(k + 1)), f64x2.splat(cx));
    const squared = f64x2.mul(f64x2.add(f64x2.mul(dx, dx), dy2), f64x2.splat(unit));
    const factor = f64x2.add(
      f64x2.add(f64x2.splat(1), f64x2.mul(f64x2.splat(k1), squared)),
      f64x2.mul(f64x2.mul(f64x2.splat(k2), squared), squared),
    );
    v128.store(xs + (<usize>k << 3), f64x2.add(f64x2.splat(cx), f64x2.mul(dx, factor)));
    v128.store(ys + (<usize>k << 3), f64x2.add(f64x2.splat(cy), f64x2.mul(dy, factor)));
  }
}

/** ln v of normal numbers to 1e-14: v = m 2^e with m about 1, ln m = 2 artanh((m - 1) / (m + 1)). */
// @ts-ignore: decorator
@inline
function logarithm(v: v128): v128 {
  const one = f64x2.splat(1);
  let e = i64x2.shr_u(v, 52);
  let m = v128.or(v128.and(v, i64x2.splat(0x000f_ffff_ffff_ffff)), i64x2.splat(0x3ff0_0000_0000_0000));
  const large = f64x2.gt(m, f64x2.splat(1.4142135623730951));
  m = v128.bitselect(f64x2.mul(m, f64x2.splat(0.5)), m, large);
  e = i64x2.sub(e, large);
  // The integer in the low bits of 2^52.
  const exponent = f64x2.sub(v128.or(e, i64x2.splat(0x4330_0000_0000_0000)), f64x2.splat(4503599627371519));
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let sum = f64x2.splat(1.0 / 15);
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 13));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 11));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 9));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 7));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 5));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 3));
  sum = f64x2.add(f64x2.mul(sum, z), one);
  return f64x2.add(f64x2.mul(exponent, f64x2.splat(0.6931471805599453)), f64x2.mul(f64x2.add(s, s), sum));
}

/**
 * Sources of a row of a thin-plate spline. Places are divided by (scaleX, scaleY) before and multiplied after.
 *
 * table: four float64 for each of `points`, x, y and the weights of either; then the six of the linear part, 1, x and y for x, then for y.
 */
export function splineRow(xs: usize, ys: usize, count: i32, y: f64, table: usize, points: i32, scaleX: f64, scaleY: f64): void {
  const linear = table + (<usize>points << 5);
  const v = y / scaleY;
  const startX = f64x2.splat(load<f64>(linear) + load<f64>(linear, 16) * v);
  const startY = f64x2.splat(load<f64>(linear, 24) + load<f64>(linear, 40) * v);
  const slopeX = v128.load64_splat(linear, 8);
  const slopeY = v128.load64_splat(linear, 32);
  for (let k: i32 = 0; k < count; k += 2) {
    const u = f64x2.div(f64x2(<f64>k, <f64>(k + 1)), f64x2.splat(scaleX));
    let sumX = f64x2.add(startX, f64x2.mul(slopeX, u));
    let sumY = f64x2.add(startY, f64x2.mul(slopeY, u));
    for (let at = table; at < linear; at += 32) {
      const dx = f64x2.sub(u, v128.load64_splat(at));
      const dy = v - load<f64>(at, 8);
      const squared = f64x2.add(f64x2.mul(dx, dx), f64x2.splat(dy * dy));
      const bend = f64x2.mul(squared, logarithm(squared));
      sumX = f64x2.add(sumX, f64x2.mul(bend, v128.load64_splat(at, 16)));
      sumY = f64x2.add(sumY, f64x2.mul(bend, v128.load64_splat(at, 24)));
    }
    v128.store(xs + (<usize>k << 3), f64x2.mul(sumX, f64x2.splat(scaleX)));
    v128.store(ys + (<usize>k << 3), f64x2.mul(sumY, f64x2.splat(scaleY)));
  }
}

// @ts-ignore: decorator
@inline
function pixel(at: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}

const replicate: i32 = 1;
const reflect: i32 = 2;

/** The place that stands for one beyond the ends, -1 if none does. */
// @ts-ignore: decorator
@inline
function inside(i: i32, length: i32, border: i32): i32 {
  if (<u32>i < <u32>length) return i;
  if (border === replicate) return i < 0 ? 0 : length - 1;
  if (border !== reflect) return -1;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  let place = i % period;
  if (place < 0) place += period;
  return place < length ? place : period - place;
}

// @ts-ignore: decorator
@inline
function tap(source: usize, x: i32, y: i32, width: i32, channels: i32, c: i32, outside: f64): f64 {
  return x < 0 || y < 0 ? outside : <f64>load<u8>(source + <usize>((y * width + x) * channels + c));
}

/**
 * A row of a bilinear warp of a picture of 1 or 3 channels, rounded. Taps that lie outside take, one by one, `outside` (border 0), the edge (1) or
 * the reflection (2).
 */
export function warpRow(
  source: usize,
  width: i32,
  height: i32,
  channels: i32,
  xs: usize,
  ys: usize,
  count: i32,
  target: usize,
  border: i32,
  outside: f64,
): void {
  const half = f32x4.splat(0.5);
  const rowBytes = <usize>(width * channels);
  const step = <usize>channels;
  const right = <f64>(width - 1);
  const bottom = <f64>(height - 1);
  let to = target;
  for (let i: i32 = 0; i < count; i++, to += step) {
    const x = load<f64>(xs + (<usize>i << 3));
    const y = load<f64>(ys + (<usize>i << 3));
    // Not inside also for NaN.
    if (x >= 0 && y >= 0 && x < right && y < bottom) {
      const x0 = <i32>x;
      const y0 = <i32>y;
      const fx = f32x4.splat(<f32>(x - <f64>x0));
      const fy = f32x4.splat(<f32>(y - <f64>y0));
      const at = source + <usize>y0 * rowBytes + <usize>x0 * step;
      const a = pixel(at);
      const c = pixel(at + rowBytes);
      const above = f32x4.add(a, f32x4.mul(fx, f32x4.sub(pixel(at + step), a)));
      const below = f32x4.add(c, f32x4.mul(fx, f32x4.sub(pixel(at + rowBytes + step), c)));
      const value = i32x4.trunc_sat_f32x4_s(f32x4.add(half, f32x4.add(above, f32x4.mul(fy, f32x4.sub(below, above)))));
      const words = i16x8.narrow_i32x4_s(value, value);
      // Four bytes for three: the next pixel writes over what is too much.
      v128.store32_lane(to, i8x16.narrow_i16x8_u(words, words), 0);
    } else if (abs<f64>(x) < 1e9 && abs<f64>(y) < 1e9) {
      const x0 = <i32>floor<f64>(x);
      const y0 = <i32>floor<f64>(y);
      const fx = x - <f64>x0;
      const fy = y - <f64>y0;
      const xa = inside(x0, width, border);
      const xb = inside(x0 + 1, width, border);
      const ya = inside(y0, height, border);
      const yb = inside(y0 + 1, height, border);
      for (let c: i32 = 0; c < channels; c++) {
        const above = tap(source, xa, ya, width, channels, c, outside) * (1 - fx) + tap(source, xb, ya, width, channels, c, outside) * fx;
        const below = tap(source, xa, yb, width, channels, c, outside) * (1 - fx) + tap(source, xb, yb, width, channels, c, outside) * fx;
        store<u8>(to + <usize>c, <u8>(<i32>(above * (1 - fy) + below * fy + 0.5)));
      }
    } else for (let c: i32 = 0; c < channels; c++) store<u8>(to + <usize>c, <u8>outside);
  }
}

/** A row of a warp by nearest neighbours of a picture of one channel; borders as in `warpRow`. */
export function nearestRow(
  source: usize,
  width: i32,
  height: i32,
  xs: usize,
  ys: usize,
  count: i32,
  target: usize,
  border: i32,
  outside: i32,
): void {
  for (let i: i32 = 0; i < count; i++) {
    const x = load<f64>(xs + (<usize>i << 3)) + 0.5;
    const y = load<f64>(ys + (<usize>i << 3)) + 0.5;
    let level = outside;
    if (x >= 0 && y >= 0 && x < <f64>width && y < <f64>height) {
      level = <i32>load<u8>(source + <usize>(<i32>y * width + <i32>x));
    } else if (border !== 0 && abs<f64>(x) < 1e9 && abs<f64>(y) < 1e9) {
      const row = inside(<i32>floor<f64>(y), height, border);
      level = <i32>load<u8>(source + <usize>(row * width + inside(<i32>floor<f64>(x), width, border)));
    }
    store<u8>(target + <usize>i, <u8>level);
  }
}
