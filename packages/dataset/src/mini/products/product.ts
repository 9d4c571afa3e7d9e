import { gridMesh, type Mesh, type Placement, placed } from "../geometry/mesh.js";
import type { Vector } from "../geometry/vector.js";
import type { Random } from "../random.js";
import type { Glass, Material } from "../render/scene.js";
import type { NamedColor } from "../texture/color.js";
import type { Brand } from "../texture/label.js";
import type { Pattern } from "../texture/materials.js";

export interface ProductPart {
  readonly mesh: Mesh;
  readonly material: Material;
  readonly glass?: Glass;
}

/** One thing: its shape, and what can be said of it. */
export interface Product {
  readonly parts: readonly ProductPart[];
  /** What is told apart at a glance, the most telling first. */
  readonly colors: readonly NamedColor[];
  /** Short descriptions of this very one: "with a pump", "striped". */
  readonly traits: readonly string[];
  readonly brand?: Brand;
  /** How it usually stands: on the ground, hangs or flies. Default stands. */
  readonly pose?: "stands" | "hangs" | "flies";
}

export type ProductMaker = (random: Random) => Product;

export function part(mesh: Mesh, material: Material, placement?: Placement, glass?: Glass): ProductPart {
  return { mesh: placement ? placed(mesh, placement) : mesh, material, ...(glass && { glass }) };
}

/** A flat piece in the x-y plane around its middle: print on a box, a screen. Faces +z. */
export function plate(width: number, height: number): Mesh {
  return gridMesh(1, 1, (u, v) => ({ position: [(u - 0.5) * width, (0.5 - v) * height, 0], normal: [0, 0, 1], uv: [u, 1 - v] }));
}

export interface Window {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

/** A pattern on a part of a surface's (u, v), the base elsewhere. */
export function labelled(base: Material, pattern: Pattern, { left, right, bottom, top }: Window, roughness = 0.55): Material {
  return (u, v, x, y, z, sample) => {
    base(u, v, x, y, z, sample);
    if (u < left || u > right || v < bottom || v > top) return;
    const [red, green, blue] = pattern((u - left) / (right - left), (v - bottom) / (top - bottom));
    sample.red = red;
    sample.green = green;
    sample.blue = blue;
    sample.roughness = roughness;
    sample.metallic = 0;
  };
}

/** Moved and sized so that it stands on y = 0 around the origin, its largest side 1. */
export function standing(parts: readonly ProductPart[]): ProductPart[] {
  const [low, high] = bounds(parts);
  const factor = 1 / Math.max(high[0] - low[0], high[1] - low[1], high[2] - low[2]);
  const move: Vector = [(-(low[0] + high[0]) / 2) * factor, -low[1] * factor, (-(low[2] + high[2]) / 2) * factor];
  return parts.map((one) => ({ ...one, mesh: placed(one.mesh, { scale: factor, move }) }));
}

/** Turned as a whole, then set on the ground again. */
export function turned(parts: readonly ProductPart[], turn: Vector): ProductPart[] {
  return parts.map((one) => ({ ...one, mesh: placed(one.mesh, { turn }) }));
}

export function bounds(parts: readonly ProductPart[]): readonly [low: Vector, high: Vector] {
  const low: [number, number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high: [number, number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { mesh } of parts) {
    for (let index = 0; index < mesh.positions.length; index++) {
      const axis = index % 3;
      const value = mesh.positions[index]!;
      if (value < low[axis]!) low[axis] = value;
      if (value > high[axis]!) high[axis] = value;
    }
  }
  return [low, high];
}
