import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { clipImageTensor } from "@refadgen/clip";
import type { Tensor } from "@refadgen/graph";
import { decodeImage, type Image } from "@refadgen/image";
import { autoencoderInput, latentMask, publishedResize, RefAdGenPipeline } from "@refadgen/pipeline";
import type { CaseResult, Part, PartOptions } from "../case.js";
import { type Comparison, compareRecorded, compareValues, failure, result, type Tolerance } from "../compare.js";
import { openRecording, type Recording } from "../recording.js";

interface PipelineSettings {
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly guidance: number;
  readonly scale: number;
  readonly seed: number;
  readonly prompt: string;
  readonly images_per_prompt?: number;
  readonly use_mask?: boolean;
  readonly use_clip?: boolean;
}

interface PreprocessSettings {
  readonly resized: readonly [number, number];
  readonly width: number;
  readonly height: number;
}

type Session = NonNullable<PartOptions["session"]>;

const exact: Tolerance = {};
const ofStandardDeviation: Tolerance = { max: 1e-4, relative: true };
const random: Tolerance = { max: 2e-6 };

/**
 * What U-Nets in other precisions may be off by, here where the miniature networks magnify every rounding some hundred times: latents and
 * predictions in units of their standard deviation, the image in units of its range.
 */
const lower: { readonly states: Tolerance; readonly image: Tolerance } = {
  states: { max: 2, rms: 0.2, relative: true },
  image: { max: 0.6, rms: 0.06 },
};

/** Whole runs of the pipeline on the micro checkpoint, every intermediate; and the published preprocessing. */
export const micro: Part = async function* (folder, { session = {} }) {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort();
  for (const file of files) {
    const stem = basename(file, ".safetensors");
    try {
      if (stem.startsWith("pipeline-")) yield await pipelineCase(folder, stem, session);
      else if (stem.startsWith("preprocess-")) yield await preprocessCase(folder, stem);
      else yield failure(stem, "expected pipeline-… or preprocess-…");
    } catch (error) {
      yield failure(stem, error);
    }
  }
};

async function pipelineCase(folder: string, stem: string, session: Session): Promise<CaseResult> {
  const recording = await openRecording<PipelineSettings>(join(folder, `${stem}.safetensors`));
  const { settings } = recording;
  const checkpoint = await checkpointOf(folder);
  const { provider, ...others } = session;
  const pipeline = await RefAdGenPipeline.fromPretrained(
    { base: join(checkpoint, "base"), checkpoint: join(checkpoint, "refadgen", "mp_rank_00_model_states.pt") },
    { ...others, ...(provider && { device: provider }) },
  );
  const shown = new Map<string, Tensor[]>();
  await pipeline.generate({
    product: await recordedImage(recording, "product_rgb"),
    mask: settings.use_mask === false ? null : await recordedMask(recording),
    prompt: settings.prompt === "" ? null : settings.prompt,
    steps: settings.steps,
    guidanceScale: settings.guidance,
    referenceScale: settings.scale,
    seed: settings.seed,
    imagesPerPrompt: settings.images_per_prompt ?? 1,
    width: settings.width,
    height: settings.height,
    referenceContext: settings.use_clip === false ? "text" : "image",
    onTensor: (name, tensor, place) => {
      const key = place?.step === undefined ? name : `latents_after_step_${String(place.step).padStart(2, "0")}`;
      shown.set(key, [...(shown.get(key) ?? []), tensor]);
    },
  });
  await pipeline.dispose();
  return result(stem, [
    ...(await compareTensors(recording, shown, session)),
    ...(isExact(session) ? await compareImages(folder, stem, shown.get("image") ?? []) : []),
  ]);
}

/** Recordings of other cases come without the checkpoint, which is always the same one: then the bundled copy. */
async function checkpointOf(folder: string): Promise<string> {
  const own = join(folder, "checkpoint");
  const found = await stat(own).catch(() => undefined);
  return found?.isDirectory() ? own : fileURLToPath(new URL("../../../assets/micro", import.meta.url));
}

function isExact({ precision = "fp32" }: Session): boolean {
  return precision === "fp32";
}

