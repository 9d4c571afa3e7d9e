// Layout after nianticlabs/spz README.md and src/cc/load-spz.cc (MIT).
import { promisify } from "node:util";
import { createGunzip, gunzip, gzip } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";
import { logScale, roundAway, toByte, unitQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, type SplatLimits } from "./limits.js";
import { createScene, type ShDegree, type SplatScene, shCoefficientCount } from "./scene.js";
import { compressZstd, decompressZstd } from "./zstd.js";

const magic = 0x5053474e;
const headerBytes = 16;
const clearHeaderBytes = 32;
/** Deflate cannot do better than this. */
const largestDeflateRatio = 1040;
/** Colours are stored about 0.5 in this unit, not in that of the constant harmonic. */
const colorScale = 0.15;
/** The files are RUB (y up, z backward), scenes RDF: signs of x, y, z, and of the 15 coefficients of degree 1 to 3. */
const positionSigns = [1, -1, -1] as const;
const shSigns = [-1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1] as const;

interface Header {
  readonly version: number;
  readonly count: number;
  readonly degree: ShDegree;
  readonly fractionalBits: number;
}

/** The blocks of a file, one after the other in versions 2 and 3, one zstd stream each in version 4. */
const blocks = ["positions", "alphas", "colors", "scales", "rotations", "sh"] as const;
type Blocks = Readonly<Record<(typeof blocks)[number], Uint8Array>>;

function blockSizes({ version, count, degree }: Header): readonly number[] {
  return [9, 1, 3, 3, version === 2 ? 3 : 4, (shCoefficientCount(degree) - 1) * 3].map((bytes) => bytes * count);
}

/** Whether the bytes begin as a `.spz` file does: gzip (versions to 3) or the clear header of version 4. */
export function looksLikeSpz(data: Uint8Array): boolean {
  return (data[0] === 0x1f && data[1] === 0x8b) || (data[0] === 0x4e && data[1] === 0x47 && data[2] === 0x53 && data[3] === 0x50);
}

/** Reads `.spz` of version 2, 3 or 4; the axes become those of a `.ply`. */
export async function readSpz(data: Uint8Array, limits: SplatLimits): Promise<SplatScene> {
  const legacy = data[0] === 0x1f && data[1] === 0x8b;
  if (!legacy && !looksLikeSpz(data)) {
    throw new SplatFileError(
      "damaged",
      `spz: expected gzip or the magic NGSP, got ${data.length === 0 ? "no bytes" : Buffer.from(data.subarray(0, 4)).toString("hex")}`,
    );
  }
  return legacy ? readLegacy(data, limits) : readVersion4(data, limits);
}

async function readLegacy(data: Uint8Array, limits: SplatLimits): Promise<SplatScene> {
  const head = await inflateStart(data, headerBytes);
  if (head.length < headerBytes)
    throw new SplatFileError("damaged", `spz: expected a header of ${headerBytes} bytes in the gzip stream, got ${head.length}`);
  const header = readHeader(head, [2, 3], limits);
  const sizes = blockSizes(header);
  const expected = headerBytes + sizes.reduce((sum, size) => sum + size, 0);
  if (expected > data.length * largestDeflateRatio + 1024) {
    throw new SplatFileError(
      "damaged",
      `spz: expected ${expected} bytes for ${header.count} splats, got a gzip stream of ${data.length}, which cannot hold them`,
    );
  }
  let payload: Uint8Array;
  try {
    payload = await promisify(gunzip)(data, { maxOutputLength: expected + 1 });
  } catch (error) {
    const tooLong = Reflect.get(Object(error), "code") === "ERR_BUFFER_TOO_LARGE";
    const got = tooLong ? "more" : `a damaged gzip stream (${error instanceof Error ? error.message : String(error)})`;
    throw new SplatFileError("damaged", `spz: expected ${expected} bytes for ${header.count} splats, got ${got}`, { cause: error });
  }
  if (payload.length !== expected)
    throw new SplatFileError("damaged", `spz: expected ${expected} bytes for ${header.count} splats, got ${payload.length}`);
  const parts: Uint8Array[] = [];
  let at = headerBytes;
  for (const size of sizes) {
    parts.push(payload.subarray(at, at + size));
    at += size;
  }
  return decode(header, named(parts));
}

