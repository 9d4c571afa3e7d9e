// What is done to each pixel by itself.

/** Every byte through a table of 256, two at a time by a table of all pairs, which is made at `pairs` (128 KiB). */
export function lookUp(data: usize, count: i32, table: usize, pairs: usize): void {
  for (let high: usize = 0; high < 256; high++) {
    const upper = i8x16.splat(load<i8>(table + high));
    const row = pairs + (high << 9);
    for (let low: usize = 0; low < 256; low += 16) {
      const lower = v128.load(table + low);
      v128.store(row + (low << 1), i8x16.shuffle(lower, upper, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(row + (low << 1), i8x16.shuffle(lower, upper, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    }
  }
  for (let i: i32 = 0; i < count; i += 8) {
    const at = data + <usize>i;
    const word = load<u64>(at);
    store<u16>(at, load<u16>(pairs + <usize>((word << 1) & 0x1fffe)));
    store<u16>(at, load<u16>(pairs + <usize>((word >> 15) & 0x1fffe)), 2);
    store<u16>(at, load<u16>(pairs + <usize>((word >> 31) & 0x1fffe)), 4);
    store<u16>(at, load<u16>(pairs + <usize>((word >> 47) & 0x1fffe)), 6);
  }
}

/** RGB pixels through a table of 256 per colour, one behind the other. */
export function lookUpColours(data: usize, pixels: i32, tables: usize): void {
  const end = data + <usize>pixels * 3;
  for (let at = data; at < end; at += 12) {
    const a = load<u64>(at);
    const b = load<u32>(at, 8);
    store<u8>(at, load<u8>(tables + <usize>(a & 255)));
    store<u8>(at, load<u8>(tables + <usize>((a >> 8) & 255), 256), 1);
    store<u8>(at, load<u8>(tables + <usize>((a >> 16) & 255), 512), 2);
    store<u8>(at, load<u8>(tables + <usize>((a >> 24) & 255)), 3);
    store<u8>(at, load<u8>(tables + <usize>((a >> 32) & 255), 256), 4);
    store<u8>(at, load<u8>(tables + <usize>((a >> 40) & 255), 512), 5);
    store<u8>(at, load<u8>(tables + <usize>((a >> 48) & 255)), 6);
    store<u8>(at, load<u8>(tables + <usize>(a >> 56), 256), 7);
    store<u8>(at, load<u8>(tables + <usize>(b & 255), 512), 8);
    store<u8>(at, load<u8>(tables + <usize>((b >> 8) & 255)), 9);
    store<u8>(at, load<u8>(tables + <usize>((b >> 16) & 255), 256), 10);
    store<u8>(at, load<u8>(tables + <usize>(b >> 24), 512), 11);
  }
}

// @ts-ignore: decorator
@inline
function coloured(luma: v128, colour: v128, factor: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.add(luma, f32x4.mul(f32x4.sub(colour, luma), factor)), f32x4.splat(0.5)));
}

/** RGB pixels away from their luma (Rec. 601) by a factor; rounded and clipped. Four at a time. */
export function saturate(data: usize, pixels: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const end = data + <usize>pixels * 3;
  for (let at = data; at < end; at += 12) {
    const own = v128.load(at);
    const red = f32x4.convert_i32x4_s(i8x16.swizzle(own, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1)));
    const green = f32x4.convert_i32x4_s(i8x16.swizzle(own, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1)));
    const blue = f32x4.convert_i32x4_s(i8x16.swizzle(own, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1)));
    const luma = f32x4.add(
      f32x4.add(f32x4.mul(red, f32x4.splat(0.299)), f32x4.mul(green, f32x4.splat(0.587))),
      f32x4.mul(blue, f32x4.splat(0.114)),
    );
    const redGreen = i16x8.narrow_i32x4_s(coloured(luma, red, factors), coloured(luma, green, factors));
    const blueBlue = coloured(luma, blue, factors);
    const planes = i8x16.narrow_i16x8_u(redGreen, i16x8.narrow_i32x4_s(blueBlue, blueBlue));
    const out = i8x16.swizzle(planes, i8x16(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1));
    v128.store64_lane(at, out, 0);
    v128.store32_lane(at, out, 2, 8);
  }
}

/**
 * Linear light times 1 + amount·slope, plus amount·add, per colour: `numbers` holds three slopes and three adds (float64), `amount` a
 * float32 per pixel, `linear` 256 float32, `bytes` 16385 bytes along linear light. Of `colours` (1 or 3) out of `channels`.
 */
export function applyLight(
  data: usize,
  pixels: i32,
  channels: i32,
  colours: i32,
  amount: usize,
  numbers: usize,
  linear: usize,
  bytes: usize,
): void {
  for (let pixel: i32 = 0; pixel < pixels; pixel++) {
    const share = <f64>load<f32>(amount + (<usize>pixel << 2));
    if (share === 0) continue;
    const at = data + <usize>(pixel * channels);
    for (let c: usize = 0; c < <usize>colours; c++) {
      const slope = load<f64>(numbers + (c << 3));
      const plus = load<f64>(numbers + (c << 3), 24);
      const light = <f64>load<f32>(linear + (<usize>load<u8>(at + c) << 2)) * (1 + share * slope) + share * plus;
      store<u8>(at + c, load<u8>(bytes + <usize>(<i32>(min<f64>(max<f64>(light, 0), 1) * 16384 + 0.5))));
    }
  }
}

/**
 * RGB pixels: decoded (256 float32), times a matrix (nine float64, row by row), clipped, encoded (16385 float32); the result is as far towards
 * that as `amount` says.
 */
export function mixColours(data: usize, pixels: i32, matrix: usize, decoded: usize, encoded: usize, amount: f64): void {
  const end = data + <usize>pixels * 3;
  for (let at = data; at < end; at += 3) {
    const r = <f64>load<f32>(decoded + (<usize>load<u8>(at) << 2));
    const g = <f64>load<f32>(decoded + (<usize>load<u8>(at, 1) << 2));
    const b = <f64>load<f32>(decoded + (<usize>load<u8>(at, 2) << 2));
    for (let c: usize = 0; c < 3; c++) {
      const row = matrix + c * 24;
      const mixed = min<f64>(max<f64>(load<f64>(row) * r + load<f64>(row, 8) * g + load<f64>(row, 16) * b, 0), 1);
      const right = <f64>load<u8>(at + c) / 255;
      const wrong = <f64>load<f32>(encoded + (<usize>(<i32>(mixed * 16384 + 0.5)) << 2));
      const value = right + amount * (wrong - right);
      store<u8>(at + c, <u8>(<i32>(min<f64>(max<f64>(value, 0), 1) * 255 + 0.5)));
    }
  }
}
