// Pictures of bytes at other sizes; taps as area-resize.ts makes them: where they begin (int32), how many (int32), weights (float32).

/** Four values of a pixel as float32, of which those beyond its channels are the next one's. */
// @ts-ignore: decorator
@inline
function storePixel(at: usize, sum: v128): void {
  const whole = i32x4.trunc_sat_f32x4_s(sum);
  const words = i16x8.narrow_i32x4_s(whole, whole);
  v128.store32_lane(at, i8x16.narrow_i16x8_u(words, words), 0);
}

// @ts-ignore: decorator
@inline
function four(at: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
}

/** Each pixel is a weighted sum of rows, then of columns; rounded once. `line`: float32, one row of the source. Any number of taps. */
export function shrink(
  source: usize,
  widthIn: i32,
  channels: i32,
  target: usize,
  width: i32,
  height: i32,
  firstX: usize,
  countX: usize,
  weightsX: usize,
  strideX: i32,
  firstY: usize,
  countY: usize,
  weightsY: usize,
  strideY: i32,
  line: usize,
): void {
  const rowIn = widthIn * channels;
  const half = f32x4.splat(0.5);
  let to = target;
  for (let y: i32 = 0; y < height; y++) {
    const rows = load<i32>(countY + (<usize>y << 2));
    const start = source + <usize>(load<i32>(firstY + (<usize>y << 2)) * rowIn);
    const weights = weightsY + (<usize>(y * strideY) << 2);
    for (let i: i32 = 0; i < rowIn; i += 8) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let at = start + <usize>i;
      for (let k: i32 = 0; k < rows; k++) {
        const weight = v128.load32_splat(weights + (<usize>k << 2));
        const words = v128.load8x8_u(at);
        a = f32x4.add(a, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words))));
        b = f32x4.add(b, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words))));
        at += <usize>rowIn;
      }
      v128.store(line + (<usize>i << 2), a);
      v128.store(line + (<usize>i << 2), b, 16);
    }
    for (let x: i32 = 0; x < width; x++) {
      const taps = load<i32>(countX + (<usize>x << 2));
      const weight = weightsX + (<usize>(x * strideX) << 2);
      let at = line + (<usize>(load<i32>(firstX + (<usize>x << 2)) * channels) << 2);
      let sum = half;
      for (let k: i32 = 0; k < taps; k++) {
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight + (<usize>k << 2)), v128.load(at)));
        at += <usize>channels << 2;
      }
      storePixel(to, sum);
      to += <usize>channels;
    }
  }
}

/**
 * Between two pixels of two rows; rounded once. Two taps each (where the source has one row or column only, the second weighs 0). `lines`: float32, two
 * rows of the result, rounded up to 16 values each, and 64 bytes between them.
 */
export function stretch(
  source: usize,
  widthIn: i32,
  heightIn: i32,
  channels: i32,
  target: usize,
  width: i32,
  height: i32,
  firstX: usize,
  weightsX: usize,
  firstY: usize,
  weightsY: usize,
  lines: usize,
): void {
  const count = width * channels;
  // A gap between them, because the last pixel of a line writes four values.
  const lineBytes = (<usize>((count + 15) & ~15) << 2) + 64;
  const half = f32x4.splat(0.5);
  let have0: i32 = -1;
  let have1: i32 = -1;
  for (let y: i32 = 0; y < height; y++) {
    const row = load<i32>(firstY + (<usize>y << 2));
    const next = min<i32>(row + 1, heightIn - 1);
    // Rows alternate between the two lines, so that one that was the lower becomes the upper without being made again.
    const upper = lines + (row & 1 ? lineBytes : 0);
    const lower = lines + (row & 1 ? 0 : lineBytes);
    if ((row & 1 ? have1 : have0) !== row) {
      across(source + <usize>(row * widthIn * channels), widthIn, channels, upper, width, firstX, weightsX);
      if (row & 1) have1 = row;
      else have0 = row;
    }
    if (next !== row && (row & 1 ? have0 : have1) !== next) {
      across(source + <usize>(next * widthIn * channels), widthIn, channels, lower, width, firstX, weightsX);
      if (row & 1) have0 = next;
      else have1 = next;
    }
    const below = next === row ? upper : lower;
    const w0 = v128.load32_splat(weightsY + (<usize>y << 3));
    const w1 = v128.load32_splat(weightsY + (<usize>y << 3), 4);
    const to = target + <usize>(y * count);
    for (let i: i32 = 0; i < count; i += 16) {
      const at = <usize>i << 2;
      const a = mixed(upper + at, below + at, w0, w1, half);
      const b = mixed(upper + at + 16, below + at + 16, w0, w1, half);
      const c = mixed(upper + at + 32, below + at + 32, w0, w1, half);
      const d = mixed(upper + at + 48, below + at + 48, w0, w1, half);
      v128.store(to + <usize>i, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
    }
  }
}

// @ts-ignore: decorator
@inline
function mixed(upper: usize, lower: usize, w0: v128, w1: v128, half: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.add(half, f32x4.add(f32x4.mul(w0, v128.load(upper)), f32x4.mul(w1, v128.load(lower)))));
}

function across(source: usize, widthIn: i32, channels: i32, line: usize, width: i32, firstX: usize, weightsX: usize): void {
  let to = line;
  for (let x: i32 = 0; x < width; x++) {
    const first = load<i32>(firstX + (<usize>x << 2));
    const a = source + <usize>(first * channels);
    const b = source + <usize>(min<i32>(first + 1, widthIn - 1) * channels);
    const w0 = v128.load32_splat(weightsX + (<usize>x << 3));
    const w1 = v128.load32_splat(weightsX + (<usize>x << 3), 4);
    v128.store(to, f32x4.add(f32x4.mul(w0, four(a)), f32x4.mul(w1, four(b))));
    to += <usize>channels << 2;
  }
}
