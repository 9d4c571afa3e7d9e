import { type Clip, clipScoreAccumulator, loadClip, type Picture } from "@refadgen/metrics";
import { type Comparison, compareRecorded, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { formulaCheckpoint } from "./formula.js";
import { pictures, rowsOf } from "./inputs.js";
import { clipShapes } from "./shapes.js";

interface Settings {
  readonly salt: string;
  readonly weight_gain?: number;
  readonly checkpoint: string;
  readonly images: readonly string[];
  readonly captions: readonly string[];
  readonly prefix?: string;
  /** Pairs of image and caption whose scores were averaged. */
  readonly groups?: readonly (readonly (readonly [number, number])[])[];
}

interface Rows {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** OpenAI's layout, preprocessing and truncation; Hessel's CLIPScore on top. */
export async function clipOpenai(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { settings } = recording;
  const { salt, checkpoint, images, captions, prefix = "A photo depicts ", weight_gain: gain = 1 } = settings;
  const clip = await loadClip(formulaCheckpoint({ salt, gain }, clipShapes(checkpoint)));
  try {
    const inputs = await pictures(folder, images);
    const imageEmbeds = await clip.images(inputs, { preprocessing: "openai" });
    const comparisons = await embeddings(recording, clip, imageEmbeds, 1e-4);
    const prompts = captions.map((caption) => prefix + caption);
    const ids = clip.tokenize(prompts, { truncation: "openai" });
    comparisons.push(compareValues("hessel.ids", ids.flat(), await recording.values("hessel.ids"), {}));
    const texts = await clip.texts(prompts, { truncation: "openai" });
    const cosine = cosines(imageEmbeds, texts);
    comparisons.push(compareValues("hessel.cosine", cosine, await recording.values("hessel.cosine"), { max: 1e-5 }));
    // Every candidate has the first two captions of the reversed list as references.
    const references = captions.toReversed().slice(0, 2);
    const [scores, refScores]: [number[], number[]] = [[], []];
    for (const image of inputs) {
      for (const caption of captions) {
        const accumulator = clipScoreAccumulator({ network: remembering(clip, inputs, imageEmbeds), recipe: "hessel" });
        await accumulator.update({ generated: [image], prompts: [caption], references: [references] });
        const { value, details } = await accumulator.compute({ interval: false });
        scores.push(value);
        refScores.push(details.refScore!);
      }
    }
    comparisons.push(
      compareValues("hessel.score", scores, await recording.values("hessel.score"), { max: 2.5e-5 }),
      compareValues("hessel.refscore", refScores, await recording.values("hessel.refscore"), { max: 2.5e-5 }),
    );
    return comparisons;
  } finally {
    await clip.dispose();
  }
}

/** transformers' layout and processor; torchmetrics' CLIPScore on top. */
export async function clipTransformers(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { settings } = recording;
  const { salt, checkpoint, images, captions, groups = [], weight_gain: gain = 1 } = settings;
  const clip = await loadClip(formulaCheckpoint({ salt, gain }, clipShapes(checkpoint)));
  try {
    const inputs = await pictures(folder, images);
    const imageEmbeds = await clip.images(inputs, { preprocessing: "transformers" });
    const comparisons = await embeddings(recording, clip, imageEmbeds, 2e-4);
    const ids = clip.tokenize(captions, { truncation: "torchmetrics" });
    const width = recording.dims("torchmetrics.ids")[1]!;
    // Recorded rows are as long as the longest of them; beyond that there is only padding.
    const padding = new Set(ids.flatMap((row) => row.slice(width)));
    if ([...padding].some((id) => id !== 49407)) throw new Error("torchmetrics.ids: ids beyond the recorded length");
    const cut = ids.flatMap((row) => row.slice(0, width));
    const cosine = cosines(imageEmbeds, await clip.texts(captions, { truncation: "torchmetrics" }));
    const score: number[] = [];
    for (const pairs of groups) {
      const accumulator = clipScoreAccumulator({ network: remembering(clip, inputs, imageEmbeds), recipe: "torchmetrics" });
      await accumulator.update({ generated: pairs.map(([image]) => inputs[image]!), prompts: pairs.map(([, caption]) => captions[caption]!) });
      score.push((await accumulator.compute({ interval: false })).value);
    }
    const between = cosines(imageEmbeds, imageEmbeds).map((value) => 100 * value);
    comparisons.push(
      compareValues("torchmetrics.ids", cut, await recording.values("torchmetrics.ids"), {}),
      compareValues("torchmetrics.cosine", cosine, await recording.values("torchmetrics.cosine"), { max: 2e-5 }),
      compareValues("torchmetrics.score", score, await recording.values("torchmetrics.score"), { max: 2e-3 }),
      compareValues("image_image", between, await recording.values("image_image"), { max: 2e-3 }),
    );
    return comparisons;
  } finally {
    await clip.dispose();
  }
}

/** The network, with the embeddings of these pictures at hand. */
function remembering(clip: Clip, pictures: readonly Picture[], { data }: Rows): Clip {
  const row = (picture: Picture) => {
    const index = pictures.indexOf(picture);
    return data.subarray(index * clip.dimensions, (index + 1) * clip.dimensions);
  };
  const images: Clip["images"] = async (wanted) => ({
    dtype: "float32",
    dims: [wanted.length, clip.dimensions],
    data: Float32Array.from(wanted.flatMap((picture) => [...row(picture)])),
  });
  return { ...clip, images };
}

async function embeddings(recording: Recording<Settings>, clip: Clip, images: Rows, max: number): Promise<Comparison[]> {
  const ids = await recording.values("ids");
  const texts = await clip.tokens(rowsOf(ids, recording.dims("ids")[1]!));
  const comparisons = [
    ...(await compareRecorded(recording, "image_embeds", images.data, { max, relative: true })),
    ...(await compareRecorded(recording, "text_embeds", texts.data, { max, relative: true })),
  ];
  if (recording.has("attention_mask")) {
    // The mask is that of all tokens up to the end; the padding is the end token.
    const mask = await recording.values("attention_mask");
    const width = recording.dims("attention_mask")[1]!;
    const expected = rowsOf(ids, width).flatMap((row) => {
      const end = row.indexOf(49407);
      return row.map((_, index) => (end === -1 || index <= end ? 1 : 0));
    });
    comparisons.push(compareValues("attention_mask", expected, mask, {}));
  }
  return comparisons;
}

/** Cosines of all rows of one with all rows of the other. */
export function cosines(first: Rows, second: Rows): number[] {
  const [a, b] = [first, second].map(({ data, dims }) => rowsOf(data, dims[1]!).map(unit)) as [number[][], number[][]];
  return a.flatMap((row) => b.map((other) => row.reduce((sum, value, index) => sum + value * other[index]!, 0)));
}

function unit(row: readonly number[]): number[] {
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
}
