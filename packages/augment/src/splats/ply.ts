import { isCompressedPly, readCompressedPly } from "./compressed-ply.js";
import { logit, logScale, setQuaternion, sigmoid, unitQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, finite, type SplatLimits } from "./limits.js";
import { type PlyFile, type PlyReader, parsePly, plyReader } from "./ply-file.js";
import { createScene, type ShDegree, type SplatScene, shCoefficientCount } from "./scene.js";

const required = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"];
/** Number of f_rest properties of each degree. */
const restCounts = [0, 9, 24, 45];

/**
 * Reads the `.ply` of 3D Gaussian splatting, plain or as compressed by PlayCanvas: properties by name in any order and of any numeric type,
 * either byte order, further elements ignored. A file of no splats gives an empty scene; a zero quaternion becomes the identity.
 */
export function readPly(data: Uint8Array, limits: SplatLimits): SplatScene {
  const file = parsePly(data, new Set(["vertex", "chunk", "sh"]));
  return isCompressedPly(file) ? readCompressedPly(file, limits) : readPlainPly(file, limits);
}

function readPlainPly(file: PlyFile, limits: SplatLimits): SplatScene {
  const vertex = file.elements.get("vertex");
  if (!vertex) throw new SplatFileError("unsupported", `ply: expected an element vertex, got ${[...file.elements.keys()].join(", ") || "none"}`);
  const missing = required.filter((name) => !vertex.properties.has(name));
  if (missing.length > 0) throw new SplatFileError("unsupported", `ply: expected the splat properties ${missing.join(", ")}, got none of that name`);
  checkCount("ply", vertex.count, limits);
  const restCount = [...vertex.properties.keys()].filter((name) => name.startsWith("f_rest_")).length;
  const degree = restCounts.indexOf(restCount);
  if (degree < 0) throw new SplatFileError("unsupported", `ply: expected 0, 9, 24 or 45 f_rest properties, got ${restCount}`);

  const column = (name: string): PlyReader => {
    const read = plyReader(file, vertex, name);
    if (!read) throw new SplatFileError("unsupported", `ply: expected the property ${name}, got none`);
    return (row) => finite("ply", read(row), row, name);
  };
  const scene = createScene(vertex.count, degree as ShDegree);
  const coefficients = shCoefficientCount(scene.shDegree);
  for (const [axis, name] of ["x", "y", "z"].entries()) fill(scene.means, 3, axis, scene.count, column(name));
  for (let axis = 0; axis < 3; axis++) {
    const read = column(`scale_${axis}`);
    fill(scene.scales, 3, axis, scene.count, (row) => finite("ply", Math.fround(Math.exp(read(row))), row, `scale_${axis}`));
  }
  const opacity = column("opacity");
  fill(scene.opacities, 1, 0, scene.count, (row) => sigmoid(opacity(row)));
  const [w, x, y, z] = [0, 1, 2, 3].map((i) => column(`rot_${i}`)) as [PlyReader, PlyReader, PlyReader, PlyReader];
  for (let i = 0; i < scene.count; i++) setQuaternion(scene, i, w(i), x(i), y(i), z(i));
  for (let channel = 0; channel < 3; channel++) {
    fill(scene.sh, coefficients * 3, channel, scene.count, column(`f_dc_${channel}`));
    // All coefficients of red, then of green, then of blue.
    for (let k = 1; k < coefficients; k++) {
      fill(scene.sh, coefficients * 3, k * 3 + channel, scene.count, column(`f_rest_${channel * (coefficients - 1) + k - 1}`));
    }
  }
  return scene;
}

function fill(target: Float32Array, stride: number, offset: number, count: number, read: PlyReader): void {
  for (let i = 0; i < count; i++) target[i * stride + offset] = read(i);
}

/** Writes the `.ply` of 3D Gaussian splatting: float32, little-endian, with normals of zero as the original programs do. */
export function writePly(scene: SplatScene): Uint8Array {
  const coefficients = shCoefficientCount(scene.shDegree);
  const rest = Array.from({ length: (coefficients - 1) * 3 }, (_, i) => `f_rest_${i}`);
  const names = [..."xyz", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", ...rest, ...required.slice(6)];
  const header = [
    "ply",
    "format binary_little_endian 1.0",
    `element vertex ${scene.count}`,
    ...names.map((name) => `property float ${name}`),
    "end_header",
    "",
  ];
  const head = Buffer.from(header.join("\n"), "latin1");
  const out = new Uint8Array(head.length + scene.count * names.length * 4);
  out.set(head);
  const view = new DataView(out.buffer);
  let at = head.length;
  const put = (value: number): void => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  for (let i = 0; i < scene.count; i++) {
    for (let axis = 0; axis < 3; axis++) put(scene.means[i * 3 + axis]!);
    at += 12;
    const base = i * coefficients * 3;
    for (let channel = 0; channel < 3; channel++) put(scene.sh[base + channel]!);
    for (let channel = 0; channel < 3; channel++) for (let k = 1; k < coefficients; k++) put(scene.sh[base + k * 3 + channel]!);
    put(logit(scene.opacities[i]!));
    for (let axis = 0; axis < 3; axis++) put(logScale(scene.scales[i * 3 + axis]!));
    for (const part of unitQuaternion(scene, i)) put(part);
  }
  return out;
}
