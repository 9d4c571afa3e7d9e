import { normalize, type Vector } from "../geometry/vector.js";
import type { Random } from "../random.js";
import type { Lighting } from "../render/scene.js";
import type { Color } from "../texture/color.js";
import { smoothstep } from "../texture/noise.js";

/** A bright rectangle that is mirrored in glossy things: a window, a light box. */
export interface Softbox {
  readonly direction: Vector;
  /** Half sizes in tangents of the angle. */
  readonly width: number;
  readonly height: number;
  readonly color: Color;
}

export interface Surroundings {
  readonly zenith: Color;
  readonly horizon: Color;
  readonly ground: Color;
  readonly softboxes?: readonly Softbox[];
}

/** A sky from horizon to zenith over a ground, with bright rectangles in it; roughness blurs all of it. */
export function environmentOf({ zenith, horizon, ground, softboxes = [] }: Surroundings): Lighting["environment"] {
  const boxes = softboxes.map(({ direction, width, height, color }) => {
    const forward = normalize(direction);
    const right = normalize([forward[2], 0, -forward[0]]);
    const up: Vector = [
      forward[1] * right[2] - forward[2] * right[1],
      forward[2] * right[0] - forward[0] * right[2],
      forward[0] * right[1] - forward[1] * right[0],
    ];
    return { forward, right, up, width, height, color };
  });
  return (x, y, z, roughness, out) => {
    const blur = 0.03 + roughness * 0.9;
    const up = smoothstep(-blur, blur, y);
    const high = Math.max(0, y) ** 0.6;
    for (let channel = 0; channel < 3; channel++) {
      const sky = horizon[channel]! + (zenith[channel]! - horizon[channel]!) * high;
      out[channel] = ground[channel]! + (sky - ground[channel]!) * up;
    }
    for (const { forward, right, up: top, width, height, color } of boxes) {
      const depth = x * forward[0] + y * forward[1] + z * forward[2];
      if (depth <= 0.05) continue;
      const soft = 0.02 + roughness * 1.1;
      const a = Math.abs(x * right[0] + y * right[1] + z * right[2]) / depth;
      if (a >= width + soft) continue;
      const b = Math.abs(x * top[0] + y * top[1] + z * top[2]) / depth;
      if (b >= height + soft) continue;
      // Blurring spreads the same light over more.
      const share =
        smoothstep(width + soft, width - soft, a) *
        smoothstep(height + soft, height - soft, b) *
        ((width * height) / ((width + soft * 0.5) * (height + soft * 0.5)));
      for (let channel = 0; channel < 3; channel++) out[channel] = out[channel]! + color[channel]! * share;
    }
  };
}

/** Towards a light: azimuth from the front (+z), positive to the right, and elevation, in degrees. */
export function towards(azimuth: number, elevation: number): Vector {
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  return [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)];
}

/** A photographer's table: one large light box to the side, a weaker one opposite, a bright room. */
export function studioLighting(random: Random): Lighting {
  const side = random.pick([-1, 1]);
  const azimuth = side * random.between(25, 65);
  const elevation = random.between(35, 60);
  const warm = random.between(-0.06, 0.06);
  const color = (strength: number): Color => [strength * (1 + warm), strength, strength * (1 - warm)];
  return {
    key: { direction: towards(azimuth, elevation), color: color(random.between(1.9, 2.6)), radius: random.between(0.12, 0.3) },
    environment: environmentOf({
      zenith: [0.95, 0.95, 0.97],
      horizon: [0.7, 0.7, 0.72],
      ground: [0.45, 0.45, 0.45],
      softboxes: [
        { direction: towards(azimuth, 25), width: 0.35, height: 0.8, color: color(4) },
        { direction: towards(-azimuth * 1.3, 20), width: 0.16, height: 0.9, color: color(1.6) },
      ],
    }),
    bounce: [0.9, 0.9, 0.9],
  };
}
