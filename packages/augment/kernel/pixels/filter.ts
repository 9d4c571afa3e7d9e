// Weighted sums over neighbourhoods; at the border pictures are reflected, the edge itself once.

// @ts-ignore: decorator
@inline
function reflected(i: i32, length: i32): i32 {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  let place = i % period;
  if (place < 0) place += period;
  return place < length ? place : period - place;
}

/** A row of bytes as int16 with `bits` fractional bits, and `reach` pixels reflected at each end before and behind it. */
function paddedRow(source: usize, line: usize, width: i32, channels: i32, reach: i32, bits: i32): void {
  const count = width * channels;
  const start = line + (<usize>(reach * channels) << 1);
  for (let i: i32 = 0; i < count; i += 8) v128.store(start + (<usize>i << 1), i16x8.shl(v128.load8x8_u(source + <usize>i), bits));
  for (let x: i32 = 0; x < reach; x++) {
    const left = source + <usize>(reflected(x - reach, width) * channels);
    const right = source + <usize>(reflected(width + x, width) * channels);
    for (let c: i32 = 0; c < channels; c++) {
      store<i16>(line + (<usize>(x * channels + c) << 1), <i16>load<u8>(left + <usize>c) << <i16>bits);
      store<i16>(line + (<usize>((reach + width + x) * channels + c) << 1), <i16>load<u8>(right + <usize>c) << <i16>bits);
    }
  }
}

/**
 * A symmetric filter along both axes of a picture of bytes, in place: weights of 15 bits from the middle (halved) outwards, sums of 16 bits
 * with 6 fractional bits. `reach` of 1 or more.
 *
 * @param line int16, (width + 2 reach) channels of them
 * @param ring int16, 2 reach + 1 rows of width · channels rounded up to 16
 * @param rows room for 2 reach + 1 addresses
 */
export function convolveSeparably(
  data: usize,
  width: i32,
  height: i32,
  channels: i32,
  weights: usize,
  reach: i32,
  line: usize,
  ring: usize,
  rows: usize,
): void {
  const count = width * channels;
  const size = 2 * reach + 1;
  const rowBytes = <usize>((count + 15) & ~15) << 1;
  const start = line + (<usize>(reach * channels) << 1);
  for (let y: i32 = 0; y < height + reach; y++) {
    if (y < height) {
      paddedRow(data + <usize>(y * count), line, width, channels, reach, 6);
      acrossRow(start, ring + <usize>(y % size) * rowBytes, count, channels, weights, reach);
    }
    const row = y - reach;
    if (row < 0) continue;
    for (let k: i32 = 0; k <= reach; k++) {
      store<usize>(rows + (<usize>k << 3), ring + <usize>(reflected(row - k, height) % size) * rowBytes);
      store<usize>(rows + (<usize>k << 3), ring + <usize>(reflected(row + k, height) % size) * rowBytes, 4);
    }
    downRow(rows, data + <usize>(row * count), count, weights, reach);
  }
}

function acrossRow(source: usize, target: usize, count: i32, channels: i32, weights: usize, reach: i32): void {
  const step: usize = <usize>channels << 1;
  for (let i: i32 = 0; i < count; i += 16) {
    const at = source + (<usize>i << 1);
    const middleWeight = v128.load16_splat(weights);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    let first = i16x8.q15mulr_sat_s(i16x8.add(a, a), middleWeight);
    let second = i16x8.q15mulr_sat_s(i16x8.add(b, b), middleWeight);
    let left = at;
    let right = at;
    let weightAt = weights;
    for (let k: i32 = 1; k <= reach; k++) {
      left -= step;
      right += step;
      weightAt += 2;
      const weight = v128.load16_splat(weightAt);
      first = i16x8.add(first, i16x8.q15mulr_sat_s(i16x8.add(v128.load(left), v128.load(right)), weight));
      second = i16x8.add(second, i16x8.q15mulr_sat_s(i16x8.add(v128.load(left, 16), v128.load(right, 16)), weight));
    }
    v128.store(target + (<usize>i << 1), first);
    v128.store(target + (<usize>i << 1), second, 16);
  }
}

