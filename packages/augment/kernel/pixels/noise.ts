// Random words and what is made of them, a piece at a time so that the words stay in the first cache.

/** Words per piece: a multiple of a block's four, and of three colours. */
const pieceWords: i32 = 6144;

/** Philox4x32-10: blocks [counter, 0, 0, 0], counter from `first` on, under a key; four words each. Four blocks at a time. */
export function philox(out: usize, blocks: i32, first: u32, key0: u32, key1: u32): void {
  const m0 = i32x4.splat(<i32>0xd2511f53);
  const m1 = i32x4.splat(<i32>0xcd9e8d57);
  for (let b: i32 = 0; b < blocks; b += 4) {
    let x0 = i32x4.add(i32x4.splat(<i32>first + b), i32x4(0, 1, 2, 3));
    let x1 = i32x4.splat(0);
    let x2 = i32x4.splat(0);
    let x3 = i32x4.splat(0);
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const low0 = i64x2.extmul_low_i32x4_u(x0, m0);
      const high0 = i64x2.extmul_high_i32x4_u(x0, m0);
      const low1 = i64x2.extmul_low_i32x4_u(x2, m1);
      const high1 = i64x2.extmul_high_i32x4_u(x2, m1);
      x0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), x1), i32x4.splat(<i32>k0));
      x2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), x3), i32x4.splat(<i32>k1));
      x1 = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6);
      x3 = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    // From a vector per word to a vector per block.
    const a = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
    const c = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
    const d = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
    const e = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<i64>(a, c, 0, 2));
    v128.store(out, v128.shuffle<i64>(a, c, 1, 3), 16);
    v128.store(out, v128.shuffle<i64>(d, e, 0, 2), 32);
    v128.store(out, v128.shuffle<i64>(d, e, 1, 3), 48);
    out += 64;
  }
}

/** Eight entries of a table of int16 at indices of 16 bits. */
// @ts-ignore: decorator
@inline
function gather(table: usize, indices: usize): v128 {
  const a = load<u64>(indices);
  const b = load<u64>(indices, 8);
  let out = i16x8.splat(0);
  out = v128.load16_lane(table + <usize>((a << 1) & 0x1fffe), out, 0);
  out = v128.load16_lane(table + <usize>((a >> 15) & 0x1fffe), out, 1);
  out = v128.load16_lane(table + <usize>((a >> 31) & 0x1fffe), out, 2);
  out = v128.load16_lane(table + <usize>((a >> 47) & 0x1fffe), out, 3);
  out = v128.load16_lane(table + <usize>((b << 1) & 0x1fffe), out, 4);
  out = v128.load16_lane(table + <usize>((b >> 15) & 0x1fffe), out, 5);
  out = v128.load16_lane(table + <usize>((b >> 31) & 0x1fffe), out, 6);
  return v128.load16_lane(table + <usize>((b >> 47) & 0x1fffe), out, 7);
}

/** Eight bytes plus int16 steps times (plain + proportional · byte); rounded and clipped. */
// @ts-ignore: decorator
@inline
function addSteps(at: usize, steps: v128, plain: v128, proportional: v128): void {
  const half = f32x4.splat(0.5);
  const levels = v128.load8x8_u(at);
  const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(levels));
  const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(levels));
  const a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(steps)), f32x4.add(plain, f32x4.mul(proportional, low)));
  const b = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(steps)), f32x4.add(plain, f32x4.mul(proportional, high)));
  // Towards zero is down, but for what is clipped anyway.
  const sums = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.add(low, a), half)),
    i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.add(high, b), half)),
  );
  v128.store64_lane(at, i8x16.narrow_i16x8_u(sums, sums), 0);
}

/**
 * Adds table[16 random bits] · (plain + proportional · byte) to bytes, one random number for each of `count` groups of `spread` (1 or 3) bytes.
 * `scratch` holds 32 KiB.
 */
export function addNormals(
  data: usize,
  count: i32,
  spread: i32,
  seed: u32,
  key: u32,
  table: usize,
  scratch: usize,
  plain: f32,
  proportional: f32,
): void {
  const plains = f32x4.splat(plain);
  const proportionals = f32x4.splat(proportional);
  for (let first: i32 = 0; first < count; first += pieceWords * 2) {
    const numbers = min<i32>(pieceWords * 2, count - first);
    philox(scratch, (numbers + 7) >> 3, <u32>(first >> 3), seed, key);
    if (spread === 1) {
      const at = data + <usize>first;
      for (let i: i32 = 0; i < numbers; i += 8) addSteps(at + <usize>i, gather(table, scratch + (<usize>i << 1)), plains, proportionals);
    } else {
      const at = data + <usize>first * 3;
      for (let i: i32 = 0; i < numbers; i += 8) {
        const own = gather(table, scratch + (<usize>i << 1));
        const to = at + <usize>i * 3;
        addSteps(to, v128.shuffle<i16>(own, own, 0, 0, 0, 1, 1, 1, 2, 2), plains, proportionals);
        addSteps(to + 8, v128.shuffle<i16>(own, own, 2, 3, 3, 3, 4, 4, 4, 5), plains, proportionals);
        addSteps(to + 16, v128.shuffle<i16>(own, own, 5, 5, 6, 6, 6, 7, 7, 7), plains, proportionals);
      }
    }
  }
}

