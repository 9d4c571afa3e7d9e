// The inner loop of the renderer: four pixels of a row at a time.
import {
  CONIC_A,
  CONIC_B,
  CONIC_C,
  DEPTH,
  BLUE,
  FIRST_X,
  FIRST_Y,
  GREEN,
  LAST_X,
  LAST_Y,
  MEAN_X,
  MEAN_Y,
  NORMAL_X,
  NORMAL_Y,
  NORMAL_Z,
  OPACITY,
  RECORD,
  RED,
  TILE,
} from "./record";

const ROW: usize = 64; // 16 float32
const PLANE: usize = 1024; // 16 rows

// Constants of the inner loop, four times each: V8 loads them in one instruction, and builds literals anew in three.
const CONSTANTS: usize = memory.data<f32>([
  -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, // -log2 e
  -8.1, -8.1, -8.1, -8.1, // 2^-8.1 is less than 1/255: beyond, even an opaque splat is too faint
  12582912, 12582912, 12582912, 12582912, // 1.5·2²³
  1.000000075, 1.000000075, 1.000000075, 1.000000075,
  0.6931471880, 0.6931471880, 0.6931471880, 0.6931471880,
  0.2402210749, 0.2402210749, 0.2402210749, 0.2402210749,
  0.05550357114, 0.05550357114, 0.05550357114, 0.05550357114,
  0.009676031918, 0.009676031918, 0.009676031918, 0.009676031918,
  0.001339086336, 0.001339086336, 0.001339086336, 0.001339086336,
  0.003921568859368563, 0.003921568859368563, 0.003921568859368563, 0.003921568859368563, // 1/255
  1, 1, 1, 1,
  0.0001, 0.0001, 0.0001, 0.0001,
  -0.0, -0.0, -0.0, -0.0, // the sign bit
  5.55, 5.55, 5.55, 5.55, // more than ln 255
], 16);
/** 0 to 15: a conversion from an integer would wait for whatever last used a register that V8 keeps for scratch. */
const STEPS: usize = memory.data<f32>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 16);
/** What the inner loop takes of the splat in hand, four times each: V8 would otherwise work it out anew for every four pixels. */
const SCRATCH: usize = memory.data(128, 16);
const HALF_A: i32 = 0;
const CENTRE_X: i32 = 1;
const SPLAT_OPACITY: i32 = 2;
const SPLAT_RED: i32 = 3;
const SPLAT_GREEN: i32 = 4;
const SPLAT_BLUE: i32 = 5;
const LINEAR: i32 = 6;
const CONSTANT: i32 = 7;
const TO_BASE_2: i32 = 0;
const LOWEST: i32 = 1;
const MAGIC: i32 = 2;
const C0: i32 = 3;
const C1: i32 = 4;
const C2: i32 = 5;
const C3: i32 = 6;
const C4: i32 = 7;
const C5: i32 = 8;
const FAINTEST: i32 = 9;
const ONE: i32 = 10;
const STOP_AT: i32 = 11;
const SIGN: i32 = 12;
const CEILING: i32 = 13;

// @ts-ignore: decorator
@inline
function fixed(which: i32): v128 {
  return v128.load(CONSTANTS + (<usize>which << 4));
}

/**
 * 2^y for y in [-9, 0]: adding 1.5·2²³ rounds y to an integer that stands in the low bits; the rest by a polynomial that meets 2^f at the
 * Chebyshev nodes of [-½, ½], relative error 1e-7.
 */
// @ts-ignore: decorator
@inline
function exp2(y: v128): v128 {
  const magic = fixed(MAGIC);
  const shifted = f32x4.add(y, magic);
  const f = f32x4.sub(y, f32x4.sub(shifted, magic));
  const f2 = f32x4.mul(f, f);
  const low = f32x4.add(fixed(C0), f32x4.mul(fixed(C1), f));
  const middle = f32x4.add(fixed(C2), f32x4.mul(fixed(C3), f));
  const high = f32x4.add(fixed(C4), f32x4.mul(fixed(C5), f));
  const p = f32x4.add(low, f32x4.mul(f2, f32x4.add(middle, f32x4.mul(f2, high))));
  // Adding to the exponent's bits multiplies by 2^n.
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

// @ts-ignore: decorator
@inline
function keep(which: i32, value: f32): void {
  v128.store(SCRATCH + (<usize>which << 4), f32x4.splat(value));
}

// @ts-ignore: decorator
@inline
function kept(which: i32): v128 {
  return v128.load(SCRATCH + (<usize>which << 4));
}

@inline
function accumulate(at: usize, weight: v128, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), f32x4.mul(weight, value)));
}

/** Whether light still comes through any pixel of the tile: finished ones hold minus what is left. */
function alive(planes: usize): bool {
  const zero = f32x4.splat(0);
  let any = f32x4.splat(0);
  for (let at: usize = 0; at < PLANE; at += 16) any = v128.or(any, f32x4.gt(v128.load(planes + at), zero));
  return v128.any_true(any);
}

