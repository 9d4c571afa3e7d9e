// The inner loop of the renderer, in AssemblyScript with 128-bit SIMD: four pixels of a row at a time.
// Compiled by kernel/build.mjs into src/render/kernel-binary.ts. Only IEEE operations whose result is fixed are used
// (no relaxed SIMD, no host functions), so that every machine gives the same bits.

// A record, 16 float32; the layout of src/render/project.ts.
const MEAN_X: usize = 0;
const MEAN_Y: usize = 4;
const CONIC_A: usize = 8;
const CONIC_B: usize = 12;
const CONIC_C: usize = 16;
const OPACITY: usize = 20;
const RED: usize = 24;
const GREEN: usize = 28;
const BLUE: usize = 32;
const DEPTH: usize = 36;
const NORMAL_X: usize = 40;
const NORMAL_Y: usize = 44;
const NORMAL_Z: usize = 48;
const EXTENT_X: usize = 52;
const EXTENT_Y: usize = 56;
const RECORD: i32 = 6; // log2 of 64 bytes

const TILE: i32 = 16;
const ROW: usize = 64; // 16 float32
const PLANE: usize = 1024; // 16 rows

const ALPHA_FLOOR: f32 = 0.003921568859368563; // float32 of 1/255
const TRANSMITTANCE_FLOOR: f32 = 0.0001;
/** Beyond this exponent even an opaque splat is fainter than 1/255 (ln 255 = 5.5413). */
const EXPONENT_CEILING: f32 = 5.55;

/** 2^y for y in [-9, 0]: integer part by the exponent bits, the rest by its Taylor series; relative error 2e-7. */
// @ts-ignore: decorator
@inline
function exp2(y: v128): v128 {
  const n = f32x4.nearest(y);
  const f = f32x4.sub(y, n);
  let p = f32x4.splat(1.5403530e-4);
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.3333558e-3));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(9.6181291e-3));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(5.5504109e-2));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(2.4022651e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(6.9314718e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, exponent);
}

// @ts-ignore: decorator
@inline
function accumulate(at: usize, weight: v128, value: f32): void {
  v128.store(at, f32x4.add(v128.load(at), f32x4.mul(weight, f32x4.splat(value))));
}

/** Whether light still comes through any pixel of the tile: finished ones hold minus what is left. */
function alive(planes: usize): bool {
  const zero = f32x4.splat(0);
  let any = f32x4.splat(0);
  for (let at: usize = 0; at < PLANE; at += 16) any = v128.or(any, f32x4.gt(v128.load(planes + at), zero));
  return v128.any_true(any);
}

/**
 * Blends splats, nearest first, into the tile whose top-left pixel is (left, top).
 *
 * records: all splats; list: indices (u32) of those of this tile, count of them.
 * planes: 16 × 16 float32 each of transmittance (set to 1 here), red, green, blue, then depth if extras ≥ 1, then three of normals if
 * extras ≥ 2; all but the first are set to 0 here.
 */
export function blend(records: usize, list: usize, count: i32, planes: usize, left: i32, top: i32, extras: i32, alphaCap: f32): void {
  memory.fill(planes + PLANE, 0, PLANE * (extras >= 2 ? 7 : extras >= 1 ? 4 : 3));
  for (let at: usize = 0; at < PLANE; at += 16) v128.store(planes + at, f32x4.splat(1));

  const lanes = f32x4(0, 1, 2, 3);
  const zero = f32x4.splat(0);
  const cap = f32x4.splat(alphaCap);
  const faintest = f32x4.splat(ALPHA_FLOOR);
  const stopAt = f32x4.splat(TRANSMITTANCE_FLOOR);
  const ceiling = f32x4.splat(EXPONENT_CEILING);
  const toBase2 = f32x4.splat(-1.4426950408889634);
  const originX = <f32>left + 0.5;
  const originY = <f32>top + 0.5;

  for (let i = 0; i < count; i++) {
    if ((i & 63) == 63 && !alive(planes)) return;
    const record = records + ((<usize>load<u32>(list + ((<usize>i) << 2))) << RECORD);
    // Centre, relative to the centre of the tile's first pixel.
    const x = load<f32>(record, MEAN_X) - originX;
    const y = load<f32>(record, MEAN_Y) - originY;
    const reachX = load<f32>(record, EXTENT_X);
    const reachY = load<f32>(record, EXTENT_Y);
    const firstX = max(0, <i32>min<f32>(max<f32>(ceil(x - reachX), -1), 16)) & ~3;
    const lastX = min(TILE - 1, <i32>max<f32>(min<f32>(floor(x + reachX), 16), -1));
    const firstY = max(0, <i32>min<f32>(max<f32>(ceil(y - reachY), -1), 16));
    const lastY = min(TILE - 1, <i32>max<f32>(min<f32>(floor(y + reachY), 16), -1));
    const halfA = f32x4.splat(<f32>0.5 * load<f32>(record, CONIC_A));
    const b = load<f32>(record, CONIC_B);
    const halfC = <f32>0.5 * load<f32>(record, CONIC_C);
    const opacity = f32x4.splat(load<f32>(record, OPACITY));
    const red = load<f32>(record, RED);
    const green = load<f32>(record, GREEN);
    const blue = load<f32>(record, BLUE);
    const startX = f32x4.sub(lanes, f32x4.splat(x));

    for (let row = firstY; row <= lastY; row++) {
      const dy = <f32>row - y;
      const linear = f32x4.splat(b * dy);
      const constant = f32x4.splat(halfC * dy * dy);
      const rowAt = planes + <usize>row * ROW;
      for (let column = firstX; column <= lastX; column += 4) {
        const dx = f32x4.add(startX, f32x4.splat(<f32>column));
        const q = f32x4.add(f32x4.mul(dx, f32x4.add(f32x4.mul(halfA, dx), linear)), constant);
        let mask = v128.and(f32x4.ge(q, zero), f32x4.le(q, ceiling));
        if (!v128.any_true(mask)) continue;
        const at = rowAt + ((<usize>column) << 2);
        const alpha = f32x4.pmin(cap, f32x4.mul(opacity, exp2(f32x4.mul(q, toBase2))));
        const transmittance = v128.load(at);
        mask = v128.and(mask, v128.and(f32x4.ge(alpha, faintest), f32x4.gt(transmittance, zero)));
        if (!v128.any_true(mask)) continue;
        const light = f32x4.mul(alpha, transmittance);
        const after = f32x4.mul(transmittance, f32x4.sub(f32x4.splat(1), alpha));
        const stops = f32x4.le(after, stopAt);
        v128.store(at, v128.bitselect(v128.bitselect(f32x4.neg(transmittance), after, stops), transmittance, mask));
        const weight = v128.and(v128.andnot(mask, stops), light);
        accumulate(at + PLANE, weight, red);
        accumulate(at + PLANE * 2, weight, green);
        accumulate(at + PLANE * 3, weight, blue);
        if (extras > 0) {
          accumulate(at + PLANE * 4, weight, load<f32>(record, DEPTH));
          if (extras > 1) {
            accumulate(at + PLANE * 5, weight, load<f32>(record, NORMAL_X));
            accumulate(at + PLANE * 6, weight, load<f32>(record, NORMAL_Y));
            accumulate(at + PLANE * 7, weight, load<f32>(record, NORMAL_Z));
          }
        }
      }
    }
  }
}