/**
 * Noise in linear light: bytes through `linear` (256 float32), plus a normal times `deviation` (256 float32), and back through `bytes`
 * (16385 bytes along linear light).
 */
export function addSensorNoise(
  data: usize,
  count: i32,
  seed: u32,
  key: u32,
  table: usize,
  scratch: usize,
  linear: usize,
  deviation: usize,
  bytes: usize,
): void {
  for (let first: i32 = 0; first < count; first += pieceWords * 2) {
    const numbers = min<i32>(pieceWords * 2, count - first);
    philox(scratch, (numbers + 7) >> 3, <u32>(first >> 3), seed, key);
    for (let i: i32 = 0; i < numbers; i++) {
      const at = data + <usize>(first + i);
      const level = <usize>load<u8>(at) << 2;
      const steps = <f64>load<i16>(table + (<usize>load<u16>(scratch + (<usize>i << 1)) << 1));
      const light = <f64>load<f32>(linear + level) + steps * (1.0 / 4096.0) * <f64>load<f32>(deviation + level);
      store<u8>(at, load<u8>(bytes + <usize>(<i32>(min<f64>(max<f64>(light, 0), 1) * 16384 + 0.5))));
    }
  }
}

/** Bytes whose random number of 24 bits is below `low` become 0, those from `high` on 255. */
export function addImpulses(data: usize, count: i32, seed: u32, key: u32, scratch: usize, low: u32, high: u32): void {
  const lows = i32x4.splat(<i32>low);
  const highs = i32x4.splat(<i32>high);
  for (let first: i32 = 0; first < count; first += pieceWords) {
    const numbers = min<i32>(pieceWords, count - first);
    philox(scratch, (numbers + 3) >> 2, <u32>(first >> 2), seed, key);
    for (let i: i32 = 0; i < numbers; i += 16) {
      const words = scratch + (<usize>i << 2);
      const a = i32x4.shr_u(v128.load(words), 8);
      const b = i32x4.shr_u(v128.load(words, 16), 8);
      const c = i32x4.shr_u(v128.load(words, 32), 8);
      const d = i32x4.shr_u(v128.load(words, 48), 8);
      const pepper = i8x16.narrow_i16x8_s(
        i16x8.narrow_i32x4_s(i32x4.lt_s(a, lows), i32x4.lt_s(b, lows)),
        i16x8.narrow_i32x4_s(i32x4.lt_s(c, lows), i32x4.lt_s(d, lows)),
      );
      const salt = i8x16.narrow_i16x8_s(
        i16x8.narrow_i32x4_s(i32x4.ge_s(a, highs), i32x4.ge_s(b, highs)),
        i16x8.narrow_i32x4_s(i32x4.ge_s(c, highs), i32x4.ge_s(d, highs)),
      );
      const at = data + <usize>(first + i);
      v128.store(at, v128.andnot(v128.or(v128.load(at), salt), pepper));
    }
  }
}

/**
 * Counts of photons. For each level: where its steps begin (`starts`, 257 int32), for each 64th of the random number how many steps lie below it
 * (`guides`, 256 × 64 int16), the random numbers of 24 bits at which the outcome steps up (`steps`, int32) and the outcomes (`outcomes`, bytes: one
 * more than steps, so that those of level l begin at starts[l] + l).
 */
export function addPhotonNoise(
  data: usize,
  count: i32,
  seed: u32,
  key: u32,
  scratch: usize,
  starts: usize,
  guides: usize,
  steps: usize,
  outcomes: usize,
): void {
  for (let first: i32 = 0; first < count; first += pieceWords) {
    const numbers = min<i32>(pieceWords, count - first);
    philox(scratch, (numbers + 3) >> 2, <u32>(first >> 2), seed, key);
    for (let i: i32 = 0; i < numbers; i++) {
      const at = data + <usize>(first + i);
      const level = <usize>load<u8>(at);
      const uniform = load<u32>(scratch + (<usize>i << 2)) >> 8;
      const start = <usize>load<i32>(starts + (level << 2));
      const end = <usize>load<i32>(starts + (level << 2), 4);
      let k = start + <usize>load<u16>(guides + (level << 7) + ((<usize>uniform >> 18) << 1));
      while (k < end && load<u32>(steps + (k << 2)) <= uniform) k++;
      store<u8>(at, load<u8>(outcomes + k + level));
    }
  }
}
