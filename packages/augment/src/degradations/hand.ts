import type { Size } from "@refadgen/image";
import { emptyLayer, type Layer } from "./layer.js";
import { normalField } from "./noise-field.js";
import { checkInteger, checkNumber, checkNumbers } from "./picture.js";
import type { Point } from "./warp.js";

export interface HandParams {
  /** Where the tip of the longest finger lies, in shares of width and height; -0.5 to 1.5. */
  readonly tip: Point;
  /** Direction in which the fingers point, from +x towards -y (up), degrees. */
  readonly degrees: number;
  /** Width of a finger, in shares of the picture's shorter side: 0.01 to 0.5. */
  readonly width: number;
  /** 1 (a thumb) to 4. */
  readonly fingers: number;
  /** sRGB of the skin where it is well lit, 0 to 1. */
  readonly skin: readonly [number, number, number];
  /** Where the light comes from, degrees from +x towards -y. Default 120: above, a little left. */
  readonly light?: number;
  /** Mirrored: the other hand. Default false. */
  readonly mirrored?: boolean;
  /** Of the skin's texture and the fingers' bends, 0 to 2^32 - 1. */
  readonly seed: number;
}

/** A limb between two points that is round at both ends, in the hand's own frame: x across, y towards the tips, in finger widths. */
interface Bone {
  readonly from: Point;
  readonly to: Point;
  readonly fromRadius: number;
  readonly toRadius: number;
  /** How far its axis lies above the palm. */
  readonly lift: number;
}

interface Finger {
  readonly bones: readonly Bone[];
  /** Where the nail lies, how long it is, and which way the last bone points. */
  readonly nail: { readonly centre: Point; readonly along: Point; readonly length: number; readonly width: number };
  readonly joints: readonly { readonly at: Point; readonly along: Point; readonly radius: number }[];
}

/** A hand, or its thumb, that reaches into the picture: shaded as bodies of round bones, with nails, creases and mottled skin. */
export function drawHand(size: Size, params: HandParams): Layer {
  checkNumbers("occlusion", "tip", params.tip, 2, -0.5, 1.5);
  checkNumber("occlusion", "degrees", params.degrees, -3600, 3600);
  checkNumber("occlusion", "width", params.width, 0.01, 0.5);
  checkInteger("occlusion", "fingers", params.fingers, 1, 4);
  checkNumbers("occlusion", "skin", params.skin, 3, 0, 1);
  checkInteger("occlusion", "seed", params.seed, 0, 0xffff_ffff);
  const light = params.light ?? 120;
  checkNumber("occlusion", "light", light, -3600, 3600);
  const { width, height } = size;
  const random = normalField(64, params.seed);
  const { fingers, palm } = params.fingers === 1 ? thumb(random) : hand(params.fingers, random);
  const frame: Frame = {
    originX: params.tip[0] * width,
    originY: params.tip[1] * height,
    alongX: Math.cos((params.degrees * Math.PI) / 180),
    alongY: -Math.sin((params.degrees * Math.PI) / 180),
    side: params.mirrored ? -1 : 1,
    unit: params.width * Math.min(width, height),
  };
  const relief = reliefOf([...fingers.flatMap(({ bones }) => bones), ...palm], size, frame);
  return shaded(relief, fingers, size, frame, params, light, random);
}

function thumb(random: Float32Array): { readonly fingers: Finger[]; readonly palm: Bone[] } {
  const bend = 0.12 * random[0]!;
  const tip: Point = [0, -0.52];
  const joint: Point = [0.1 + bend, -2.05];
  const base: Point = [0.32 + 1.6 * bend, -4.3];
  const finger = fingerOf([base, joint, tip], [0.74, 0.6, 0.5], 0);
  const palm: Bone[] = [
    { from: base, to: [1.3, -8.5], fromRadius: 0.78, toRadius: 1.9, lift: -0.1 },
    { from: [1.0, -7], to: [2.0, -40], fromRadius: 1.9, toRadius: 2.4, lift: -0.6 },
  ];
  return { fingers: [finger], palm };
}

