// Inner loops of the degradations on 8-bit pictures, in AssemblyScript with 128-bit SIMD.
// Compiled by kernel/build-pixels.mjs into src/degradations/pixel-kernel-binary.ts. Only operations whose result is fixed are used, so that
// every machine gives the same bits. All addresses are in bytes; the caller lays out the memory.

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** Philox4x32-10: blocks [counter, 0, 0, 0], counter from `first` on, under a key; four words each. Two blocks at a time. */
export function philox(out: usize, blocks: i32, first: u32, key0: u32, key1: u32): void {
  for (let b: i32 = 0; b < blocks; b++) {
    let x0: u32 = first + <u32>b;
    let x1: u32 = 0;
    let x2: u32 = 0;
    let x3: u32 = 0;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const p0: u64 = M0 * <u64>x0;
      const p1: u64 = M1 * <u64>x2;
      x0 = <u32>(p1 >> 32) ^ x1 ^ k0;
      x1 = <u32>p1;
      x2 = <u32>(p0 >> 32) ^ x3 ^ k1;
      x3 = <u32>p0;
      k0 += W0;
      k1 += W1;
    }
    store<u32>(out, x0);
    store<u32>(out, x1, 4);
    store<u32>(out, x2, 8);
    store<u32>(out, x3, 12);
    out += 16;
  }
}

/** Adds table[bits of 16] (steps of 1/4096) times `scale` to each of `count` bytes, from the words of `philox`; rounded and clipped. */
export function addNormals(data: usize, count: i32, words: usize, table: usize, scale: f32): void {
  for (let i = 0; i < count; i++) {
    const normal = <f32>load<i16>(table + (<usize>load<u16>(words + (<usize>i << 1)) << 1));
    const value = <i32>floor<f32>(<f32>load<u8>(data + <usize>i) + scale * normal + 0.5);
    store<u8>(data + <usize>i, <u8>min<i32>(max<i32>(value, 0), 255));
  }
}

/**
 * One pass of a symmetric filter along memory: out[i] = Σ_k w_k·(in[i - k·step] + in[i + k·step]), on int16 with 6 fractional bits, weights of
 * 15 bits. `weights[0]` stands for the middle, halved. `length` values, rounded up to 8.
 */
export function symmetricPass(source: usize, target: usize, length: i32, step: i32, weights: usize, reach: i32): void {
  const bytes: usize = <usize>step << 1;
  for (let i: i32 = 0; i < length; i += 8) {
    const at = source + (<usize>i << 1);
    const middle = v128.load(at);
    let sum = i16x8.q15mulr_sat_s(i16x8.add(middle, middle), v128.load16_splat(weights));
    let left = at - bytes;
    let right = at + bytes;
    for (let k: i32 = 1; k <= reach; k++) {
      sum = i16x8.add(sum, i16x8.q15mulr_sat_s(i16x8.add(v128.load(left), v128.load(right)), v128.load16_splat(weights + (<usize>k << 1))));
      left -= bytes;
      right += bytes;
    }
    v128.store(target + (<usize>i << 1), sum);
  }
}

/** Bytes to int16 with `bits` fractional bits. `count` rounded up to 8. */
export function widen(source: usize, target: usize, count: i32, bits: i32): void {
  for (let i: i32 = 0; i < count; i += 8) {
    v128.store(target + (<usize>i << 1), i16x8.shl(v128.load8x8_u(source + <usize>i), bits));
  }
}

/** int16 with `bits` fractional bits to bytes, halves up. `count` rounded up to 8. */
export function narrow(source: usize, target: usize, count: i32, bits: i32): void {
  const half = i16x8.splat(<i16>(1) << <i16>(bits - 1));
  for (let i: i32 = 0; i < count; i += 8) {
    const value = i16x8.shr_s(i16x8.add_sat_s(v128.load(source + (<usize>i << 1)), half), bits);
    v128.store64_lane(target + <usize>i, i8x16.narrow_i16x8_u(value, value), 0);
  }
}

/**
 * out[i] = Σ taps w_t·in[i + offset_t]: int16 in, bytes out, rounded. Offsets in bytes, weights of 15 bits that sum to 2^15; sums are exact.
 * An even number of taps; `length` rounded up to 8.
 */
export function sparsePass(source: usize, target: usize, length: i32, offsets: usize, weights: usize, taps: i32): void {
  for (let i: i32 = 0; i < length; i += 8) {
    const at = source + (<usize>i << 1);
    let low = i32x4.splat(1 << 14);
    let high = i32x4.splat(1 << 14);
    for (let t: i32 = 0; t < taps; t += 2) {
      const a = v128.load(at + <usize>load<i32>(offsets + (<usize>t << 2)));
      const b = v128.load(at + <usize>load<i32>(offsets + (<usize>t << 2), 4));
      const pair = v128.load32_splat(weights + (<usize>t << 1));
      low = i32x4.add(low, i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), pair));
      high = i32x4.add(high, i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), pair));
    }
    const both = i16x8.narrow_i32x4_s(i32x4.shr_s(low, 15), i32x4.shr_s(high, 15));
    v128.store64_lane(target + <usize>i, i8x16.narrow_i16x8_u(both, both), 0);
  }
}

/**
 * A row of a bilinear warp of an RGB picture: sources (float64) to bytes, rounded. Pixels whose taps do not all lie inside are left
 * alone and counted; their numbers are listed at `misses`.
 */
export function warpRow3(source: usize, width: i32, height: i32, xs: usize, ys: usize, count: i32, target: usize, misses: usize): i32 {
  let missed: i32 = 0;
  const half = f32x4.splat(0.5);
  const rowBytes = <usize>width * 3;
  for (let i: i32 = 0; i < count; i++) {
    const x = load<f64>(xs + (<usize>i << 3));
    const y = load<f64>(ys + (<usize>i << 3));
    // Not inside also for NaN. One pixel less on the right, because four bytes are read for three.
    if (!(x >= 0 && y >= 0 && x < <f64>(width - 2) && y < <f64>(height - 1))) {
      store<i32>(misses + (<usize>missed << 2), i);
      missed++;
      continue;
    }
    const x0 = <i32>x;
    const y0 = <i32>y;
    const fx = f32x4.splat(<f32>(x - <f64>x0));
    const fy = f32x4.splat(<f32>(y - <f64>y0));
    const at = source + <usize>y0 * rowBytes + <usize>x0 * 3;
    const a = pixel(at);
    const b = pixel(at + 3);
    const c = pixel(at + rowBytes);
    const d = pixel(at + rowBytes + 3);
    const above = f32x4.add(a, f32x4.mul(fx, f32x4.sub(b, a)));
    const below = f32x4.add(c, f32x4.mul(fx, f32x4.sub(d, c)));
    const value = i32x4.trunc_sat_f32x4_s(f32x4.add(half, f32x4.add(above, f32x4.mul(fy, f32x4.sub(below, above)))));
    const to = target + <usize>i * 3;
    store<u8>(to, <u8>i32x4.extract_lane(value, 0));
    store<u8>(to, <u8>i32x4.extract_lane(value, 1), 1);
    store<u8>(to, <u8>i32x4.extract_lane(value, 2), 2);
  }
  return missed;
}

// @ts-ignore: decorator
@inline
function pixel(at: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}
