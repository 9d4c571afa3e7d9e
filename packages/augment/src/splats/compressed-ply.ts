// The compressed .ply of PlayCanvas: chunks of 256 splats, every number relative to its chunk's range. Layout after
// playcanvas/splat-transform src/lib/writers/compressed-chunk.ts and write-compressed-ply.ts (MIT).
import { logScale, setQuaternion, unitQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, finite, type SplatLimits } from "./limits.js";
import { mortonOrder } from "./morton.js";
import { type PlyFile, type PlyReader, plyReader } from "./ply-file.js";
import { createScene, type ShDegree, type SplatScene, shC0, shCoefficientCount } from "./scene.js";

const chunkSize = 256;
const rangeNames = ["x", "y", "z", "scale_x", "scale_y", "scale_z", "r", "g", "b"];
const packedNames = ["packed_position", "packed_rotation", "packed_scale", "packed_color"];
/** How far a quaternion's smaller parts reach: 1/√2 in either direction. */
const smallestThreeRange = Math.SQRT2;

export function isCompressedPly({ elements }: PlyFile): boolean {
  return elements.has("chunk") && packedNames.every((name) => elements.get("vertex")?.properties.has(name));
}

export function readCompressedPly(file: PlyFile, limits: SplatLimits): SplatScene {
  const vertex = file.elements.get("vertex")!;
  const chunk = file.elements.get("chunk")!;
  const sh = file.elements.get("sh");
  checkCount("compressed ply", vertex.count, limits);
  if (chunk.count !== Math.ceil(vertex.count / chunkSize)) {
    throw new SplatFileError(
      "damaged",
      `compressed ply: expected ${Math.ceil(vertex.count / chunkSize)} chunks for ${vertex.count} splats, got ${chunk.count}`,
    );
  }
  if (sh && sh.count !== vertex.count) {
    throw new SplatFileError("damaged", `compressed ply: expected ${vertex.count} rows of sh, got ${sh.count}`);
  }
  const restCount = sh ? [...sh.properties.keys()].filter((name) => name.startsWith("f_rest_")).length : 0;
  const degree = [0, 9, 24, 45].indexOf(restCount);
  if (degree < 0) throw new SplatFileError("unsupported", `compressed ply: expected 9, 24 or 45 f_rest properties, got ${restCount}`);
  const ranges = readRanges(file);
  const [position, rotation, scale, color] = packedNames.map((name) => plyReader(file, vertex, name)!) as [
    PlyReader,
    PlyReader,
    PlyReader,
    PlyReader,
  ];

  const scene = createScene(vertex.count, degree as ShDegree);
  const coefficients = shCoefficientCount(scene.shDegree);
  const inRange = (i: number, which: number, part: number): number => {
    const at = (Math.floor(i / chunkSize) * rangeNames.length + which) * 2;
    return ranges[at]! * (1 - part) + ranges[at + 1]! * part;
  };
  for (let i = 0; i < scene.count; i++) {
    const [packedPosition, packedScale, packedColor] = [position(i), scale(i), color(i)];
    const positionParts = [(packedPosition >>> 21) / 2047, ((packedPosition >>> 11) & 1023) / 1023, (packedPosition & 2047) / 2047];
    const scaleParts = [(packedScale >>> 21) / 2047, ((packedScale >>> 11) & 1023) / 1023, (packedScale & 2047) / 2047];
    for (let axis = 0; axis < 3; axis++) {
      scene.means[i * 3 + axis] = inRange(i, axis, positionParts[axis]!);
      scene.scales[i * 3 + axis] = finite("compressed ply", Math.fround(Math.exp(inRange(i, 3 + axis, scaleParts[axis]!))), i, `scale_${axis}`);
      const part = ((packedColor >>> (24 - 8 * axis)) & 255) / 255;
      scene.sh[i * coefficients * 3 + axis] = (inRange(i, 6 + axis, part) - 0.5) / shC0;
    }
    scene.opacities[i] = (packedColor & 255) / 255;
    unpackRotation(scene, i, rotation(i));
  }
  for (let k = 1; k < coefficients; k++) {
    for (let channel = 0; channel < 3; channel++) {
      const read = plyReader(file, sh!, `f_rest_${channel * (coefficients - 1) + k - 1}`);
      if (!read) throw new SplatFileError("unsupported", `compressed ply: expected f_rest_0 to f_rest_${restCount - 1}, got others`);
      // A byte stands for the middle of its interval, but for the two at the ends.
      for (let i = 0; i < scene.count; i++) {
        const byte = read(i);
        const part = byte === 0 ? 0 : byte === 255 ? 1 : (byte + 0.5) / 256;
        scene.sh[(i * coefficients + k) * 3 + channel] = (part - 0.5) * 8;
      }
    }
  }
  return scene;
}

/** [chunks, 9, 2]: least and most of what `rangeNames` lists; colours from 0 to 1 in files that have no range for them. */
function readRanges(file: PlyFile): Float64Array {
  const chunk = file.elements.get("chunk")!;
  const ranges = new Float64Array(chunk.count * rangeNames.length * 2);
  for (const [which, name] of rangeNames.entries()) {
    for (const [end, prefix] of ["min", "max"].entries()) {
      const read = plyReader(file, chunk, `${prefix}_${name}`);
      if (!read && which < 6) throw new SplatFileError("unsupported", `compressed ply: expected the chunk property ${prefix}_${name}, got none`);
      for (let i = 0; i < chunk.count; i++) {
        const value = read ? read(i) : end;
        if (!Number.isFinite(value))
          throw new SplatFileError("bad-value", `compressed ply: expected a finite ${prefix}_${name}, got ${value} in chunk ${i}`);
        ranges[(i * rangeNames.length + which) * 2 + end] = value;
      }
    }
  }
  return ranges;
}