function hand(count: number, random: Float32Array): { readonly fingers: Finger[]; readonly palm: Bone[] } {
  const lengths = [4.0, 4.45, 4.1, 3.25];
  const longest = count > 1 ? 1 : 0;
  const fingers: Finger[] = [];
  const palm: Bone[] = [];
  for (let f = 0; f < count; f++) {
    const across = (f - longest) * 1.12;
    const spread = (f - 1.5) * 0.1 + 0.035 * random[f]!;
    const length = lengths[f]! * (1 + 0.02 * random[8 + f]!);
    // Knuckles lie on a flat arc; fingers fan out from them.
    const knuckle: Point = [across * 0.98, -4.45 - 0.5 - 0.16 * Math.abs(f - 1.2)];
    const direction: Point = [Math.sin(spread), Math.cos(spread)];
    const bend = 0.07 * random[16 + f]!;
    const at = (share: number): Point => [
      knuckle[0] + direction[0] * length * share + bend * Math.sin(share * Math.PI),
      knuckle[1] + direction[1] * length * share,
    ];
    const slim = f === 3 ? 0.88 : 1;
    fingers.push(fingerOf([at(0), at(0.47), at(0.76), at(1)], [0.6 * slim, 0.545 * slim, 0.5 * slim, 0.43 * slim], 0.05));
    palm.push({ from: knuckle, to: [across * 0.72 + 0.1, -9.2], fromRadius: 0.66, toRadius: 1.0, lift: -0.15 });
  }
  const middle = ((count - 1) / 2 - longest) * 0.9;
  palm.push({ from: [middle, -6.6], to: [middle, -9.5], fromRadius: 0.5 + 0.42 * count, toRadius: 0.5 + 0.4 * count, lift: -1.2 });
  palm.push({ from: [middle, -9.5], to: [middle + 0.3, -40], fromRadius: 1.75, toRadius: 2.3, lift: -0.9 });
  return { fingers, palm };
}

function fingerOf(points: readonly Point[], radii: readonly number[], lift: number): Finger {
  const bones = points.slice(1).map((to, i): Bone => ({ from: points[i]!, to, fromRadius: radii[i]!, toRadius: radii[i + 1]!, lift }));
  const [before, tip] = [points.at(-2)!, points.at(-1)!];
  const radius = radii.at(-1)!;
  const along = towards(before, tip);
  return {
    bones,
    nail: { centre: [tip[0] - along[0] * radius * 0.05, tip[1] - along[1] * radius * 0.05], along, length: radius * 0.78, width: radius * 0.66 },
    joints: points.slice(1, -1).map((at, i) => ({ at, along: towards(points[i]!, points[i + 2]!), radius: radii[i + 1]! })),
  };
}

function towards([ax, ay]: Point, [bx, by]: Point): Point {
  const length = Math.hypot(bx - ax, by - ay);
  return [(bx - ax) / length, (by - ay) / length];
}

interface Relief {
  /** Height of the surface, finger widths; 0 outside. */
  readonly height: Float32Array;
  /** Distance to the outline, px, negative inside. */
  readonly outline: Float32Array;
}

function reliefOf(bones: readonly Bone[], { width, height }: Size, frame: Frame): Relief {
  const { unit } = frame;
  const outline = new Float32Array(width * height).fill(1e3);
  const relief = new Float32Array(width * height).fill(-1e3);
  for (const { from, to, fromRadius, toRadius, lift } of bones) {
    // Beyond this margin a bone changes nothing.
    const reach = (Math.max(fromRadius, toRadius) + 0.2) * unit + 2;
    const [startX, startY] = fromHand(from, frame);
    const [endX, endY] = fromHand(to, frame);
    const left = Math.max(0, Math.floor(Math.min(startX, endX) - reach));
    const right = Math.min(width, Math.ceil(Math.max(startX, endX) + reach));
    const bottom = Math.min(height, Math.ceil(Math.max(startY, endY) + reach));
    const [bx, by] = [to[0] - from[0], to[1] - from[1]];
    const squaredLength = bx * bx + by * by;
    for (let y = Math.max(0, Math.floor(Math.min(startY, endY) - reach)); y < bottom; y++) {
      for (let x = left, i = y * width + left; x < right; x++, i++) {
        const qx = handX(x, y, frame) - from[0];
        const qy = handY(x, y, frame) - from[1];
        const t = Math.min(Math.max((qx * bx + qy * by) / squaredLength, 0), 1);
        const radius = fromRadius + (toRadius - fromRadius) * t;
        const dx = qx - bx * t;
        const dy = qy - by * t;
        const squared = dx * dx + dy * dy;
        const distance = Math.sqrt(squared) - radius;
        if (distance > 0.2) continue;
        outline[i] = smoothMinimum(outline[i]!, distance, 0.1);
        if (distance < 0.12)
          relief[i] = -smoothMinimum(-relief[i]!, -(lift + Math.sqrt(Math.max(radius * radius - squared, 0)) - 4 * Math.max(distance, 0)), 0.16);
      }
    }
  }
  for (let i = 0; i < outline.length; i++) {
    outline[i]! *= unit;
    if (relief[i]! < -100) relief[i] = 0;
  }
  return { height: relief, outline };
}

