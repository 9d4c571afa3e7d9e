import type { Mesh } from "../geometry/mesh.js";
import type { Vector } from "../geometry/vector.js";
import type { CameraPose } from "./camera.js";

/** What a surface is at one place; written by materials, read by shading. Colours are linear light, 0 to 1. */
export interface SurfaceSample {
  red: number;
  green: number;
  blue: number;
  /** 0 a mirror, 1 chalk. */
  roughness: number;
  /** 0 or 1, or between where layers mix. */
  metallic: number;
  /** Light of its own, times its colour. */
  emission: number;
  /** How far the normal is pushed, in the world's axes. */
  bumpX: number;
  bumpY: number;
  bumpZ: number;
}

/** Writes what the surface is at (u, v) of its mesh, which lies at (x, y, z) of the world. */
export type Material = (u: number, v: number, x: number, y: number, z: number, sample: SurfaceSample) => void;

/** Glass and clear plastic: what lies behind shows through, tinted. */
export interface Glass {
  /** Share of light let through by one wall, per channel. */
  readonly tint: Vector;
  /** How strongly what is behind is displaced. */
  readonly bend: number;
}

export interface Part {
  readonly mesh: Mesh;
  readonly material: Material;
  readonly glass?: Glass;
  /** Whether it belongs to the product; the mask is made of those. */
  readonly product: boolean;
}

/** Everything around: no meshes, so nothing has to be clipped. */
export interface Stage {
  /** The plane y = 0. */
  readonly ground: Material;
  /** How strongly things are mirrored in the ground when looked at straight down, 0 to 1; at a slant more. 0: not at all. */
  readonly mirror: number;
  /** A wall at z = `distance` behind the product, when there is one. */
  readonly wall?: { readonly distance: number; readonly material: Material };
  /** What is seen in a direction where there is neither ground nor wall. Linear light. */
  readonly sky: (x: number, y: number, z: number, color: Float64Array) => void;
  /** From which distance the ground fades into the sky; Infinity for never. */
  readonly haze: number;
}

export interface Lighting {
  /** The main light: towards it, its colour times its strength, and its apparent radius in radians, which makes shadows soft. */
  readonly key: { readonly direction: Vector; readonly color: Vector; readonly radius: number };
  /** Light from everywhere; what is mirrored in surfaces. `roughness` blurs it. Linear light. */
  readonly environment: (x: number, y: number, z: number, roughness: number, color: Float64Array) => void;
  /** Colour of the light that the ground throws back up. */
  readonly bounce: Vector;
}

export interface Scene {
  readonly parts: readonly Part[];
  readonly stage: Stage;
  readonly lighting: Lighting;
  readonly camera: CameraPose;
  /** Factor before the film's curve. */
  readonly exposure: number;
}
