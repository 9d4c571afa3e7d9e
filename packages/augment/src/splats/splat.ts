import { setQuaternion, unitQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, finite, type SplatLimits } from "./limits.js";
import { createScene, type SplatScene, shC0, shCoefficientCount } from "./scene.js";

const recordBytes = 32;

/**
 * Reads the headerless `.splat` (antimatter15/splat): 32 bytes a splat, degree 0, quaternions as (byte - 128) / 128.
 *
 * An empty file is refused; a zero quaternion becomes the identity.
 */
export function readSplat(data: Uint8Array, limits: SplatLimits): SplatScene {
  if (data.length === 0 || data.length % recordBytes !== 0) {
    throw new SplatFileError("damaged", `splat: expected a multiple of ${recordBytes} bytes, at least one, got ${data.length}`);
  }
  const count = data.length / recordBytes;
  checkCount("splat", count, limits);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const scene = createScene(count, 0);
  for (let i = 0; i < count; i++) {
    const at = i * recordBytes;
    for (const [axis, name] of ["x", "y", "z"].entries()) {
      scene.means[i * 3 + axis] = finite("splat", view.getFloat32(at + axis * 4, true), i, name);
      const scale = finite("splat", view.getFloat32(at + 12 + axis * 4, true), i, `scale_${axis}`);
      if (scale < 0) throw new SplatFileError("bad-value", `splat: expected a scale_${axis} of at least 0, got ${scale} in splat ${i}`);
      scene.scales[i * 3 + axis] = scale;
      scene.sh[i * 3 + axis] = (data[at + 24 + axis]! / 255 - 0.5) / shC0;
    }
    scene.opacities[i] = data[at + 27]! / 255;
    setQuaternion(scene, i, data[at + 28]! - 128, data[at + 29]! - 128, data[at + 30]! - 128, data[at + 31]! - 128);
  }
  return scene;
}

/** Writes `.splat`, in the order of the scene; spherical harmonics above degree 0 are left out. */
export function writeSplat(scene: SplatScene): Uint8Array {
  const out = new Uint8Array(scene.count * recordBytes);
  const view = new DataView(out.buffer);
  const bytes = new Uint8ClampedArray(out.buffer);
  const coefficients = shCoefficientCount(scene.shDegree);
  for (let i = 0; i < scene.count; i++) {
    const at = i * recordBytes;
    for (let axis = 0; axis < 3; axis++) {
      view.setFloat32(at + axis * 4, scene.means[i * 3 + axis]!, true);
      view.setFloat32(at + 12 + axis * 4, scene.scales[i * 3 + axis]!, true);
      bytes[at + 24 + axis] = (0.5 + shC0 * scene.sh[i * coefficients * 3 + axis]!) * 255;
    }
    bytes[at + 27] = 255 * scene.opacities[i]!;
    for (const [k, part] of unitQuaternion(scene, i).entries()) bytes[at + 28 + k] = part * 128 + 128;
  }
  return out;
}