/** Where the hand's own frame lies in the picture: the longest finger ends at the origin and points along +y. */
interface Frame {
  readonly originX: number;
  readonly originY: number;
  /** Direction of the fingers in the picture. */
  readonly alongX: number;
  readonly alongY: number;
  /** 1, or -1 for the other hand. */
  readonly side: number;
  /** Width of a finger, px. */
  readonly unit: number;
}

function handX(x: number, y: number, { originX, originY, alongX, alongY, side, unit }: Frame): number {
  return (side * ((y + 0.5 - originY) * alongX - (x + 0.5 - originX) * alongY)) / unit;
}

function handY(x: number, y: number, { originX, originY, alongX, alongY, unit }: Frame): number {
  return ((x + 0.5 - originX) * alongX + (y + 0.5 - originY) * alongY) / unit;
}

function fromHand([u, v]: Point, { originX, originY, alongX, alongY, side, unit }: Frame): Point {
  return [originX + unit * (v * alongX - side * u * alongY), originY + unit * (v * alongY + side * u * alongX)];
}

/** Rounded where both are within `k` of each other. */
function smoothMinimum(a: number, b: number, k: number): number {
  const h = Math.max(k - Math.abs(a - b), 0) / k;
  return Math.min(a, b) - h * h * k * 0.25;
}

