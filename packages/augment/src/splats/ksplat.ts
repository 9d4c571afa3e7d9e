// Layout after playcanvas/splat-transform src/lib/readers/read-ksplat.ts and mkkellogg/GaussianSplats3D (MIT).
import { halfToNumber, setQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, finite, type SplatLimits } from "./limits.js";
import { createScene, type ShDegree, type SplatScene, shC0, shCoefficientCount } from "./scene.js";

const mainHeaderBytes = 4096;
const sectionHeaderBytes = 1024;
/** First coefficient (after the constant one) and number of coefficients of each band. */
const bands = [
  { first: 1, size: 3 },
  { first: 4, size: 5 },
  { first: 9, size: 7 },
] as const;

interface Section {
  readonly count: number;
  readonly capacity: number;
  readonly bucketCapacity: number;
  readonly bucketCount: number;
  readonly blockSize: number;
  readonly bucketBytes: number;
  readonly range: number;
  readonly fullBuckets: number;
  readonly partialBuckets: number;
  readonly degree: ShDegree;
}

/** Whether the header could be that of a `.ksplat` file, which has no magic number. */
export function looksLikeKsplat(data: Uint8Array): boolean {
  if (data.length < mainHeaderBytes + sectionHeaderBytes || data[0] !== 0 || data[1] !== 1) return false;
  const view = new DataView(data.buffer, data.byteOffset, mainHeaderBytes);
  const sections = view.getUint32(4, true);
  return view.getUint16(20, true) <= 2 && sections >= 1 && mainHeaderBytes + sections * sectionHeaderBytes <= data.length;
}