/**
 * Blends splats, nearest first, into the tile whose top-left pixel is (left, top), the centre of which is (originX, originY).
 *
 * records: all splats; list: indices (u32) of those of this tile, count of them.
 * planes: 16 × 16 float32 each of transmittance (set to 1 here), red, green, blue, then depth if extras ≥ 1, then three of normals if
 * extras ≥ 2; all but the first are set to 0 here.
 */
export function blend(records: usize, list: usize, count: i32, planes: usize, left: i32, top: i32, extras: i32, originX: f32, originY: f32, alphaCap: f32): void {
  memory.fill(planes + PLANE, 0, PLANE * (extras >= 2 ? 7 : extras >= 1 ? 4 : 3));
  for (let at: usize = 0; at < PLANE; at += 16) v128.store(planes + at, f32x4.splat(1));

  const zero = f32x4.splat(0);
  const cap = f32x4.splat(alphaCap);

  for (let i = 0; i < count; i++) {
    if ((i & 31) == 31 && !alive(planes)) return;
    const record = records + <usize>load<u32>(list + ((<usize>i) << 2)) * RECORD;
    // Centre, relative to the centre of the tile's first pixel.
    const x = load<f32>(record, MEAN_X) - originX;
    const y = load<f32>(record, MEAN_Y) - originY;
    const firstX = max(0, <i32>load<i16>(record, FIRST_X) - left) & ~3;
    const lastX = min(TILE - 1, <i32>load<i16>(record, LAST_X) - left);
    const firstY = max(0, <i32>load<i16>(record, FIRST_Y) - top);
    const lastY = min(TILE - 1, <i32>load<i16>(record, LAST_Y) - top);
    keep(HALF_A, <f32>0.5 * load<f32>(record, CONIC_A));
    keep(CENTRE_X, x);
    const b = load<f32>(record, CONIC_B);
    const halfC = <f32>0.5 * load<f32>(record, CONIC_C);
    keep(SPLAT_OPACITY, load<f32>(record, OPACITY));
    keep(SPLAT_RED, load<f32>(record, RED));
    keep(SPLAT_GREEN, load<f32>(record, GREEN));
    keep(SPLAT_BLUE, load<f32>(record, BLUE));

    for (let row = firstY; row <= lastY; row++) {
      const dy = load<f32>(STEPS + (<usize>row << 2)) - y;
      keep(LINEAR, b * dy);
      keep(CONSTANT, halfC * dy * dy);
      const rowAt = planes + <usize>row * ROW;
      for (let column = firstX; column <= lastX; column += 4) {
        const at = rowAt + ((<usize>column) << 2);
        const transmittance = v128.load(at);
        if (!v128.any_true(f32x4.gt(transmittance, zero))) continue;
        const dx = f32x4.sub(v128.load(STEPS + (<usize>column << 2)), kept(CENTRE_X));
        const q = f32x4.add(f32x4.mul(dx, f32x4.add(f32x4.mul(kept(HALF_A), dx), kept(LINEAR))), kept(CONSTANT));
        if (!v128.any_true(f32x4.le(q, fixed(CEILING)))) continue;
        const exponent = f32x4.pmax(fixed(LOWEST), f32x4.mul(q, fixed(TO_BASE_2)));
        let alpha = f32x4.pmin(cap, f32x4.mul(kept(SPLAT_OPACITY), exp2(exponent)));
        alpha = v128.and(alpha, v128.and(f32x4.ge(q, zero), f32x4.ge(alpha, fixed(FAINTEST))));
        const after = f32x4.mul(transmittance, f32x4.sub(fixed(ONE), alpha));
        // A pixel that stops now, or stopped before: what is left is kept with a minus sign.
        const stops = f32x4.le(after, fixed(STOP_AT));
        v128.store(at, v128.or(v128.and(v128.or(transmittance, fixed(SIGN)), stops), v128.andnot(after, stops)));
        const weight = v128.andnot(f32x4.mul(alpha, transmittance), stops);
        accumulate(at + PLANE, weight, kept(SPLAT_RED));
        accumulate(at + PLANE * 2, weight, kept(SPLAT_GREEN));
        accumulate(at + PLANE * 3, weight, kept(SPLAT_BLUE));
        if (extras > 0) {
          accumulate(at + PLANE * 4, weight, f32x4.splat(load<f32>(record, DEPTH)));
          if (extras > 1) {
            accumulate(at + PLANE * 5, weight, f32x4.splat(load<f32>(record, NORMAL_X)));
            accumulate(at + PLANE * 6, weight, f32x4.splat(load<f32>(record, NORMAL_Y)));
            accumulate(at + PLANE * 7, weight, f32x4.splat(load<f32>(record, NORMAL_Z)));
          }
        }
      }
    }
  }
}
