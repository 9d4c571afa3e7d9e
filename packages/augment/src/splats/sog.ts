// Layout after playcanvas/splat-transform src/lib/readers/read-sog.ts and src/lib/writers/write-sog.ts (MIT).
import { decodeImage, type Image } from "@refadgen/image";
import { unzipSync } from "fflate";
import { setQuaternion } from "./encoding.js";
import { SplatFileError } from "./error.js";
import { checkCount, finite, type SplatLimits } from "./limits.js";
import { createScene, type ShDegree, type SplatScene, shCoefficientCount } from "./scene.js";

const maxEntryBytes = 1 << 29;
const maxMetaBytes = 1 << 22;
/** Colours and harmonics of a palette stand in rows of this many entries. */
const paletteRow = 64;

interface Meta {
  readonly count: number;
  readonly mins: readonly number[];
  readonly maxs: readonly number[];
  readonly means: readonly string[];
  readonly scales: { readonly codebook: readonly number[]; readonly files: readonly string[] };
  readonly quats: readonly string[];
  readonly sh0: { readonly codebook: readonly number[]; readonly files: readonly string[] };
  readonly shN:
    | { readonly degree: ShDegree; readonly size: number; readonly codebook: readonly number[]; readonly files: readonly string[] }
    | undefined;
}

/** Reads `.sog` of version 2: a zip archive of `meta.json` and lossless WebP pictures whose pixels are bytes of the splats. */
export async function readSog(data: Uint8Array, limits: SplatLimits): Promise<SplatScene> {
  const meta = parseMeta(unzip(data, new Set(["meta.json"]), maxMetaBytes).get("meta.json"), limits);
  const names = [...meta.means, ...meta.scales.files, ...meta.quats, ...meta.sh0.files, ...(meta.shN?.files ?? [])];
  const files = unzip(data, new Set(names), maxEntryBytes);
  const picture = async (name: string, pixels: number): Promise<Image> => {
    const file = files.get(name);
    if (!file) throw new SplatFileError("damaged", `sog: expected the file ${name} in the archive, got none`);
    let image: Image;
    try {
      // At most 16383 pixels a side, as WebP has it.
      image = await decodeImage(file, { applyProfile: false, applyOrientation: false, maxPixels: 16_384 * 16_384 });
    } catch (error) {
      throw new SplatFileError(
        "damaged",
        `sog: expected a picture in ${name}, got none (${error instanceof Error ? error.message : String(error)})`,
        {
          cause: error,
        },
      );
    }
    if (image.width * image.height < pixels || image.channels < 3) {
      throw new SplatFileError(
        "damaged",
        `sog: expected ${pixels} pixels of colour in ${name}, got ${image.width} × ${image.height} of ${image.channels} channels`,
      );
    }
    return image;
  };
  const scene = createScene(meta.count, meta.shN?.degree ?? 0);
  await readMeans(scene, meta, picture);
  await readRotations(scene, meta, picture);
  await readScalesAndColors(scene, meta, picture);
  if (meta.shN) await readHarmonics(scene, meta.shN, picture);
  return scene;
}

type Picture = (name: string, pixels: number) => Promise<Image>;

/** A byte of a pixel; a picture without an alpha channel is opaque. */
function byteAt({ data, channels }: Image, pixel: number, channel: number): number {
  return channel < channels ? data[pixel * channels + channel]! : 255;
}

async function readMeans(scene: SplatScene, { means, mins, maxs }: Meta, picture: Picture): Promise<void> {
  const [low, high] = [await picture(means[0]!, scene.count), await picture(means[1]!, scene.count)];
  for (let i = 0; i < scene.count; i++) {
    for (const [axis, name] of ["x", "y", "z"].entries()) {
      const part = (byteAt(low, i, axis) | (byteAt(high, i, axis) << 8)) / 65_535;
      const range = maxs[axis]! - mins[axis]! || 1;
      // Stored as sign · ln(|x| + 1).
      const value = mins[axis]! + range * part;
      scene.means[i * 3 + axis] = finite("sog", Math.fround(Math.sign(value) * (Math.exp(Math.abs(value)) - 1)), i, name);
    }
  }
}

async function readRotations(scene: SplatScene, { quats }: Meta, picture: Picture): Promise<void> {
  const image = await picture(quats[0]!, scene.count);
  for (let i = 0; i < scene.count; i++) {
    const largest = byteAt(image, i, 3) - 252;
    if (largest < 0)
      throw new SplatFileError("bad-value", `sog: expected 252 to 255 in the fourth byte of a rotation, got ${largest + 252} in splat ${i}`);
    const parts: [number, number, number, number] = [0, 0, 0, 0];
    let sum = 0;
    let channel = 0;
    for (let k = 0; k < 4; k++) {
      if (k === largest) continue;
      parts[k] = ((byteAt(image, i, channel++) / 255) * 2 - 1) * Math.SQRT1_2;
      sum += parts[k]! ** 2;
    }
    parts[largest] = Math.sqrt(Math.max(0, 1 - sum));
    setQuaternion(scene, i, ...parts);
  }
}