/** Reads `.ksplat` (mkkellogg/GaussianSplats3D), all three compression levels. */
export function readKsplat(data: Uint8Array, limits: SplatLimits): SplatScene {
  if (data.length < mainHeaderBytes) throw new SplatFileError("damaged", `ksplat: expected at least ${mainHeaderBytes} bytes, got ${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [major, minor] = [data[0]!, data[1]!];
  if (major !== 0 || minor !== 1) throw new SplatFileError("unsupported", `ksplat: expected version 0.1, got ${major}.${minor}`);
  const sectionCount = view.getUint32(4, true);
  const count = view.getUint32(16, true);
  const mode = view.getUint16(20, true);
  if (mode > 2) throw new SplatFileError("unsupported", `ksplat: expected a compression level of 0 to 2, got ${mode}`);
  checkCount("ksplat", count, limits);
  const headersEnd = mainHeaderBytes + sectionCount * sectionHeaderBytes;
  if (headersEnd > data.length)
    throw new SplatFileError("damaged", `ksplat: expected ${headersEnd} bytes for ${sectionCount} sections, got ${data.length}`);
  const shMin = finite("ksplat", view.getFloat32(36, true), 0, "least spherical harmonic") || -1.5;
  const shMax = finite("ksplat", view.getFloat32(40, true), 0, "greatest spherical harmonic") || 1.5;

  const sections = Array.from({ length: sectionCount }, (_, i) => readSection(view, mainHeaderBytes + i * sectionHeaderBytes, mode));
  const total = sections.reduce((sum, section) => sum + section.count, 0);
  if (total !== count) throw new SplatFileError("damaged", `ksplat: expected ${count} splats in all sections, got ${total}`);
  checkSize(sections, data.length, headersEnd, mode);

  const degree = sections.reduce<ShDegree>((most, section) => (section.count > 0 ? (Math.max(most, section.degree) as ShDegree) : most), 0);
  const scene = createScene(count, degree);
  let start = headersEnd;
  let first = 0;
  for (const section of sections) {
    readSplats(scene, first, view, start, section, mode, shMin, shMax);
    start += sectionBytes(section, mode);
    first += section.count;
  }
  return scene;
}

function readSection(view: DataView, at: number, mode: number): Section {
  const degree = view.getUint16(at + 40, true);
  const count = view.getUint32(at, true);
  const capacity = view.getUint32(at + 4, true);
  if (degree > 3) throw new SplatFileError("unsupported", `ksplat: expected spherical harmonics of degree 0 to 3, got ${degree}`);
  if (count > capacity) throw new SplatFileError("damaged", `ksplat: expected at most ${capacity} splats in a section, got ${count}`);
  return {
    count,
    capacity,
    bucketCapacity: view.getUint32(at + 8, true),
    bucketCount: view.getUint32(at + 12, true),
    blockSize: finite("ksplat", view.getFloat32(at + 16, true), 0, "block size"),
    bucketBytes: view.getUint16(at + 20, true),
    range: view.getUint32(at + 24, true) || (mode === 0 ? 1 : 32_767),
    fullBuckets: view.getUint32(at + 32, true),
    partialBuckets: view.getUint32(at + 36, true),
    degree: degree as ShDegree,
  };
}

function splatBytes(degree: ShDegree, mode: number): number {
  return (mode === 0 ? 44 : 24) + (shCoefficientCount(degree) - 1) * 3 * [4, 2, 1][mode]!;
}

function sectionBytes(section: Section, mode: number): number {
  return section.partialBuckets * 4 + section.bucketCount * section.bucketBytes + section.capacity * splatBytes(section.degree, mode);
}

function checkSize(sections: readonly Section[], length: number, headersEnd: number, mode: number): void {
  const end = sections.reduce((sum, section) => sum + sectionBytes(section, mode), headersEnd);
  if (end > length) throw new SplatFileError("damaged", `ksplat: expected ${end} bytes, as its sections say, got ${length}`);
  for (const { bucketCount, bucketBytes, fullBuckets, partialBuckets } of sections) {
    if (mode > 0 && (bucketBytes < 12 || fullBuckets + partialBuckets > bucketCount)) {
      throw new SplatFileError(
        "damaged",
        `ksplat: expected ${fullBuckets} + ${partialBuckets} buckets of 12 bytes, got ${bucketCount} of ${bucketBytes}`,
      );
    }
  }
}

function readSplats(
  scene: SplatScene,
  first: number,
  view: DataView,
  start: number,
  section: Section,
  mode: number,
  shMin: number,
  shMax: number,
): void {
  const { count, bucketCapacity, bucketCount, bucketBytes, range, fullBuckets, partialBuckets, degree } = section;
  const centres = start + partialBuckets * 4;
  const splats = centres + bucketCount * bucketBytes;
  const stride = splatBytes(degree, mode);
  const step = section.blockSize / 2 / range;
  const coefficients = shCoefficientCount(scene.shDegree);
  const full = fullBuckets * bucketCapacity;
  let bucket = fullBuckets;
  let bucketEnd = full + (partialBuckets > 0 ? view.getUint32(start, true) : 0);
  const half = (at: number): number => halfToNumber(view.getUint16(at, true));

  for (let n = 0; n < count; n++) {
    const at = splats + n * stride;
    const i = first + n;
    let own = 0;
    if (mode > 0) {
      if (n < full) own = Math.floor(n / bucketCapacity);
      else {
        while (n >= bucketEnd) {
          bucket++;
          if (bucket - fullBuckets >= partialBuckets) throw new SplatFileError("damaged", `ksplat: expected a bucket for splat ${i}, got none`);
          bucketEnd += view.getUint32(start + (bucket - fullBuckets) * 4, true);
        }
        own = bucket;
      }
    }
    for (const [axis, name] of ["x", "y", "z"].entries()) {
      const position =
        mode === 0
          ? view.getFloat32(at + axis * 4, true)
          : (view.getUint16(at + axis * 2, true) - range) * step + view.getFloat32(centres + own * bucketBytes + axis * 4, true);
      scene.means[i * 3 + axis] = finite("ksplat", position, i, name);
      const scale = finite("ksplat", mode === 0 ? view.getFloat32(at + 12 + axis * 4, true) : half(at + 6 + axis * 2), i, `scale_${axis}`);
      if (scale < 0) throw new SplatFileError("bad-value", `ksplat: expected a scale_${axis} of at least 0, got ${scale} in splat ${i}`);
      scene.scales[i * 3 + axis] = scale;
    }
    const [w, x, y, z] = [0, 1, 2, 3].map((k) =>
      finite("ksplat", mode === 0 ? view.getFloat32(at + 24 + k * 4, true) : half(at + 12 + k * 2), i, `rot_${k}`),
    ) as [number, number, number, number];
    setQuaternion(scene, i, w, x, y, z);
    const colors = at + (mode === 0 ? 40 : 20);
    for (let channel = 0; channel < 3; channel++) scene.sh[i * coefficients * 3 + channel] = (view.getUint8(colors + channel) / 255 - 0.5) / shC0;
    scene.opacities[i] = view.getUint8(colors + 3) / 255;

    // Band by band; within a band all of red, then of green, then of blue.
    let component = 0;
    for (let band = 0; band < degree; band++) {
      const { first: firstCoefficient, size } = bands[band]!;
      for (let channel = 0; channel < 3; channel++) {
        for (let k = 0; k < size; k++, component++) {
          const where = colors + 4;
          let value: number;
          if (mode === 0) value = view.getFloat32(where + component * 4, true);
          else if (mode === 1) value = half(where + component * 2);
          else value = shMin + (view.getUint8(where + component) / 255) * (shMax - shMin);
          scene.sh[(i * coefficients + firstCoefficient + k) * 3 + channel] = finite("ksplat", value, i, "spherical harmonic");
        }
      }
    }
  }
}