function downRow(rows: usize, target: usize, count: i32, weights: usize, reach: i32): void {
  const half = i16x8.splat(32);
  for (let i: i32 = 0; i < count; i += 16) {
    const offset = <usize>i << 1;
    const at = load<usize>(rows) + offset;
    const middleWeight = v128.load16_splat(weights);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    let first = i16x8.q15mulr_sat_s(i16x8.add(a, a), middleWeight);
    let second = i16x8.q15mulr_sat_s(i16x8.add(b, b), middleWeight);
    let pair = rows;
    let weightAt = weights;
    for (let k: i32 = 1; k <= reach; k++) {
      pair += 8;
      weightAt += 2;
      const above = load<usize>(pair) + offset;
      const below = load<usize>(pair, 4) + offset;
      const weight = v128.load16_splat(weightAt);
      first = i16x8.add(first, i16x8.q15mulr_sat_s(i16x8.add(v128.load(above), v128.load(below)), weight));
      second = i16x8.add(second, i16x8.q15mulr_sat_s(i16x8.add(v128.load(above, 16), v128.load(below, 16)), weight));
    }
    const bytes = i8x16.narrow_i16x8_u(i16x8.shr_s(i16x8.add_sat_s(first, half), 6), i16x8.shr_s(i16x8.add_sat_s(second, half), 6));
    // Of the last vector only what belongs to the row: in place, the next row may not have been read yet where pictures are narrow.
    if (i + 16 <= count) v128.store(target + <usize>i, bytes);
    else storePart(target + <usize>i, bytes, count - i);
  }
}

function storePart(at: usize, bytes: v128, count: i32): void {
  let rest = bytes;
  for (let i: i32 = 0; i < count; i++) {
    store<u8>(at + <usize>i, i8x16.extract_lane_u(rest, 0));
    rest = i8x16.shuffle(rest, rest, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
  }
}

/** The whole picture as int16, with pixels reflected on all sides. */
export function padded(source: usize, plane: usize, width: i32, height: i32, channels: i32, reachX: i32, reachY: i32): void {
  const count = width * channels;
  const rowBytes = <usize>((width + 2 * reachX) * channels) << 1;
  for (let y: i32 = 0; y < height; y++) paddedRow(source + <usize>(y * count), plane + <usize>(y + reachY) * rowBytes, width, channels, reachX, 0);
  for (let y: i32 = 0; y < reachY; y++) {
    memory.copy(plane + <usize>y * rowBytes, plane + <usize>(reachY + reflected(y - reachY, height)) * rowBytes, rowBytes);
    memory.copy(plane + <usize>(reachY + height + y) * rowBytes, plane + <usize>(reachY + reflected(height + y, height)) * rowBytes, rowBytes);
  }
}

/**
 * out[i] = middle·in[i] + Σ pairs w_p·(in[i + offset_p] + in[i - offset_p]): int16 in, bytes out, rounded, for every row of a padded plane.
 * Offsets in bytes, an even number of them; weights of 15 bits whose sum, the pairs' twice, is 2^15; sums are exact.
 *
 * @param plane where the first pixel of the result lies in the padded plane
 */
export function convolveSymmetrically(
  plane: usize,
  rowBytes: i32,
  target: usize,
  count: i32,
  height: i32,
  middle: i32,
  offsets: usize,
  weights: usize,
  pairs: i32,
): void {
  const centre = i32x4.splat(middle);
  for (let y: i32 = 0; y < height; y++) {
    const row = plane + <usize>(y * rowBytes);
    const to = target + <usize>(y * count);
    for (let i: i32 = 0; i < count; i += 16) {
      const at = row + (<usize>i << 1);
      const zero = i16x8.splat(0);
      const half = i32x4.splat(1 << 14);
      const u = v128.load(at);
      const v = v128.load(at, 16);
      let s0 = i32x4.add(half, i32x4.dot_i16x8_s(low(u, zero), centre));
      let s1 = i32x4.add(half, i32x4.dot_i16x8_s(high(u, zero), centre));
      let s2 = i32x4.add(half, i32x4.dot_i16x8_s(low(v, zero), centre));
      let s3 = i32x4.add(half, i32x4.dot_i16x8_s(high(v, zero), centre));
      let offsetAt = offsets;
      let weightAt = weights;
      for (let p: i32 = 0; p < pairs; p += 2) {
        const first = <usize>load<i32>(offsetAt);
        const second = <usize>load<i32>(offsetAt, 4);
        const weight = v128.load32_splat(weightAt);
        offsetAt += 8;
        weightAt += 4;
        const a = i16x8.add(v128.load(at + first), v128.load(at - first));
        const b = i16x8.add(v128.load(at + second), v128.load(at - second));
        const c = i16x8.add(v128.load(at + first, 16), v128.load(at - first, 16));
        const d = i16x8.add(v128.load(at + second, 16), v128.load(at - second, 16));
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(low(a, b), weight));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(high(a, b), weight));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(low(c, d), weight));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(high(c, d), weight));
      }
      const left = i16x8.narrow_i32x4_s(i32x4.shr_s(s0, 15), i32x4.shr_s(s1, 15));
      const right = i16x8.narrow_i32x4_s(i32x4.shr_s(s2, 15), i32x4.shr_s(s3, 15));
      v128.store(to + <usize>i, i8x16.narrow_i16x8_u(left, right));
    }
  }
}