async function readScalesAndColors(scene: SplatScene, { scales, sh0 }: Meta, picture: Picture): Promise<void> {
  const scaleImage = await picture(scales.files[0]!, scene.count);
  const colorImage = await picture(sh0.files[0]!, scene.count);
  const coefficients = shCoefficientCount(scene.shDegree);
  for (let i = 0; i < scene.count; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const scale = Math.fround(Math.exp(scales.codebook[byteAt(scaleImage, i, axis)] ?? Number.NaN));
      scene.scales[i * 3 + axis] = finite("sog", scale, i, `scale_${axis}`);
      const color = sh0.codebook[byteAt(colorImage, i, axis)] ?? Number.NaN;
      scene.sh[i * coefficients * 3 + axis] = finite("sog", color, i, `f_dc_${axis}`);
    }
    scene.opacities[i] = byteAt(colorImage, i, 3) / 255;
  }
}

async function readHarmonics(scene: SplatScene, { degree, size, codebook, files }: NonNullable<Meta["shN"]>, picture: Picture): Promise<void> {
  const coefficients = shCoefficientCount(degree);
  const rest = coefficients - 1;
  const palette = await picture(files[0]!, Math.ceil(size / paletteRow) * paletteRow * rest);
  if (palette.width !== paletteRow * rest) {
    throw new SplatFileError("damaged", `sog: expected ${files[0]} ${paletteRow * rest} pixels wide for degree ${degree}, got ${palette.width}`);
  }
  const labels = await picture(files[1]!, scene.count);
  for (let i = 0; i < scene.count; i++) {
    const label = byteAt(labels, i, 0) | (byteAt(labels, i, 1) << 8);
    if (label >= size) throw new SplatFileError("bad-value", `sog: expected a palette entry below ${size}, got ${label} in splat ${i}`);
    const pixel = Math.floor(label / paletteRow) * palette.width + (label % paletteRow) * rest;
    for (let k = 0; k < rest; k++) {
      for (let channel = 0; channel < 3; channel++) {
        const value = codebook[byteAt(palette, pixel + k, channel)] ?? Number.NaN;
        scene.sh[(i * coefficients + k + 1) * 3 + channel] = finite("sog", value, i, "spherical harmonic");
      }
    }
  }
}

function unzip(data: Uint8Array, names: ReadonlySet<string>, maxBytes: number): ReadonlyMap<string, Uint8Array> {
  try {
    const files = unzipSync(data, {
      filter: ({ name, size, originalSize }) => {
        if (!names.has(name)) return false;
        if (originalSize > maxBytes || size > data.length) {
          throw new SplatFileError("limit", `sog: expected at most ${maxBytes} bytes in ${name}, got ${originalSize}`);
        }
        return true;
      },
    });
    return new Map(Object.entries(files));
  } catch (error) {
    if (SplatFileError.isInstance(error)) throw error;
    throw new SplatFileError(
      "damaged",
      `sog: expected a zip archive, got a damaged one (${error instanceof Error ? error.message : String(error)})`,
      {
        cause: error,
      },
    );
  }
}

function parseMeta(bytes: Uint8Array | undefined, limits: SplatLimits): Meta {
  if (!bytes) throw new SplatFileError("unknown-format", "sog: expected meta.json in the archive, got none");
  let meta: unknown;
  try {
    meta = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SplatFileError("damaged", `sog: expected JSON in meta.json, got none (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
  const version = member(meta, "version");
  if (version !== 2)
    throw new SplatFileError("unsupported", `sog: expected version 2, got ${version === undefined ? "a file of before versions" : String(version)}`);
  const count = member(meta, "count");
  if (!(Number.isInteger(count) && (count as number) >= 0)) throw new SplatFileError("damaged", `sog: expected a count, got ${String(count)}`);
  checkCount("sog", count as number, limits);
  const [means, scales, quats, sh0, shN] = ["means", "scales", "quats", "sh0", "shN"].map((name) => member(meta, name));
  return {
    count: count as number,
    mins: numbers(means, "mins", 3),
    maxs: numbers(means, "maxs", 3),
    means: texts(means, "means", 2),
    scales: { codebook: numbers(scales, "codebook", 256), files: texts(scales, "scales", 1) },
    quats: texts(quats, "quats", 1),
    sh0: { codebook: numbers(sh0, "codebook", 256), files: texts(sh0, "sh0", 1) },
    shN: shN === undefined || shN === null ? undefined : parseHarmonics(shN),
  };
}

function parseHarmonics(shN: unknown): NonNullable<Meta["shN"]> {
  const degree = member(shN, "bands");
  const size = member(shN, "count");
  if (degree !== 1 && degree !== 2 && degree !== 3) throw new SplatFileError("damaged", `sog: expected 1 to 3 bands in shN, got ${String(degree)}`);
  if (!(Number.isInteger(size) && (size as number) >= 1 && (size as number) <= 65_536)) {
    throw new SplatFileError("damaged", `sog: expected a palette of 1 to 65536 in shN, got ${String(size)}`);
  }
  return { degree, size: size as number, codebook: numbers(shN, "codebook", 256), files: texts(shN, "shN", 2) };
}

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? Reflect.get(value, name) : undefined;
}

function numbers(value: unknown, name: string, length: number): readonly number[] {
  const found = member(value, name);
  if (!Array.isArray(found) || found.length !== length || !found.every((x) => typeof x === "number" && Number.isFinite(x))) {
    throw new SplatFileError("damaged", `sog: expected ${name} to be ${length} numbers, got something else`);
  }
  return found as readonly number[];
}

function texts(value: unknown, name: string, length: number): readonly string[] {
  const found = member(value, "files");
  if (!Array.isArray(found) || found.length !== length || !found.every((x) => typeof x === "string")) {
    throw new SplatFileError("damaged", `sog: expected ${length} names of files in ${name}, got something else`);
  }
  return found as readonly string[];
}
