import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  centerCrop,
  clipNormalization,
  type DecodedImage,
  decodeWithMode,
  type Image,
  imageToTensor,
  maxFilter,
  pillowFilter,
  type ResizeFilter,
  resizeFloatImage,
  resizeImage,
  resizeTensor,
  type TensorResizeMethod,
  toFloatImage,
  toGrey,
  toRgb,
  toRgba,
  torchvisionResize,
} from "@refadgen/image";
import type { CaseResult, Part } from "../case.js";

/** One entry of `settings.cases`; which fields there are depends on `kind`. */
interface RecordedCase {
  readonly name: string;
  readonly kind: string;
  readonly image: string;
  readonly filter: ResizeFilter;
  readonly size: readonly [number, number] | number;
  readonly mode: string;
  readonly to: string;
  readonly threshold: number;
  readonly n: number;
  readonly order: string;
  readonly method: TensorResizeMethod;
  readonly sample_every: number;
  readonly mean_std_absmax: readonly [number, number, number];
}

interface Recording {
  readonly settings: { readonly kind?: string; readonly cases?: readonly RecordedCase[] };
  readonly tensors: ReadonlyMap<string, Values>;
}

interface Values {
  readonly dims: readonly number[];
  readonly data: Uint8Array | Float32Array;
}

interface Answer extends Values {
  /** Mode "P": what was recorded are indices into this palette, what is answered are colours. */
  readonly palette?: Uint8Array;
}

const tolerances: Readonly<Record<string, number>> = {
  "pil-resize-float": 1e-4,
  "clip-transform": 1e-6,
  "clip-image-processor-default": 1e-6,
  "tensor-resize": 2e-3,
};

/** Pillow's, torchvision's, transformers' and PyTorch's preprocessing: every file of the metrics folder whose kind is `preprocessing`. */
export const metricsPreprocessing: Part = async function* (folder) {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort()) {
    const stem = basename(file, ".safetensors");
    let recording: Recording;
    try {
      recording = parseRecording(await readFile(join(folder, file)));
    } catch (error) {
      if (stem.startsWith("preprocessing")) yield failed(stem, `cannot be read: ${messageOf(error)}`);
      continue;
    }
    if (recording.settings.kind !== "preprocessing") continue;
    const cases = recording.settings.cases ?? [];
    for (const recorded of cases) yield await runCase(folder, stem, recorded, recording.tensors.get(recorded.name));
    const named = new Set(cases.map(({ name }) => name));
    for (const name of recording.tensors.keys()) if (!named.has(name)) yield failed(`${stem}/${name}`, "recorded values that no case explains");
  }
};

async function runCase(folder: string, stem: string, recorded: RecordedCase, expected: Values | undefined): Promise<CaseResult> {
  const name = `${stem}/${recorded.name}`;
  try {
    if (!expected) return failed(name, "no recorded values");
    // Pillow looks at neither profile nor orientation.
    const decoded = await decodeWithMode(join(folder, recorded.image), { applyProfile: false, applyOrientation: false });
    const answer = answerTo(recorded, { ...decoded, image: inMode(decoded) });
    return compare(name, recorded, answer, expected);
  } catch (error) {
    return failed(name, messageOf(error));
  }
}

function answerTo(recorded: RecordedCase, { image, mode, palette }: DecodedImage): Answer {
  const { kind, filter, n } = recorded;
  switch (kind) {
    case "pil-resize": {
      const [width, height] = pair(recorded);
      if (mode !== recorded.mode) throw new Error(`expected a file of mode ${recorded.mode}, got ${mode}`);
      const resized = resizeImage(image, { width, height }, { filter: pillowFilter(mode, filter) });
      return mode === "P" && palette ? { ...pixels(toRgb(resized)), palette } : pixels(resized);
    }
    case "pil-resize-float": {
      const [width, height] = pair(recorded);
      const resized = resizeFloatImage(toFloatImage(image), { width, height }, { filter });
      return { dims: resized.channels === 1 ? [height, width] : [height, width, resized.channels], data: resized.data };
    }
    case "convert":
      if (recorded.to !== "RGB" && recorded.to !== "L") throw new Error(`unknown mode ${recorded.to}`);
      return pixels(recorded.to === "RGB" ? toRgb(image) : toGrey(image));
    case "max-filter": {
      const grey = toGrey(image);
      return pixels(maxFilter({ ...grey, data: grey.data.map((value) => (value > recorded.threshold ? 255 : 0)) }, recorded.size as number));
    }
    case "torchvision-resize-crop":
      return pixels(centerCrop(torchvisionResize(image, n, { filter: pillowFilter(mode, filter) }), { width: n, height: n }));
    case "clip-image-processor":
      return pixels(centerCrop(torchvisionResize(toRgb(image), n, { filter }), { width: n, height: n }, { rounding: "floor" }));
    case "center-crop": {
      if (recorded.order !== "height, width") throw new Error(`unknown order ${recorded.order}`);
      const [height, width] = pair(recorded);
      return pixels(centerCrop(image, { width, height }));
    }
    case "clip-transform": {
      const orders = ["resize, crop, then RGB", "RGB, then resize, crop"];
      if (!orders.includes(recorded.order)) throw new Error(`unknown order ${recorded.order}`);
      const rgbFirst = recorded.order === orders[1];
      const resized = torchvisionResize(rgbFirst ? toRgb(image) : image, n, { filter: rgbFirst ? "bicubic" : pillowFilter(mode, "bicubic") });
      return { dims: [3, n, n], data: imageToTensor(toRgb(centerCrop(resized, { width: n, height: n })), clipNormalization) };
    }
    case "clip-image-processor-default": {
      const cropped = centerCrop(torchvisionResize(toRgb(image), 224, { filter: "bicubic" }), { width: 224, height: 224 }, { rounding: "floor" });
      return { dims: [3, 224, 224], data: imageToTensor(cropped, clipNormalization) };
    }
    case "tensor-resize": {
      const [width, height] = pair(recorded);
      const data = imageToTensor(image, { scale: 1 });
      return {
        dims: [image.channels, height, width],
        data: resizeTensor(data, [image.channels, image.height, image.width], { width, height }, { method: recorded.method }),
      };
    }
    default:
      throw new Error(`unknown kind ${kind}`);
  }
}

