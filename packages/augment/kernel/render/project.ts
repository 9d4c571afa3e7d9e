// Splats on a camera's image plane, two at a time in float64. src/render/project.ts says what a record holds.
import { RECORD } from "./record";

/** Splats handed over at once; the areas of a chunk have room for one more, so that their number can be rounded up to an even one. */
const CHUNK: usize = 4096;
const MEANS: usize = 0;
const SCALES: usize = MEANS + (CHUNK + 4) * 12;
const QUATERNIONS: usize = SCALES + (CHUNK + 4) * 12;
const OPACITIES: usize = QUATERNIONS + (CHUNK + 4) * 16;
const COLOURS: usize = OPACITIES + (CHUNK + 4) * 4;

// Parameters, float64 each.
const VIEW: i32 = 0; // three rows of four
const FX: i32 = 12;
const FY: i32 = 13;
const CX: i32 = 14;
const CY: i32 = 15;
const NEAR: i32 = 16;
const FAR: i32 = 17;
const MIN_X: i32 = 18;
const MAX_X: i32 = 19;
const MIN_Y: i32 = 20;
const MAX_Y: i32 = 21;
const WIDTH: i32 = 22;
const HEIGHT: i32 = 23;
const LOW_PASS: i32 = 24;
const FLOOR: i32 = 25;
const ANTIALIASED: i32 = 26;
const ALPHA_FLOOR: i32 = 27;
const RADIUS: i32 = 28;

// @ts-ignore: decorator
@inline
function given(parameters: usize, which: i32): v128 {
  return v128.load64_splat(parameters + (<usize>which << 3));
}

/** Of two triples (x y z, x y z) in a and the low half of b. */
// @ts-ignore: decorator
@inline
function first(a: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(a, a, 0, 3, 0, 3));
}

// @ts-ignore: decorator
@inline
function second(a: v128, b: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(a, b, 1, 4, 1, 4));
}

// @ts-ignore: decorator
@inline
function third(a: v128, b: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(a, b, 2, 5, 2, 5));
}

// @ts-ignore: decorator
@inline
function dot(a: v128, x: v128, b: v128, y: v128, c: v128, z: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.mul(a, x), f64x2.mul(b, y)), f64x2.mul(c, z));
}