async function compareTensors(
  recording: Recording<PipelineSettings>,
  shown: ReadonlyMap<string, readonly Tensor[]>,
  session: Session,
): Promise<Comparison[]> {
  const fromUnet = isExact(session) ? { states: ofStandardDeviation, image: { max: 1e-3, rms: 1e-4 } } : lower;
  const { settings } = recording;
  const count = settings.images_per_prompt ?? 1;
  const values = (name: string): number[] => (shown.get(name) ?? []).flatMap(({ data }) => Array.from(data as ArrayLike<number | bigint>, Number));
  const batch = (name: string): number[] => Array.from({ length: count }, () => values(name)).flat();
  const halves = (pieces: readonly number[][]): number[] => {
    const half = (index: number) => pieces.flatMap((piece) => piece.slice((index * piece.length) / 2, ((index + 1) * piece.length) / 2));
    return settings.guidance > 1 ? [...half(0), ...half(1)] : pieces.flat();
  };
  const first = Array.from({ length: count }, (_, image) =>
    Array.from((shown.get("prediction")?.[image * settings.steps]?.data ?? []) as ArrayLike<number>),
  );
  const comparisons: Comparison[] = [];
  for (const name of recording.names) {
    const check = async (actual: ArrayLike<number>, tolerance: Tolerance) =>
      void comparisons.push(...(await compareRecorded(recording, name, actual, tolerance)));
    if (name === "product_rgb" || name === "mask" || (name === "clip_image" && settings.use_clip === false))
      continue; // inputs
    else if (name === "ids" || name === "negative_ids" || name === "null_ids") await check(values(name), exact);
    else if (name === "timesteps") await check(values(name), exact);
    else if (name === "latent_mask") await check(batch(name), exact);
    else if (name === "text" || name === "negative") await check(batch(name), ofStandardDeviation);
    else if (name === "reference_context") await check(halves(Array.from({ length: count }, () => values(name))), ofStandardDeviation);
    else if (name === "noise_prediction_first_step") await check(halves(first), fromUnet.states);
    else if (name === "initial_latents") await check(values(name), random);
    else if (name === "reference_latents") await check(values(name), ofStandardDeviation);
    else if (name.startsWith("latents_after_step_")) await check(values(name), fromUnet.states);
    else if (name === "product" || name === "clip_image") await check(values(name), { max: 1e-6 });
    else if (name === "image") await check(values(name), fromUnet.image);
    else comparisons.push({ name, error: Number.POSITIVE_INFINITY, detail: `${name} is recorded, but nothing here compares it` });
  }
  return comparisons;
}

/** The pictures as files: a level of 8 bits stands for half a level on either side, and the image's tolerance comes on top. */
async function compareImages(folder: string, stem: string, images: readonly Tensor[]): Promise<Comparison[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${stem}-expected-`)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { data, width, height } = await decodeImage(join(folder, name));
      const pixels = images[Number(/-expected-(\d+)\.png$/.exec(name)?.[1])]?.data as Float32Array | undefined;
      const beyond = Float64Array.from(data, (level, index) => {
        const value = pixels?.[(index % 3) * width * height + Math.floor(index / 3)] ?? Number.NaN;
        return Math.max(0, Math.abs(value * 255 - level) - 0.5) / 255;
      });
      return compareValues(name, beyond, new Float64Array(beyond.length), { max: 1e-3 });
    }),
  );
}

async function preprocessCase(folder: string, stem: string): Promise<CaseResult> {
  const recording = await openRecording<PreprocessSettings>(join(folder, `${stem}.safetensors`));
  const { resized: size, width, height } = recording.settings;
  const resized = publishedResize(await decodeImage(join(folder, `${stem}-product.png`)));
  const squashed = autoencoderInput(resized, { width, height });
  const pixels = new Float64Array(squashed.length); // back to 8 bits, [H, W, 3]
  const area = width * height;
  for (let index = 0; index < area; index++)
    for (let color = 0; color < 3; color++) pixels[index * 3 + color] = Math.round(((squashed[color * area + index]! + 1) / 2) * 255);
  const mask = { width: recording.dims("mask")[1]!, height: recording.dims("mask")[0]!, data: Uint8Array.from(await recording.values("mask")) };
  const latent = latentMask(mask, { width: width / 8, height: height / 8 });
  const comparisons: Comparison[] = [compareValues("size", [resized.width, resized.height], Float64Array.from(size), exact)];
  for (const name of recording.names) {
    const [stemName, step] = [name.replace(/_every_\d+$/, ""), Number(/_every_(\d+)$/.exec(name)?.[1] ?? 1)];
    const every = (values: ArrayLike<number>) => Float64Array.from({ length: Math.ceil(values.length / step) }, (_, index) => values[index * step]!);
    if (stemName === "resized") comparisons.push(...(await compareRecorded(recording, name, every(resized.data), exact)));
    else if (stemName === "squashed") comparisons.push(...(await compareRecorded(recording, name, every(pixels), exact)));
    else if (stemName === "clip_image") comparisons.push(...(await compareRecorded(recording, name, every(clipImageTensor(resized)), { max: 1e-6 })));
    else if (stemName === "latent_mask") comparisons.push(...(await compareRecorded(recording, name, latent, exact)));
    else if (stemName !== "mask")
      comparisons.push({ name, error: Number.POSITIVE_INFINITY, detail: `${name} is recorded, but nothing here compares it` });
  }
  return result(stem, comparisons);
}

async function recordedImage(recording: Recording<unknown>, name: string): Promise<Image> {
  const [height, width] = recording.dims(name) as [number, number];
  return { width, height, channels: 3, data: Uint8Array.from(await recording.values(name)) };
}

async function recordedMask(recording: Recording<unknown>): Promise<Image> {
  const [height, width] = recording.dims("mask") as [number, number];
  return { width, height, channels: 1, data: Uint8Array.from(await recording.values("mask"), (value) => value * 255) };
}