/** As `convolveSymmetrically` for any kernel: out[i] = Σ taps w_t·in[i + offset_t]. */
export function convolveSparsely(
  plane: usize,
  rowBytes: i32,
  target: usize,
  count: i32,
  height: i32,
  offsets: usize,
  weights: usize,
  taps: i32,
): void {
  for (let y: i32 = 0; y < height; y++) {
    const row = plane + <usize>(y * rowBytes);
    const to = target + <usize>(y * count);
    for (let i: i32 = 0; i < count; i += 8) {
      const at = row + (<usize>i << 1);
      let s0 = i32x4.splat(1 << 14);
      let s1 = i32x4.splat(1 << 14);
      for (let t: i32 = 0; t < taps; t += 2) {
        const a = v128.load(at + <usize>load<i32>(offsets + (<usize>t << 2)));
        const b = v128.load(at + <usize>load<i32>(offsets + (<usize>t << 2), 4));
        const weight = v128.load32_splat(weights + (<usize>t << 1));
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(low(a, b), weight));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(high(a, b), weight));
      }
      const both = i16x8.narrow_i32x4_s(i32x4.shr_s(s0, 15), i32x4.shr_s(s1, 15));
      v128.store64_lane(to + <usize>i, i8x16.narrow_i16x8_u(both, both), 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * out[i] = Σ_k taps[k]·in[i + k·step]: float32 in and out, sums and taps float64. `count` values, rounded up to 4.
 */
export function smoothFloats(source: usize, target: usize, count: i32, step: i32, taps: usize, tapCount: i32): void {
  const stepBytes = <usize>step << 2;
  for (let i: i32 = 0; i < count; i += 4) {
    let at = source + (<usize>i << 2);
    let first = f64x2.splat(0);
    let second = f64x2.splat(0);
    for (let k: i32 = 0; k < tapCount; k++) {
      const tap = v128.load64_splat(taps + (<usize>k << 3));
      const values = v128.load(at);
      first = f64x2.add(first, f64x2.mul(tap, f64x2.promote_low_f32x4(values)));
      second = f64x2.add(second, f64x2.mul(tap, f64x2.promote_low_f32x4(v128.shuffle<i64>(values, values, 1, 1))));
      at += stepBytes;
    }
    v128.store(target + (<usize>i << 2), v128.shuffle<i64>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 2));
  }
}
