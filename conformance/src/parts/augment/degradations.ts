import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  addGaussianNoise,
  addImpulseNoise,
  addIsoNoise,
  addPoissonNoise,
  addSpeckleNoise,
  brightness,
  contactShadow,
  contactShadowMap,
  contrast,
  darken,
  defocusBlur,
  defocusKernel,
  displacementWarp,
  exposure,
  gamma,
  gaussianBlur,
  gaussianTaps,
  jpegCompression,
  lensWarp,
  type Matrix3,
  matrixOfPoints,
  matrixWarp,
  motionBlur,
  motionKernel,
  type Picture,
  type Point,
  rescale,
  rescaledSize,
  saturation,
  smoothedDisplacement,
  splineWarp,
  temperatureGains,
  thinPlateSpline,
  type Warp,
  warpPicture,
  whiteBalance,
} from "@refadgen/augment";
import { decodeImage, type FloatImage, type Image, type ResizeFilter, resizeImage, type Size } from "@refadgen/image";
import type { CaseResult } from "../../case.js";
import { type Comparison, compareNumbers, failed, float32Of, messageOf, type Recording, readRecording, resultOf, tensorOf } from "./recording.js";

const level = 1 / 255;
/** Where `float_crop` lies: rows, columns. */
const crop = { top: 20, bottom: 52, left: 30, right: 70 };

/** What a case is made of. */
interface Case {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly recording: Recording;
  readonly bytes: Image;
  readonly floats: FloatImage;
  readonly mask: Image;
  readonly folder: string;
}

/** How an operation is repeated: on 8 bits and on floats, with what else of it is recorded. */
interface Operation {
  readonly run: <P extends Picture>(picture: P) => P | Promise<P>;
  /** What floats may differ by. */
  readonly float: number;
  /** What 8-bit levels may differ by; default 1. */
  readonly uint8?: number;
  /** Comparisons of other tensors, by tensor name. */
  readonly others?: Readonly<Record<string, () => Comparison | Promise<Comparison>>>;
}

/** Every operation recorded in the folder `image`, whatever its settings. */
export async function* degradations(folder: string): AsyncIterable<CaseResult> {
  const bytes = await decodeImage(join(folder, "input.png"));
  const decodedMask = await decodeImage(join(folder, "mask.png"));
  const mask: Image = { ...decodedMask, channels: 1, data: decodedMask.data.filter((_, i) => i % decodedMask.channels === 0) };
  const floats: FloatImage = { ...bytes, data: Float32Array.from(bytes.data, (value) => value / 255) };
  for (const file of ["filters", "geometry", "light", "noise", "resample"]) {
    let recording: Recording;
    try {
      recording = await readRecording(join(folder, `${file}.safetensors`));
    } catch (error) {
      yield failed(`image/${file}`, messageOf(error));
      continue;
    }
    const named = Object.entries(recording.settings).filter(([, settings]) => typeof settings === "object" && settings !== null);
    const prefixes = new Set([...recording.tensors.keys()].map((key) => key.slice(0, key.indexOf("/"))));
    prefixes.delete("noise");
    for (const [name] of named) prefixes.delete(name);
    for (const stranger of prefixes) yield failed(`image/${file}/${stranger}`, "tensors without settings");
    for (const [name, settings] of named) {
      const label = `image/${file}/${name}`;
      try {
        yield await compared(label, { name, settings: settings as Case["settings"], recording, bytes, floats, mask, folder });
      } catch (error) {
        yield failed(label, messageOf(error));
      }
    }
  }
  yield await quantisationTables(folder);
}

async function compared(label: string, one: Case): Promise<CaseResult> {
  const { name, recording, bytes, floats } = one;
  const { run, float, uint8 = 1, others = {} } = operationOf(one);
  const comparisons: Comparison[] = [];
  for (const key of [...recording.tensors.keys()].filter((tensor) => tensor.startsWith(`${name}/`))) {
    const what = key.slice(name.length + 1);
    if (inputs.has(what) && others[what] === undefined) continue;
    const expected = tensorOf(recording, key).data;
    if (what === "uint8") comparisons.push(compareNumbers("uint8", (await run(bytes)).data, expected, { atol: uint8 || 1e-9 }));
    else if (what === "float") comparisons.push(compareNumbers("float", (await run(floats)).data, expected, { atol: float }));
    else if (what === "float_crop") comparisons.push(compareNumbers("float", cropped(await run(floats)), expected, { atol: float }));
    else if (others[what]) comparisons.push(await others[what]());
    else return failed(label, `${what}: a tensor that is not compared`);
  }
  return resultOf(label, comparisons);
}