/** The first bytes of a gzip stream, whatever follows them. */
function inflateStart(data: Uint8Array, wanted: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stream = createGunzip({ chunkSize: 64 });
    const done = (): void => {
      stream.destroy();
      resolve(Buffer.concat(chunks));
    };
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= wanted) done();
    });
    stream.on("end", done);
    stream.on("error", (error) =>
      reject(new SplatFileError("damaged", `spz: expected a gzip stream, got a damaged one (${error.message})`, { cause: error })),
    );
    stream.end(data.subarray(0, 4096));
  });
}

function readHeader(bytes: Uint8Array, versions: readonly number[], limits: SplatLimits): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = view.getUint32(0, true);
  if (found !== magic)
    throw new SplatFileError("damaged", `spz: expected the magic NGSP, got ${Buffer.from(bytes.subarray(0, 4)).toString("latin1")}`);
  const version = view.getUint32(4, true);
  if (!versions.includes(version)) throw new SplatFileError("unsupported", `spz: expected version ${versions.join(" or ")} here, got ${version}`);
  const count = view.getUint32(8, true);
  const [degree, fractionalBits] = [bytes[12]!, bytes[13]!];
  if (degree > 3) throw new SplatFileError("unsupported", `spz: expected spherical harmonics of degree 0 to 3, got ${degree}`);
  if (fractionalBits > 23) throw new SplatFileError("damaged", `spz: expected 0 to 23 fractional bits of 24, got ${fractionalBits}`);
  checkCount("spz", count, limits);
  return { version, count, degree: degree as ShDegree, fractionalBits };
}

async function readVersion4(data: Uint8Array, limits: SplatLimits): Promise<SplatScene> {
  if (data.length < clearHeaderBytes) throw new SplatFileError("damaged", `spz: expected a header of ${clearHeaderBytes} bytes, got ${data.length}`);
  const header = readHeader(data, [4], limits);
  const sizes = blockSizes(header).slice(0, header.degree === 0 ? 5 : 6);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const streams = data[15]!;
  if (streams !== sizes.length)
    throw new SplatFileError("damaged", `spz: expected ${sizes.length} streams for degree ${header.degree}, got ${streams}`);
  const contents = view.getUint32(16, true);
  let at = contents + streams * 16;
  if (contents < clearHeaderBytes || at > data.length) {
    throw new SplatFileError(
      "damaged",
      `spz: expected a table of contents of ${streams * 16} bytes inside the file of ${data.length}, got it at ${contents}`,
    );
  }
  // All sizes are checked before the first stream is inflated.
  const packed = sizes.map((size, i) => {
    const compressed = view.getBigUint64(contents + i * 16, true);
    const raw = view.getBigUint64(contents + i * 16 + 8, true);
    if (raw !== BigInt(size))
      throw new SplatFileError("damaged", `spz: expected ${size} bytes of ${blocks[i]} for ${header.count} splats, got ${raw} in the table`);
    if (compressed > BigInt(data.length - at)) {
      throw new SplatFileError("damaged", `spz: expected ${compressed} bytes of ${blocks[i]}, as the table says, got ${data.length - at}`);
    }
    const stream = data.subarray(at, at + Number(compressed));
    at += Number(compressed);
    return stream;
  });
  if (at !== data.length) throw new SplatFileError("damaged", `spz: expected the file to end after ${at} bytes, got ${data.length}`);
  const parts: Uint8Array[] = [];
  for (const [i, stream] of packed.entries()) parts.push(await decompressZstd(stream, sizes[i]!, `spz: ${blocks[i]}`));
  return decode(header, named(parts));
}

function named(parts: readonly Uint8Array[]): Blocks {
  return Object.fromEntries(blocks.map((name, i) => [name, parts[i] ?? new Uint8Array(0)])) as unknown as Blocks;
}