function unpackRotation(scene: SplatScene, i: number, packed: number): void {
  const largest = packed >>> 30;
  const parts = [0, 0, 0, 0];
  let sum = 0;
  let shift = 20;
  for (let k = 0; k < 4; k++) {
    if (k === largest) continue;
    const part = (((packed >>> shift) & 1023) / 1023 - 0.5) * smallestThreeRange;
    parts[k] = part;
    sum += part * part;
    shift -= 10;
  }
  parts[largest] = Math.sqrt(Math.max(0, 1 - sum));
  setQuaternion(scene, i, ...(parts as [number, number, number, number]));
}

/** Writes the compressed `.ply` of PlayCanvas: splats in Morton order, 16 bytes each, spherical harmonics in a byte each. Lossy. */
export function writeCompressedPly(scene: SplatScene): Uint8Array {
  const { count } = scene;
  const coefficients = shCoefficientCount(scene.shDegree);
  const rest = (coefficients - 1) * 3;
  const chunks = Math.ceil(count / chunkSize);
  const chunkProperties = [rangeNames.slice(0, 3), rangeNames.slice(3, 6), rangeNames.slice(6)].flatMap((names) =>
    ["min", "max"].flatMap((end) => names.map((name) => `${end}_${name}`)),
  );
  const header = [
    "ply",
    "format binary_little_endian 1.0",
    `element chunk ${chunks}`,
    ...chunkProperties.map((name) => `property float ${name}`),
    `element vertex ${count}`,
    ...packedNames.map((name) => `property uint ${name}`),
    ...(rest > 0 ? [`element sh ${count}`, ...Array.from({ length: rest }, (_, i) => `property uchar f_rest_${i}`)] : []),
    "end_header",
    "",
  ];
  const head = Buffer.from(header.join("\n"), "latin1");
  const vertexStart = head.length + chunks * 72;
  const shStart = vertexStart + count * 16;
  const out = new Uint8Array(shStart + count * rest);
  out.set(head);
  const view = new DataView(out.buffer);
  const order = mortonOrder(scene);
  // Position, ln scale, colour of the chunk in hand.
  const values = new Float32Array(chunkSize * 9);

  for (let chunk = 0; chunk < chunks; chunk++) {
    const first = chunk * chunkSize;
    const size = Math.min(chunkSize, count - first);
    const min = new Float32Array(9).fill(Number.POSITIVE_INFINITY);
    const max = new Float32Array(9).fill(Number.NEGATIVE_INFINITY);
    for (let n = 0; n < size; n++) {
      const splat = order[first + n]!;
      for (let axis = 0; axis < 3; axis++) {
        values[n * 9 + axis] = scene.means[splat * 3 + axis]!;
        values[n * 9 + 3 + axis] = Math.min(Math.max(logScale(scene.scales[splat * 3 + axis]!), -20), 20);
        values[n * 9 + 6 + axis] = scene.sh[splat * coefficients * 3 + axis]! * shC0 + 0.5;
      }
      for (let k = 0; k < 9; k++) {
        min[k] = Math.min(min[k]!, values[n * 9 + k]!);
        max[k] = Math.max(max[k]!, values[n * 9 + k]!);
      }
    }
    for (let group = 0; group < 3; group++) {
      for (let k = 0; k < 3; k++) {
        view.setFloat32(head.length + chunk * 72 + group * 24 + k * 4, min[group * 3 + k]!, true);
        view.setFloat32(head.length + chunk * 72 + group * 24 + 12 + k * 4, max[group * 3 + k]!, true);
      }
    }
    for (let n = 0; n < size; n++) {
      const splat = order[first + n]!;
      const part = (k: number, bits: number): number => {
        const range = max[k]! - min[k]!;
        return toBits(range < 1e-5 ? 0 : (values[n * 9 + k]! - min[k]!) / range, bits);
      };
      const at = vertexStart + (first + n) * 16;
      view.setUint32(at, ((part(0, 11) << 21) | (part(1, 10) << 11) | part(2, 11)) >>> 0, true);
      view.setUint32(at + 4, packRotation(unitQuaternion(scene, splat)), true);
      view.setUint32(at + 8, ((part(3, 11) << 21) | (part(4, 10) << 11) | part(5, 11)) >>> 0, true);
      view.setUint32(at + 12, ((part(6, 8) << 24) | (part(7, 8) << 16) | (part(8, 8) << 8) | toBits(scene.opacities[splat]!, 8)) >>> 0, true);
      for (let channel = 0; channel < 3; channel++) {
        for (let k = 1; k < coefficients; k++) {
          const value = scene.sh[(splat * coefficients + k) * 3 + channel]!;
          out[shStart + (first + n) * rest + channel * (coefficients - 1) + k - 1] = Math.min(Math.max(Math.trunc((value / 8 + 0.5) * 256), 0), 255);
        }
      }
    }
  }
  return out;
}

function toBits(part: number, bits: number): number {
  const top = (1 << bits) - 1;
  return Math.min(Math.max(Math.floor(part * top + 0.5), 0), top);
}

function packRotation(quaternion: readonly number[]): number {
  let largest = 0;
  for (let k = 1; k < 4; k++) if (Math.abs(quaternion[k]!) > Math.abs(quaternion[largest]!)) largest = k;
  const sign = quaternion[largest]! < 0 ? -1 : 1;
  let packed = largest;
  for (let k = 0; k < 4; k++) if (k !== largest) packed = (packed << 10) | toBits((sign * quaternion[k]!) / smallestThreeRange + 0.5, 10);
  return packed >>> 0;
}