/** Standard deviations to where a splat falls to 1/255, or a little more: √(2 ln(255 opacity)), with ln m < (m - 1)/√m + 0.002 about 1. */
function reachOf(opacity: f64, radius: f64): f64 {
  if (opacity > 0.9) return radius;
  const bits = reinterpret<i64>(255 * opacity);
  let exponent = <f64>((bits >> 52) - 1023);
  let m = reinterpret<f64>((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  return sqrt<f64>(2 * (exponent * 0.6931471805599453 + (m - 1) / sqrt<f64>(m) + 0.002) + 1e-4);
}

/**
 * Projects a chunk, and drops those outside near, far and frame, and those fainter than 1/255.
 *
 * records, ranges (four int16 each), index (u32, from `base` on): of all that were kept, `kept` of them before. Returns how many now.
 * Colours are those of degree 0, normals are left 0.
 */
export function project(chunk: usize, count: i32, base: i32, parameters: usize, records: usize, ranges: usize, index: usize, kept: i32): i32 {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const half = f64x2.splat(0.5);
  const radius = load<f64>(parameters + (<usize>RADIUS << 3));
  const antialiased = load<f64>(parameters + (<usize>ANTIALIASED << 3)) != 0;
  for (let i = 0; i < count; i += 2) {
    const at3 = chunk + <usize>i * 12;
    const m0 = v128.load(at3, MEANS);
    const m1 = v128.load64_zero(at3, MEANS + 16);
    const mx = first(m0);
    const my = second(m0, m1);
    const mz = third(m0, m1);
    const w20 = given(parameters, VIEW + 8);
    const w21 = given(parameters, VIEW + 9);
    const w22 = given(parameters, VIEW + 10);
    const z = f64x2.add(dot(w20, mx, w21, my, w22, mz), given(parameters, VIEW + 11));
    let seen = v128.and(f64x2.gt(z, given(parameters, NEAR)), f64x2.lt(z, given(parameters, FAR)));
    if (!v128.any_true(seen)) continue;
    const w00 = given(parameters, VIEW);
    const w01 = given(parameters, VIEW + 1);
    const w02 = given(parameters, VIEW + 2);
    const w10 = given(parameters, VIEW + 4);
    const w11 = given(parameters, VIEW + 5);
    const w12 = given(parameters, VIEW + 6);
    const x = f64x2.add(dot(w00, mx, w01, my, w02, mz), given(parameters, VIEW + 3));
    const y = f64x2.add(dot(w10, mx, w11, my, w12, mz), given(parameters, VIEW + 7));

    const q0 = v128.load(chunk + (<usize>i << 4), QUATERNIONS);
    const q1 = v128.load(chunk + (<usize>i << 4), QUATERNIONS + 16);
    const qw = f64x2.promote_low_f32x4(v128.shuffle<f32>(q0, q1, 0, 4, 0, 4));
    const qx = f64x2.promote_low_f32x4(v128.shuffle<f32>(q0, q1, 1, 5, 1, 5));
    const qy = f64x2.promote_low_f32x4(v128.shuffle<f32>(q0, q1, 2, 6, 2, 6));
    const qz = f64x2.promote_low_f32x4(v128.shuffle<f32>(q0, q1, 3, 7, 3, 7));
    const xx = f64x2.mul(qx, qx);
    const yy = f64x2.mul(qy, qy);
    const zz = f64x2.mul(qz, qz);
    const xy = f64x2.mul(qx, qy);
    const xz = f64x2.mul(qx, qz);
    const yz = f64x2.mul(qy, qz);
    const wx = f64x2.mul(qw, qx);
    const wy = f64x2.mul(qw, qy);
    const wz = f64x2.mul(qw, qz);
    const twice = f64x2.div(f64x2.splat(2), f64x2.add(f64x2.add(f64x2.add(f64x2.mul(qw, qw), xx), yy), zz));
    const r00 = f64x2.sub(one, f64x2.mul(twice, f64x2.add(yy, zz)));
    const r01 = f64x2.mul(twice, f64x2.sub(xy, wz));
    const r02 = f64x2.mul(twice, f64x2.add(xz, wy));
    const r10 = f64x2.mul(twice, f64x2.add(xy, wz));
    const r11 = f64x2.sub(one, f64x2.mul(twice, f64x2.add(xx, zz)));
    const r12 = f64x2.mul(twice, f64x2.sub(yz, wx));
    const r20 = f64x2.mul(twice, f64x2.sub(xz, wy));
    const r21 = f64x2.mul(twice, f64x2.add(yz, wx));
    const r22 = f64x2.sub(one, f64x2.mul(twice, f64x2.add(xx, yy)));

    const fx = given(parameters, FX);
    const fy = given(parameters, FY);
    const u = f64x2.pmin(given(parameters, MAX_X), f64x2.pmax(given(parameters, MIN_X), f64x2.div(x, z)));
    const v = f64x2.pmin(given(parameters, MAX_Y), f64x2.pmax(given(parameters, MIN_Y), f64x2.div(y, z)));
    const ax = f64x2.div(fx, z);
    const ay = f64x2.div(fy, z);
    // Rows of J·W.
    const p0 = f64x2.mul(ax, f64x2.sub(w00, f64x2.mul(u, w20)));
    const p1 = f64x2.mul(ax, f64x2.sub(w01, f64x2.mul(u, w21)));
    const p2 = f64x2.mul(ax, f64x2.sub(w02, f64x2.mul(u, w22)));
    const o0 = f64x2.mul(ay, f64x2.sub(w10, f64x2.mul(v, w20)));
    const o1 = f64x2.mul(ay, f64x2.sub(w11, f64x2.mul(v, w21)));
    const o2 = f64x2.mul(ay, f64x2.sub(w12, f64x2.mul(v, w22)));
    const s = v128.load(at3, SCALES);
    const t = v128.load64_zero(at3, SCALES + 16);
    const s0 = first(s);
    const s1 = second(s, t);
    const s2 = third(s, t);
    const e0 = f64x2.mul(dot(p0, r00, p1, r10, p2, r20), s0);
    const e1 = f64x2.mul(dot(p0, r01, p1, r11, p2, r21), s1);
    const e2 = f64x2.mul(dot(p0, r02, p1, r12, p2, r22), s2);
    const g0 = f64x2.mul(dot(o0, r00, o1, r10, o2, r20), s0);
    const g1 = f64x2.mul(dot(o0, r01, o1, r11, o2, r21), s1);
    const g2 = f64x2.mul(dot(o0, r02, o1, r12, o2, r22), s2);
    const c00 = dot(e0, e0, e1, e1, e2, e2);
    const c01 = dot(e0, g0, e1, g1, e2, g2);
    const c11 = dot(g0, g0, g1, g1, g2, g2);
    const squared = f64x2.mul(c01, c01);
    const before = f64x2.sub(f64x2.mul(c00, c11), squared);
    const lowPass = given(parameters, LOW_PASS);
    const d00 = f64x2.add(c00, lowPass);
    const d11 = f64x2.add(c11, lowPass);
    const after = f64x2.pmax(f64x2.splat(1e-10), f64x2.sub(f64x2.mul(d00, d11), squared));
    const compensation = f64x2.pmax(given(parameters, FLOOR), f64x2.sqrt(f64x2.pmax(zero, f64x2.div(before, after))));
    let opacity = f64x2.promote_low_f32x4(v128.load64_zero(chunk + (<usize>i << 2), OPACITIES));
    if (antialiased) opacity = f64x2.mul(opacity, compensation);
    seen = v128.and(seen, f64x2.ge(opacity, given(parameters, ALPHA_FLOOR)));

    const px = f64x2.add(f64x2.div(f64x2.mul(fx, x), z), given(parameters, CX));
    const py = f64x2.add(f64x2.div(f64x2.mul(fy, y), z), given(parameters, CY));
    // Farther off than float32 can place: only a splat of absurd size could still reach the frame.
    const far = f64x2.splat(1e15);
    seen = v128.and(seen, v128.and(f64x2.lt(f64x2.abs(px), far), f64x2.lt(f64x2.abs(py), far)));
    const sigmaX = f64x2.sqrt(d00);
    const sigmaY = f64x2.sqrt(d11);
    const sigmas = given(parameters, RADIUS);
    const radiusX = f64x2.ceil(f64x2.mul(sigmas, sigmaX));
    const radiusY = f64x2.ceil(f64x2.mul(sigmas, sigmaY));
    const width = given(parameters, WIDTH);
    const height = given(parameters, HEIGHT);
    seen = v128.and(seen, v128.and(f64x2.gt(f64x2.add(px, radiusX), zero), f64x2.lt(f64x2.sub(px, radiusX), width)));
    seen = v128.and(seen, v128.and(f64x2.gt(f64x2.add(py, radiusY), zero), f64x2.lt(f64x2.sub(py, radiusY), height)));
    const which = i64x2.bitmask(seen);
    if (which == 0) continue;

    // Where it falls to 1/255, with a margin for float32: these bounds save time and never change a pixel.
    let reach = sigmas;
    if (!i64x2.all_true(f64x2.gt(opacity, f64x2.splat(0.9)))) {
      reach = f64x2.splat(reachOf(f64x2.extract_lane(opacity, 0), radius));
      reach = f64x2.replace_lane(reach, 1, reachOf(f64x2.extract_lane(opacity, 1), radius));
    }
    const wider = f64x2.splat(1.0001);
    const least = f64x2.splat(0.49);
    const reachX = f64x2.sub(f64x2.mul(f64x2.mul(reach, sigmaX), wider), least);
    const reachY = f64x2.sub(f64x2.mul(f64x2.mul(reach, sigmaY), wider), least);
    const none = f64x2.splat(-1);
    // Empty for one whose box reaches into the frame and whose ellipse does not.
    const firstX = f64x2.pmin(width, f64x2.pmax(zero, f64x2.sub(f64x2.ceil(f64x2.sub(px, reachX)), one)));
    const lastX = f64x2.pmax(none, f64x2.pmin(f64x2.sub(width, one), f64x2.floor(f64x2.add(px, reachX))));
    const firstY = f64x2.pmin(height, f64x2.pmax(zero, f64x2.sub(f64x2.ceil(f64x2.sub(py, reachY)), one)));
    const lastY = f64x2.pmax(none, f64x2.pmin(f64x2.sub(height, one), f64x2.floor(f64x2.add(py, reachY))));
    const columns = v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(firstX), i32x4.trunc_sat_f64x2_s_zero(lastX), 0, 4, 1, 5);
    const rows = v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(firstY), i32x4.trunc_sat_f64x2_s_zero(lastY), 0, 4, 1, 5);
    const packed = i16x8.narrow_i32x4_s(columns, rows);
    // Columns and rows of one splat, then of the other.
    const bounds = v128.shuffle<i32>(packed, packed, 0, 2, 1, 3);

    const a = f64x2.div(d11, after);
    const b = f64x2.div(f64x2.neg(c01), after);
    const c = f64x2.div(d00, after);
    const slope = f64x2.div(c01, d11);
    const widthSquared = f64x2.add(f64x2.div(f64x2.mul(f64x2.mul(f64x2.mul(reach, reach), f64x2.splat(1.002)), after), d11), f64x2.splat(0.05));
    const narrowing = f64x2.div(after, f64x2.mul(d11, d11));
    const h = v128.load(at3, COLOURS);
    const k = v128.load64_zero(at3, COLOURS + 16);
    const shC0 = f64x2.splat(0.28209479177387814);
    const red = f64x2.pmax(zero, f64x2.add(f64x2.mul(shC0, first(h)), half));
    const green = f64x2.pmax(zero, f64x2.add(f64x2.mul(shC0, second(h, k)), half));
    const blue = f64x2.pmax(zero, f64x2.add(f64x2.mul(shC0, third(h, k)), half));

    const centres = pair(px, py);
    const conics = pair(a, b);
    const solid = pair(c, opacity);
    const colours = pair(red, green);
    const deep = pair(blue, z);
    const ends = pair(slope, widthSquared);
    const rest = pair(narrowing, zero);
    const soft = f32x4.demote_f64x2_zero(compensation);
    if (which & 1) {
      const at = records + <usize>kept * RECORD;
      v128.store(at, v128.shuffle<f32>(centres, conics, 0, 1, 4, 5));
      v128.store(at, v128.shuffle<f32>(solid, colours, 0, 1, 4, 5), 16);
      v128.store(at, v128.shuffle<f32>(deep, zero, 0, 1, 4, 5), 32);
      v128.store(at, v128.shuffle<f32>(v128.shuffle<f32>(zero, bounds, 0, 4, 5, 0), soft, 0, 1, 2, 4), 48);
      v128.store(at, v128.shuffle<f32>(ends, rest, 0, 1, 4, 5), 64);
      v128.store64_lane(ranges + (<usize>kept << 3), bounds, 0);
      store<u32>(index + (<usize>kept << 2), base + i);
      kept++;
    }
    if (which & 2) {
      const at = records + <usize>kept * RECORD;
      v128.store(at, v128.shuffle<f32>(centres, conics, 2, 3, 6, 7));
      v128.store(at, v128.shuffle<f32>(solid, colours, 2, 3, 6, 7), 16);
      v128.store(at, v128.shuffle<f32>(deep, zero, 2, 3, 4, 5), 32);
      v128.store(at, v128.shuffle<f32>(v128.shuffle<f32>(zero, bounds, 0, 6, 7, 0), soft, 0, 1, 2, 5), 48);
      v128.store(at, v128.shuffle<f32>(ends, rest, 2, 3, 6, 7), 64);
      v128.store64_lane(ranges + (<usize>kept << 3), bounds, 1);
      store<u32>(index + (<usize>kept << 2), base + i + 1);
      kept++;
    }
  }
  return kept;
}

/** (a, b) of one splat, then of the other, as float32. */
// @ts-ignore: decorator
@inline
function pair(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 4, 1, 5);
}
