import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { type Camera, centredIntrinsics, orbitView } from "../render/camera.js";
import type { RenderOptions } from "../render/options.js";
import { createRenderPool, type RenderPool } from "../render/pool.js";
import { viewToImage } from "../render/to-image.js";
import type { SplatScene } from "../splats/scene.js";
import { type Framing, frameScene } from "./framing.js";

export interface TurntableOptions {
  /** Pictures of the round, 1 to 720; default 24. */
  readonly frames?: number;
  /** Pixels; default 384 × 384. */
  readonly width?: number;
  readonly height?: number;
  /** Degrees that the camera goes through; default 360, a whole round. Less: there and back again about the front, for what is known from one side only. */
  readonly sweep?: number;
  /** Degrees from which it looks down; default 10. */
  readonly elevation?: number;
  /** Across the longer side, degrees; default 35. */
  readonly fieldOfView?: number;
  /** Default: what `frameScene` finds. */
  readonly framing?: Framing;
  /** Default white. */
  readonly background?: readonly [number, number, number];
  /** As in `RenderOptions`. */
  readonly mode?: RenderOptions["mode"];
  readonly lowPass?: number;
  /** Default: a pool of its own, which it ends. */
  readonly pool?: RenderPool;
  readonly signal?: AbortSignal;
  /** After each picture. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** The share of the picture's shorter half that the framed sphere fills. */
const fill = 0.92;

/** The cameras of a turntable, in order. The first looks from the front, along +z, unless it swings. */
export function turntableCameras(scene: SplatScene, options: TurntableOptions = {}): Camera[] {
  const { frames = 24, width = 384, height = 384, sweep = 360, elevation = 10, fieldOfView = 35 } = options;
  if (!Number.isInteger(frames) || frames < 1 || frames > 720) throw new ArgumentError(`turntable: expected 1 to 720 frames, got ${frames}`);
  if (!(sweep >= 0 && sweep <= 360)) throw new ArgumentError(`turntable: expected a sweep of 0 to 360 degrees, got ${sweep}`);
  const { target, radius } = options.framing ?? frameScene(scene);
  const intrinsics = centredIntrinsics({ width, height }, { fieldOfView });
  // A sphere of that radius touches the frame's shorter side from within.
  const halfAngle = Math.atan((fill * Math.min(width, height)) / 2 / intrinsics.fx);
  const distance = radius / Math.sin(halfAngle);
  return Array.from({ length: frames }, (_, i) => {
    const turn = sweep === 360 ? (360 * i) / frames : (sweep / 2) * Math.sin((2 * Math.PI * i) / frames);
    return { ...intrinsics, view: orbitView({ target, distance, azimuth: turn, elevation }), near: Math.min(0.01, distance / 100) };
  });
}

/** Draws a scene from all around (or from side to side), one picture after the other. */
export async function* turntable(scene: SplatScene, options: TurntableOptions = {}): AsyncGenerator<Image, void, void> {
  const cameras = turntableCameras(scene, options);
  const pool = options.pool ?? createRenderPool();
  const { background = [1, 1, 1], mode, lowPass, signal } = options;
  try {
    let done = 0;
    for await (const view of pool.renderAll(scene, cameras, {
      background,
      ...(mode && { mode }),
      ...(lowPass !== undefined && { lowPass }),
      ...(signal && { signal }),
    })) {
      yield viewToImage(view);
      options.onProgress?.(++done, cameras.length);
    }
  } finally {
    if (!options.pool) await pool.dispose();
  }
}

/**
 * Pictures of one size side by side, row by row.
 *
 * @param options.columns default: one row.
 * @param options.gap pixels of white between them; default 0.
 */
export function pictureStrip(images: readonly Image[], options: { readonly columns?: number; readonly gap?: number } = {}): Image {
  const [first] = images;
  if (!first) throw new ArgumentError("pictureStrip: expected at least one picture, got none");
  const { columns = images.length, gap = 0 } = options;
  if (!Number.isInteger(columns) || columns < 1) throw new ArgumentError(`pictureStrip: expected at least one column, got ${columns}`);
  if (!Number.isInteger(gap) || gap < 0) throw new ArgumentError(`pictureStrip: expected a gap of at least 0, got ${gap}`);
  const { width, height, channels } = first;
  for (const image of images) {
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new ArgumentError(
        `pictureStrip: expected pictures of ${width} × ${height} × ${channels}, got ${image.width} × ${image.height} × ${image.channels}`,
      );
    }
  }
  const across = Math.min(columns, images.length);
  const down = Math.ceil(images.length / across);
  const total = { width: across * (width + gap) - gap, height: down * (height + gap) - gap };
  const data = new Uint8Array(total.width * total.height * channels).fill(255);
  for (const [i, image] of images.entries()) {
    const left = (i % across) * (width + gap);
    const top = Math.floor(i / across) * (height + gap);
    for (let y = 0; y < height; y++) {
      data.set(image.data.subarray(y * width * channels, (y + 1) * width * channels), ((top + y) * total.width + left) * channels);
    }
  }
  return { data, ...total, channels };
}