/** Tensors that a case is given. Where they also follow from others, the operation compares them. */
const inputs = new Set(["source", "target", "noise", "matrix"]);

function cropped({ width, height, channels, data }: Picture): Float32Array {
  const rows: number[] = [];
  for (let y = crop.top; y < Math.min(crop.bottom, height); y++) {
    for (let i = crop.left * channels; i < Math.min(crop.right, width) * channels; i++) rows.push(data[y * width * channels + i]!);
  }
  return Float32Array.from(rows);
}

function operationOf(one: Case): Operation {
  const family = Object.keys(families)
    .filter((prefix) => one.name === prefix || one.name.startsWith(`${prefix}_`))
    .sort((a, b) => b.length - a.length)[0];
  if (family === undefined) throw new Error(`expected an operation of ${Object.keys(families).join(", ")}, got ${one.name}`);
  return families[family]!(one);
}

const families: Readonly<Record<string, (one: Case) => Operation>> = {
  perspective: (one) => {
    const [source, target] = [pointsOf(one, "source"), pointsOf(one, "target")];
    const matrix = matrixOfPoints(source, target);
    return moved(one, matrixWarp(matrix, sizeOf(one)), {
      matrix: () => compareNumbers("matrix", matrix, values(one, "matrix"), { atol: 1e-6, rtol: 1e-5 }),
    });
  },
  homography: (one) => moved(one, matrixWarp([...values(one, "matrix")] as unknown as Matrix3, sizeOf(one))),
  affine: (one) => moved(one, matrixWarp([...values(one, "matrix"), 0, 0, 1] as unknown as Matrix3, sizeOf(one))),
  thin_plate: (one) => {
    const [target, source] = [pointsOf(one, "target"), pointsOf(one, "source")];
    const spline = thinPlateSpline(target, source);
    const warp = splineWarp(spline, one.bytes);
    const reached = target.flatMap(([x, y]) => warp.sourceOf(x, y));
    return moved(one, warp, {
      map: () => compareNumbers("map, px", mapOf(warp), values(one, "map"), { atol: 1e-3 }),
      weights: () => compareNumbers("control points, px", reached, source.flat(), { atol: 1e-6 }),
    });
  },
  elastic: (one) => {
    const displacement = smoothedDisplacement(values(one, "noise"), one.bytes, {
      alpha: number(one, "alpha"),
      sigma: number(one, "sigma"),
      kernelSize: number(one, "ksize"),
    });
    return moved(one, displacementWarp(displacement, one.bytes), {
      displacement: () => compareNumbers("displacement, px", displacement, values(one, "displacement"), { atol: 1e-5 }),
    });
  },
  lens: (one) => moved(one, lensWarp(one.bytes, { k1: number(one, "k1"), k2: number(one, "k2") })),

  gaussian_blur: (one) => {
    const params = { sigma: number(one, "sigma"), kernelSize: number(one, "ksize") };
    return filtered(one, (picture) => gaussianBlur(picture, params), gaussianTaps(params.kernelSize, params.sigma));
  },
  motion_blur: (one) => {
    const params = { length: number(one, "length"), degrees: number(one, "degrees") };
    return filtered(one, (picture) => motionBlur(picture, params), motionKernel(params).values);
  },
  defocus: (one) => {
    const params = { radius: number(one, "radius"), alias: number(one, "alias") };
    return filtered(one, (picture) => defocusBlur(picture, params), defocusKernel(params).values);
  },

  gaussian_noise: (one) => {
    const standardDeviation = number(one, "sd");
    return { float: 1e-6, run: (picture) => addGaussianNoise(picture, field(one), { standardDeviation }) };
  },
  sensor_noise: (one) => {
    const params = { shot: number(one, "shot"), read: number(one, "read") };
    return { float: 1e-5, run: (picture) => addIsoNoise(picture, field(one), params) };
  },
  poisson: (one) => {
    const peak = number(one, "peak");
    return { float: 1e-6, uint8: 0, run: (picture) => addPoissonNoise(picture, field(one), { peak }) };
  },
  impulse: (one) => ({ float: 1e-6, run: (picture) => addImpulseNoise(picture, field(one), { amount: number(one, "amount") }) }),
  speckle: (one) => ({ float: 1e-6, run: (picture) => addSpeckleNoise(picture, field(one), { standardDeviation: number(one, "sd") }) }),

  exposure: (one) => ({ float: 1e-5, run: (picture) => exposure(picture, { stops: number(one, "ev") }) }),
  gamma: (one) => ({ float: 1e-5, run: (picture) => gamma(picture, { gamma: number(one, "gamma") }) }),
  brightness: (one) => ({ float: 1e-6, run: (picture) => brightness(picture, { add: number(one, "add") }) }),
  contrast: (one) => ({ float: 1e-6, run: (picture) => contrast(picture, { factor: number(one, "factor") }) }),
  contrast_mean: (one) => ({ float: 1e-6, run: (picture) => contrast(picture, { factor: number(one, "factor"), about: "mean" }) }),
  saturation: (one) => ({ float: 1e-6, run: (picture) => saturation(picture, { factor: number(one, "factor") }) }),
  temperature: (one) => {
    const kelvin = number(one, "kelvin");
    return {
      float: 1e-5,
      run: (picture) => whiteBalance(picture, { kelvin }),
      others: { gains: () => compareNumbers("gains", temperatureGains(kelvin), values(one, "gains"), { atol: 1e-5 }) },
    };
  },
  cast_shadow: (one) => ({
    float: 1e-5,
    run: (picture) => darken(picture, values(one, "mask"), { gain: numbersOf(one, "gain") as [number, number, number] }),
    others: { mask: () => ({ what: "mask", share: 0, detail: "mask given" }) },
  }),
  contact_shadow: (one) => {
    const params = { squash: number(one, "squash"), shear: number(one, "shear"), blur: number(one, "blur"), opacity: number(one, "opacity") };
    const { data } = tensorOf(one.recording, `${one.name}/mask`);
    const mask: Image = { width: one.bytes.width, height: one.bytes.height, channels: 1, data: Uint8Array.from(data) };
    return {
      float: 1e-4,
      run: (picture) => contactShadow(picture, mask, params),
      others: {
        mask: () => ({ what: "mask", share: 0, detail: "mask given" }),
        shadow: () => compareNumbers("shadow", contactShadowMap(mask, params), values(one, "shadow"), { atol: 1e-4 }),
      },
    };
  },

  downscale: (one) => {
    const size = sizeOf(one);
    const [down, up] = [filterOf(one, "down"), filterOf(one, "up")];
    const factor = Number(one.name.split("_")[1]);
    const small = rescaledSize(one.bytes, { factor });
    if (small.width !== size.width || small.height !== size.height)
      throw new Error(`expected ${size.width} × ${size.height}, got ${small.width} × ${small.height}`);
    return {
      float: 0.01 * level,
      uint8: 0,
      run: (picture) => rescale(picture, { factor, down, up }),
      others: {
        small: () => compareNumbers("small", resizeImage(one.bytes, small, { filter: down }).data, values(one, "small"), { atol: 1e-9 }),
      },
    };
  },
  downscale_area: (one) => ({
    float: 0.01 * level,
    run: (picture) => rescale(picture, { factor: Number(one.name.split("_")[2]), down: "area", up: "linear" }),
  }),
  jpeg: (one) => {
    const quality = number(one, "quality");
    return {
      float: 1e-9,
      uint8: 0,
      run: (picture) => jpegCompression(picture, { quality, chromaSubsampling: "4:2:0" }),
    };
  },
};