function decode({ version, count, degree, fractionalBits }: Header, { positions, alphas, colors, scales, rotations, sh }: Blocks): SplatScene {
  const scene = createScene(count, degree);
  const coefficients = shCoefficientCount(degree);
  const unit = 2 ** -fractionalBits;
  const rotationView = new DataView(rotations.buffer, rotations.byteOffset, rotations.byteLength);
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const at = i * 9 + axis * 3;
      // 24 bits with sign: the upper byte's sign is kept by shifting it down from the top.
      const fixed = ((positions[at]! << 8) | (positions[at + 1]! << 16) | (positions[at + 2]! << 24)) >> 8;
      scene.means[i * 3 + axis] = fixed * unit * positionSigns[axis]!;
      scene.scales[i * 3 + axis] = Math.exp(scales[i * 3 + axis]! / 16 - 10);
      scene.sh[i * coefficients * 3 + axis] = (colors[i * 3 + axis]! / 255 - 0.5) / colorScale;
    }
    scene.opacities[i] = alphas[i]! / 255;
    const [x, y, z, w] = version === 2 ? firstThree(rotations, i * 3) : smallestThree(rotationView.getUint32(i * 4, true));
    // As decoded: of version 2 they are of length 1 but for what a byte leaves out.
    scene.quaternions.set([w, x, -y, -z], i * 4);
    for (let k = 1; k < coefficients; k++) {
      for (let channel = 0; channel < 3; channel++) {
        const byte = sh[(i * (coefficients - 1) + k - 1) * 3 + channel]!;
        scene.sh[(i * coefficients + k) * 3 + channel] = ((byte - 128) / 128) * shSigns[k - 1]!;
      }
    }
  }
  return scene;
}

/** x, y, z as bytes; w, never negative, from their length. */
function firstThree(bytes: Uint8Array, at: number): [number, number, number, number] {
  const [x, y, z] = [bytes[at]! / 127.5 - 1, bytes[at + 1]! / 127.5 - 1, bytes[at + 2]! / 127.5 - 1];
  return [x, y, z, Math.sqrt(Math.max(0, 1 - x * x - y * y - z * z))];
}

/** Two bits say which of x, y, z, w is largest; the others follow in order, sign and nine bits of 1/√2 each, the last one lowest. */
function smallestThree(packed: number): [number, number, number, number] {
  const largest = packed >>> 30;
  const parts: [number, number, number, number] = [0, 0, 0, 0];
  let rest = packed;
  let sum = 0;
  for (let k = 3; k >= 0; k--) {
    if (k === largest) continue;
    const magnitude = ((rest & 511) / 511) * Math.SQRT1_2;
    parts[k] = rest & 512 ? -magnitude : magnitude;
    sum += magnitude * magnitude;
    rest >>>= 10;
  }
  parts[largest] = Math.sqrt(Math.max(0, 1 - sum));
  return parts;
}

export interface SpzOptions {
  /** Default 4: zstd streams; 3: one gzip stream, which older viewers read. */
  readonly version?: 3 | 4;
}

/**
 * Writes `.spz`, lossy: positions to 1/4096 (coarser if the scene reaches farther than 2048), a byte each for colour, opacity and ln scale.
 *
 * @throws SplatFileError if a position does not fit into 24 bits.
 */