function shaded(
  { height: relief, outline }: Relief,
  fingers: readonly Finger[],
  size: Size,
  frame: Frame,
  { skin, seed }: HandParams,
  lightDegrees: number,
  random: Float32Array,
): Layer {
  const { width, height } = size;
  const { unit } = frame;
  const layer = emptyLayer(size);
  const [lightX, lightY, lightZ] = unitVector([
    0.62 * Math.cos((lightDegrees * Math.PI) / 180),
    -0.62 * Math.sin((lightDegrees * Math.PI) / 180),
    0.78,
  ]);
  // Halfway to the eye, which looks straight down.
  const [halfX, halfY, halfZ] = unitVector([lightX, lightY, lightZ + 1]);
  const grain = smoothNoise(size, 1.01, seed ^ 0x5a5a_5a5a);
  const blotches = smoothNoise(size, Math.max(4, unit * 0.5), seed ^ 0x1234_5678);
  const pores = smoothNoise(size, Math.max(1.5, unit * 0.05), seed ^ 0x2345_6789);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const cover = Math.min(Math.max(0.5 - outline[i]!, 0), 1);
      if (cover === 0) continue;
      layer.cover[i] = cover;
      const at = (dx: number, dy: number) => relief[Math.min(Math.max(y + dy, 0), height - 1) * width + Math.min(Math.max(x + dx, 0), width - 1)]!;
      const slopeX = ((at(1, 0) - at(-1, 0)) / 2) * unit;
      const slopeY = ((at(0, 1) - at(0, -1)) / 2) * unit;
      const hx = handX(x, y, frame);
      const hy = handY(x, y, frame);
      let crease = 0;
      for (const { joints } of fingers) {
        for (const { at: joint, along, radius } of joints) {
          const [dx, dy] = [hx - joint[0], hy - joint[1]];
          const across = Math.abs(dx * along[1] - dy * along[0]) / radius;
          if (across > 1) continue;
          const lengthwise = dx * along[0] + dy * along[1] + 0.06 * across * across;
          const fade = (1 - across * across) ** 1.2;
          for (const [k, offset] of [-0.17, -0.06, 0.05, 0.17].entries()) {
            const line = (lengthwise - offset - 0.025 * random[32 + k]! - 0.03 * pores[i]!) / 0.022;
            if (Math.abs(line) < 3) crease += (k === 0 || k === 3 ? 0.4 : 0.75) * fade * Math.exp(-line * line);
          }
        }
      }
      let nail = 0;
      let nailEdge = 0;
      let lunula = 0;
      for (const { nail: plate } of fingers) {
        const [dx, dy] = [hx - plate.centre[0], hy - plate.centre[1]];
        const along = (dx * plate.along[0] + dy * plate.along[1]) / plate.length;
        const across = (dx * plate.along[1] - dy * plate.along[0]) / plate.width;
        // Squarer than an ellipse, rounder at the tip.
        const shape = (Math.abs(across) ** 2.6 + Math.abs(along) ** 2.8) ** (1 / 2.7) - 1;
        const inPixels = shape * plate.width * unit;
        if (inPixels < 2 + unit * 0.05) {
          nail = Math.max(nail, Math.min(Math.max(0.5 - inPixels, 0), 1));
          nailEdge = Math.max(nailEdge, Math.exp(-((inPixels / Math.max(1, unit * 0.025)) ** 2)));
          if (along < -0.62 && nail > 0) lunula = Math.max(lunula, Math.min((-0.62 - along) * 3, 0.6));
          else if (along > 0.72 && nail > 0) lunula = Math.max(lunula, Math.min((along - 0.72) * 5, 1));
        }
      }
      const length = Math.sqrt(slopeX * slopeX + slopeY * slopeY + 1);
      const [nx, ny, nz] = [-slopeX / length + 0.03 * pores[i]! * (1 - nail), -slopeY / length + 0.03 * blotches[i]! * (1 - nail), 1 / length];
      const facing = nx * lightX + ny * lightY + nz * lightZ;
      // Light that goes through skin softens the terminator, red most of all.
      const wrapped = (share: number) => Math.max(facing + share, 0) / (1 + share);
      const rim = 0.62 + 0.38 * Math.min(1, Math.max(0, -outline[i]! / (unit * 0.28)));
      const shine = Math.max(nx * halfX + ny * halfY + nz * halfZ, 0);
      const gloss = nail > 0 ? 0.3 * shine ** 60 * nail : 0.05 * shine ** 18;
      const mottled = 1 + 0.03 * blotches[i]! + 0.012 * pores[i]! + 0.008 * grain[i]!;
      for (let c = 0; c < 3; c++) {
        const lambert = 0.36 + 0.72 * wrapped([0.42, 0.26, 0.2][c]!);
        // Knuckles and fingertips are redder.
        const redder = c === 0 ? 1 + 0.02 * blotches[i]! : 1 - 0.035 * blotches[i]!;
        let albedo = skin[c]! * mottled * redder * (1 - 0.2 * Math.min(crease, 1.2) * [0.75, 1, 1][c]!);
        if (nail > 0) {
          const plate = skin[c]! * [1.02, 0.95, 0.95][c]! + [0.04, 0.035, 0.04][c]!;
          const white = plate + (Math.min(1, skin[c]! * 0.5 + [0.5, 0.46, 0.43][c]!) - plate) * lunula * 0.75;
          albedo += nail * (white - albedo);
        }
        albedo *= 1 - 0.3 * nailEdge * [0.7, 1, 1][c]!;
        layer.colours[i * 3 + c] = Math.min(Math.max(albedo * lambert * (c === 0 ? 0.35 + 0.65 * rim : rim) + gloss, 0), 1);
      }
    }
  }
  return layer;
}

function unitVector([x, y, z]: readonly [number, number, number]): readonly [number, number, number] {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** Noise of about unit spread whose bumps are `spacing` px wide. */
export function smoothNoise({ width, height }: Size, spacing: number, seed: number): Float32Array {
  const columns = Math.ceil(width / spacing) + 2;
  const lattice = normalField(columns * (Math.ceil(height / spacing) + 2), seed >>> 0);
  const out = new Float32Array(width * height);
  const ease = (t: number) => t * t * (3 - 2 * t);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / spacing);
    const fy = ease(y / spacing - row);
    for (let x = 0; x < width; x++, i++) {
      const column = Math.floor(x / spacing);
      const fx = ease(x / spacing - column);
      const at = row * columns + column;
      const top = lattice[at]! + fx * (lattice[at + 1]! - lattice[at]!);
      const bottom = lattice[at + columns]! + fx * (lattice[at + columns + 1]! - lattice[at + columns]!);
      out[i] = top + fy * (bottom - top);
    }
  }
  return out;
}