/** An operation that moves pixels; its mask moves along. */
function moved(one: Case, warp: Warp, others: NonNullable<Operation["others"]> = {}): Operation {
  const border = one.settings.border === "white" ? "white" : one.settings.border === "reflect101" ? "reflect" : undefined;
  if (border === undefined) throw new Error(`expected border white or reflect101, got ${String(one.settings.border)}`);
  return {
    float: 0.01 * level,
    run: (picture) => warpPicture(picture, warp, { border }),
    others: {
      ...others,
      mask: () => {
        const { data } = warpPicture(one.mask, warp, { interpolation: "nearest", border: "zero" });
        const expected = values(one, "mask");
        const different = expected.reduce((count, value, i) => count + Number(value !== data[i]), 0);
        return { what: "mask", share: data.length === expected.length ? different / 3 : Number.POSITIVE_INFINITY, detail: `mask ${different} px` };
      },
    },
  };
}

function filtered(one: Case, run: Operation["run"], kernel: Float64Array): Operation {
  return { float: 1e-3 * level, run, others: { kernel: () => compareNumbers("kernel", kernel, values(one, "kernel"), { atol: 1e-6 }) } };
}

function mapOf({ size, sourceOf }: Warp): Float32Array {
  return Float32Array.from(Array.from({ length: size.width * size.height }, (_, i) => sourceOf(i % size.width, Math.trunc(i / size.width))).flat());
}