export async function writeSpz(scene: SplatScene, options: SpzOptions = {}): Promise<Uint8Array> {
  const version = options.version ?? 4;
  if (version !== 3 && version !== 4) throw new ArgumentError(`writeSpz: expected version 3 or 4, got ${String(version)}`);
  const fractionalBits = fittingBits(scene);
  const parts = encode(scene, fractionalBits).filter((part) => part.length > 0 || scene.count === 0);
  const streams = scene.shDegree === 0 ? parts.slice(0, 5) : parts;
  const head = Buffer.alloc(version === 4 ? clearHeaderBytes : headerBytes);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(version, 4);
  head.writeUInt32LE(scene.count, 8);
  head[12] = scene.shDegree;
  head[13] = fractionalBits;
  if (version === 3) return promisify(gzip)(Buffer.concat([head, ...streams]));
  head[15] = streams.length;
  head.writeUInt32LE(clearHeaderBytes, 16);
  const contents = Buffer.alloc(streams.length * 16);
  const packed: Uint8Array[] = [];
  for (const [i, stream] of streams.entries()) {
    const compressed = await compressZstd(stream);
    contents.writeBigUInt64LE(BigInt(compressed.length), i * 16);
    contents.writeBigUInt64LE(BigInt(stream.length), i * 16 + 8);
    packed.push(compressed);
  }
  return Buffer.concat([head, contents, ...packed]);
}

function fittingBits({ means }: SplatScene): number {
  let farthest = 0;
  for (let i = 0; i < means.length; i++) farthest = Math.max(farthest, Math.abs(means[i]!));
  for (let bits = 12; bits >= 0; bits--) if (roundAway(farthest * 2 ** bits) < 2 ** 23) return bits;
  throw new SplatFileError("bad-value", `writeSpz: expected positions within ±${2 ** 23}, got ${farthest}`);
}

function encode(scene: SplatScene, fractionalBits: number): readonly Uint8Array[] {
  const { count } = scene;
  const coefficients = shCoefficientCount(scene.shDegree);
  const positions = new Uint8Array(count * 9);
  const alphas = new Uint8Array(count);
  const colors = new Uint8Array(count * 3);
  const scales = new Uint8Array(count * 3);
  const rotations = new Uint8Array(count * 4);
  const sh = new Uint8Array(count * (coefficients - 1) * 3);
  const rotationView = new DataView(rotations.buffer);
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const fixed = roundAway(scene.means[i * 3 + axis]! * positionSigns[axis]! * 2 ** fractionalBits);
      const at = i * 9 + axis * 3;
      positions[at] = fixed & 255;
      positions[at + 1] = (fixed >> 8) & 255;
      positions[at + 2] = (fixed >> 16) & 255;
      colors[i * 3 + axis] = toByte(Math.fround(Math.fround(scene.sh[i * coefficients * 3 + axis]! * Math.fround(colorScale * 255)) + 127.5));
      scales[i * 3 + axis] = toByte((Math.fround(logScale(scene.scales[i * 3 + axis]!)) + 10) * 16);
    }
    alphas[i] = toByte(255 * scene.opacities[i]!);
    const [w, x, y, z] = unitQuaternion(scene, i);
    rotationView.setUint32(i * 4, packSmallestThree([x, -y, -z, w]), true);
    for (let k = 1; k < coefficients; k++) {
      // Five bits for degree 1, four above: what the eye does not see compresses.
      const bucket = k < 4 ? 8 : 16;
      for (let channel = 0; channel < 3; channel++) {
        const value = roundAway(scene.sh[(i * coefficients + k) * 3 + channel]! * shSigns[k - 1]! * 128) + 128;
        const snapped = Math.floor((value + bucket / 2) / bucket) * bucket;
        sh[(i * (coefficients - 1) + k - 1) * 3 + channel] = Math.min(Math.max(snapped, 0), 255);
      }
    }
  }
  return [positions, alphas, colors, scales, rotations, sh];
}

function packSmallestThree(parts: readonly number[]): number {
  let largest = 0;
  for (let k = 1; k < 4; k++) if (Math.abs(parts[k]!) > Math.abs(parts[largest]!)) largest = k;
  let packed = largest;
  for (let k = 0; k < 4; k++) {
    if (k === largest) continue;
    const negative = parts[k]! < 0 !== parts[largest]! < 0 ? 1 : 0;
    const magnitude = Math.min(Math.floor((511 * Math.abs(parts[k]!)) / Math.SQRT1_2 + 0.5), 511);
    packed = (packed << 10) | (negative << 9) | magnitude;
  }
  return packed >>> 0;
}
