import { type SplatScene, sceneBounds } from "./scene.js";

/** The splats along a Z-order curve through their bounding box, 10 bits per axis: neighbours in space become neighbours in the file. */
export function mortonOrder(scene: SplatScene): Uint32Array {
  const { count, means } = scene;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const bounds = sceneBounds(scene);
  if (!bounds) return order;
  const codes = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const range = bounds.max[axis]! - bounds.min[axis]!;
      const cell = range > 0 ? Math.min(Math.floor((1024 * (means[i * 3 + axis]! - bounds.min[axis]!)) / range), 1023) : 0;
      codes[i] = (codes[i]! | (spread(cell) << axis)) >>> 0;
    }
  }
  return order.sort((a, b) => codes[a]! - codes[b]! || a - b);
}

/** Puts two zero bits between the ten bits of a number. */
function spread(cell: number): number {
  let x = cell;
  x = (x | (x << 16)) & 0x30000ff;
  x = (x | (x << 8)) & 0x300f00f;
  x = (x | (x << 4)) & 0x30c30c3;
  return (x | (x << 2)) & 0x9249249;
}