/** The JPEG files decode to what is recorded, and our files have the same quantisation tables. */
async function quantisationTables(folder: string): Promise<CaseResult> {
  const label = "image/jpeg files";
  try {
    const tables: Record<string, Record<string, number[]>> = JSON.parse(await readFile(join(folder, "jpeg_tables.json"), "utf8"));
    const recording = await readRecording(join(folder, "resample.safetensors"));
    const comparisons: Comparison[] = [];
    for (const [quality, expected] of Object.entries(tables)) {
      const file = await readFile(join(folder, `jpeg_q${quality}.jpg`));
      const found = quantisationOf(file);
      for (const [id, table] of Object.entries(expected)) {
        comparisons.push(compareNumbers(`table ${quality}/${id}`, found.get(Number(id)) ?? [], table, { atol: 1e-9 }));
      }
      const decoded = await decodeImage(file);
      comparisons.push(compareNumbers(`decoded ${quality}`, decoded.data, tensorOf(recording, `jpeg_${quality}/uint8`).data, { atol: 1e-9 }));
    }
    return resultOf(label, comparisons);
  } catch (error) {
    return failed(label, messageOf(error));
  }
}

/** Tables of a JPEG file by number, in the order of rows (the file has them in zigzag). */
function quantisationOf(file: Uint8Array): Map<number, number[]> {
  const tables = new Map<number, number[]>();
  for (let at = 2; file[at] === 0xff && file[at + 1] !== 0xda; at += 2 + file[at + 2]! * 256 + file[at + 3]!) {
    if (file[at + 1] !== 0xdb) continue;
    const end = at + 2 + file[at + 2]! * 256 + file[at + 3]!;
    for (let i = at + 4; i < end; i += 65) {
      const table = Array<number>(64).fill(0);
      for (const [k, place] of zigzag().entries()) table[place] = file[i + 1 + k]!;
      tables.set(file[i]! & 15, table);
    }
  }
  return tables;
}

function zigzag(): number[] {
  const places = Array.from({ length: 64 }, (_, i) => ({ x: i % 8, y: Math.trunc(i / 8) }));
  places.sort((a, b) => a.x + a.y - b.x - b.y || ((a.x + a.y) % 2 === 0 ? b.y - a.y : a.y - b.y));
  return places.map(({ x, y }) => y * 8 + x);
}

function values(one: Case, what: string): Float32Array {
  return float32Of(one.recording, `${one.name}/${what}`);
}

function field(one: Case): Float32Array {
  return float32Of(one.recording, String(one.settings.field));
}

function number(one: Case, key: string): number {
  const value = one.settings[key];
  if (typeof value !== "number") throw new Error(`expected a number as setting ${key}, got ${JSON.stringify(value)}`);
  return value;
}

function numbersOf(one: Case, key: string): number[] {
  const value = one.settings[key];
  if (!Array.isArray(value)) throw new Error(`expected numbers as setting ${key}, got ${JSON.stringify(value)}`);
  return value.map(Number);
}

function sizeOf(one: Case): Size {
  const [width, height] = numbersOf(one, "size") as [number, number];
  return { width, height };
}

function pointsOf(one: Case, what: string): Point[] {
  const data = values(one, what);
  return Array.from({ length: data.length / 2 }, (_, i): Point => [data[2 * i]!, data[2 * i + 1]!]);
}

function filterOf(one: Case, key: string): ResizeFilter {
  return String(one.settings[key]).toLowerCase() as ResizeFilter;
}