function compare(name: string, recorded: RecordedCase, answer: Answer, expected: Values): CaseResult {
  const { sample_every: every, mean_std_absmax: statistics } = recorded;
  if (every === undefined && answer.palette === undefined && String(answer.dims) !== String(expected.dims)) {
    return failed(name, `expected [${expected.dims.join(", ")}], got [${answer.dims.join(", ")}]`);
  }
  const got = every === undefined ? answer.data : answer.data.filter((_, i) => i % every === 0).subarray(0, expected.data.length);
  const want = answer.palette ? colours(expected.data, answer.palette) : expected.data;
  if (got.length !== want.length) return failed(name, `expected ${want.length} values, got ${got.length}`);

  let worst = 0;
  let different = 0;
  const differ = (a: number, b: number): void => {
    const difference = Math.abs(a - b);
    if (difference !== 0) different++;
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  };
  for (let i = 0; i < want.length; i++) differ(got[i]!, want[i]!);
  if (expected.data instanceof Uint8Array) {
    const detail = different === 0 ? `${want.length} values exact` : `${different} of ${want.length} values differ, by up to ${worst}`;
    return { name, error: different === 0 ? 0 : Number.POSITIVE_INFINITY, detail, passed: different === 0 };
  }
  if (statistics) for (const [i, value] of meanStdAbsmax(answer.data).entries()) differ(value, statistics[i]!);
  const tolerance = tolerances[recorded.kind];
  if (tolerance === undefined) return failed(name, `no tolerance known for floats of kind ${recorded.kind}`);
  return { name, error: worst / tolerance, detail: `max ${worst.toExponential(1)} of ${tolerance}`, passed: worst <= tolerance };
}

function pixels({ width, height, channels, data }: Image): Values {
  return { dims: channels === 1 ? [height, width] : [height, width, channels], data };
}

/** Transparency that Pillow keeps outside of the pixels (tRNS) is no part of these modes. */
function inMode({ image, mode }: DecodedImage): Image {
  if (mode === "L" || mode === "1") return toGrey(image);
  if (mode === "RGB") return toRgb(image);
  return mode === "RGBA" ? toRgba(image) : image;
}

function pair({ size }: RecordedCase): readonly [number, number] {
  if (typeof size === "number" || size?.length !== 2) throw new Error(`expected a size of two numbers, got ${String(size)}`);
  return size;
}

function colours(indices: ArrayLike<number>, palette: Uint8Array): Uint8Array {
  const out = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++) out.set(palette.subarray(indices[i]! * 3, indices[i]! * 3 + 3), i * 3);
  return out;
}

function meanStdAbsmax(data: ArrayLike<number>): [number, number, number] {
  let sum = 0;
  let absmax = 0;
  for (let i = 0; i < data.length; i++) {
    sum += data[i]!;
    absmax = Math.max(absmax, Math.abs(data[i]!));
  }
  const mean = sum / data.length;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i]! - mean) ** 2;
  return [mean, Math.sqrt(squares / data.length), absmax];
}

/** The uint8 and float32 tensors of a safetensors file, and its settings. */
function parseRecording(bytes: Buffer): Recording {
  const length = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString("utf8", 8, 8 + length),
  );
  const { __metadata__: metadata, ...entries } = header;
  const settings: Recording["settings"] = JSON.parse(String(Reflect.get(metadata ?? {}, "settings") ?? "{}"));
  if (settings.kind !== "preprocessing") return { settings, tensors: new Map() };
  const tensors = new Map<string, Values>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    // A copy, so that float32 is aligned.
    const data = Uint8Array.from(bytes.subarray(8 + length + data_offsets[0], 8 + length + data_offsets[1]));
    if (dtype !== "U8" && dtype !== "F32") throw new Error(`${name}: expected dtype U8 or F32, got ${dtype}`);
    tensors.set(name, { dims: shape, data: dtype === "U8" ? data : new Float32Array(data.buffer) });
  }
  return { settings, tensors };
}

function failed(name: string, detail: string): CaseResult {
  return { name, error: Number.POSITIVE_INFINITY, detail, passed: false };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
