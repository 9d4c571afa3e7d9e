import { ArgumentError } from "@refadgen/errors";
import { Graph, type Tensor, Weights } from "@refadgen/graph";
import { defaultSource, weightFile } from "../../weights/catalogue.js";
import { locateWeights } from "../../weights/locate.js";
import { BatchRunner, smallerBatches } from "../batches.js";
import { clipPixels } from "../clip/preprocessing.js";
import type { ImageReward, LoadOptions, WeightInput } from "../contract.js";
import { contentKeyOf, expectFit, locateOptions, openInput, sessionOptions } from "../load.js";
import { expectPictures, expectTensor } from "../pictures.js";
import { imageRewardText, imageRewardVision, isUnusedByImageReward, rewardScale, visionTokens, visionWidth } from "./network.js";
import { loadWordPiece, type WordPieceTokenizer } from "./word-piece.js";

export interface LoadImageRewardOptions extends LoadOptions {
  /** BERT's list of words, or a tokenizer; default: the catalogue's `vocab.txt`, fetched when the first prompt is read. */
  readonly vocabulary?: string | WordPieceTokenizer;
}

const wanted = { known: ["image-reward"], description: "ImageReward (ImageReward.pt)", ignore: isUnusedByImageReward } as const;
const side = 224;
const promptLength = 35;
const textWidth = 768;
const [imagesPerBatch, promptsPerBatch] = [4, 8];

/**
 * Loads ImageReward-v1.0 from the file of its authors; default: the catalogue's.
 *
 * @throws MetricWeightsError `missing`, `checksum`, `wrong-file`; WeightsError for a file that cannot be read
 */
export async function loadImageReward(source?: WeightInput, options: LoadImageRewardOptions = {}): Promise<ImageReward> {
  const given = defaultSource("image-reward", source, options);
  const { lookup, files } = await openInput("loadImageReward", given.source, given.options);
  const weights = Weights.from(lookup);
  const visionGraph = (batch: number): Graph => {
    const graph = new Graph("image-reward-vision");
    graph.output("tokens", imageRewardVision(graph.input("pixels", "float32", [batch, 3, side, side]), weights));
    return graph;
  };
  const textGraph = (batch: number, length: number): Graph => {
    const graph = new Graph("image-reward-text");
    const inputs = [graph.input("ids", "int64", [batch, length]), graph.input("mask", "float32", [batch, length])] as const;
    const { states, raw } = imageRewardText(...inputs, graph.input("vision", "float32", [batch, visionTokens, visionWidth]), weights);
    graph.output("states", states);
    graph.output("raw", raw);
    return graph;
  };
  const whole = [visionGraph(1), textGraph(1, promptLength)];
  expectFit(weights, lookup, wanted);
  const runner = new BatchRunner(sessionOptions({ optimization: "mapped", ...options }, files[0]!));
  const tokenizer = vocabularyReader(options);

  const runVision = async (count: number, row: (index: number) => Float32Array, signal: AbortSignal | undefined) => {
    const variant = { key: "vision", batch: imagesPerBatch, rest: smallerBatches(imagesPerBatch), build: visionGraph };
    const inputs = { pixels: { dims: [3, side, side], dtype: "float32" } } as const;
    return (await runner.run(variant, { count, inputs, row: (index) => ({ pixels: row(index) }) }, { signal })).tokens!;
  };
  const rewardsOf: ImageReward["rewardsOf"] = async (vision, ids, { signal } = {}) => {
    expectTensor("rewardsOf", vision, [null, visionTokens, visionWidth]);
    const count = vision.dims[0]!;
    const length = checkedLength(ids, count);
    const each = visionTokens * visionWidth;
    const row = (index: number) => ({
      ids: BigInt64Array.from(ids[index]!, BigInt),
      mask: Float32Array.from(ids[index]!, (id) => (id === 0 ? 0 : 1)),
      vision: vision.data.subarray(index * each, (index + 1) * each),
    });
    const inputs = {
      ids: { dims: [length], dtype: "int64" },
      mask: { dims: [length], dtype: "float32" },
      vision: { dims: [visionTokens, visionWidth], dtype: "float32" },
    } as const;
    const variant = {
      key: `text ${length}`,
      batch: promptsPerBatch,
      rest: smallerBatches(promptsPerBatch),
      build: (batch: number) => textGraph(batch, length),
    };
    const { states, raw } = await runner.run(variant, { count, inputs, row }, { signal });
    const rewards = raw!.data.map((value) => (value - rewardScale.mean) / rewardScale.deviation);
    return { textStates: states!, textState: firstStates(states!), raw: raw!.data, rewards };
  };
  const vision: ImageReward["vision"] = async (pictures, { signal } = {}) => {
    expectPictures("vision", pictures);
    return runVision(pictures.length, (index) => clipPixels(pictures[index]!, side, "openai"), signal);
  };
  const tokenize = async (prompts: readonly string[]) => {
    const other = prompts.findIndex((prompt) => typeof prompt !== "string");
    if (other !== -1) throw new ArgumentError(`tokenize: expected prompts, got ${typeof prompts[other]} at ${other}`);
    const { tokenize: one } = await tokenizer();
    return prompts.map((prompt) => [...one(prompt, { maxLength: promptLength }).ids]);
  };
  return {
    name: "image-reward-v1.0",
    weights: files,
    contentKey: contentKeyOf(whole),
    dispose: () => runner.dispose(),
    vision,
    rewardsOf,
    tokenize,
    rewards: async (pictures, prompts, runOptions = {}) => {
      expectPictures("rewards", pictures);
      if (pictures.length !== prompts.length)
        throw new ArgumentError(`rewards: expected a prompt for each of ${pictures.length} pictures, got ${prompts.length}`);
      const ids = await tokenize(prompts);
      const rewards = new Float32Array(pictures.length);
      // Part by part: the tokens of a picture are 800 kB.
      for (let from = 0; from < pictures.length; from += promptsPerBatch) {
        const to = Math.min(from + promptsPerBatch, pictures.length);
        const seen = await vision(pictures.slice(from, to), runOptions);
        rewards.set((await rewardsOf(seen, ids.slice(from, to), runOptions)).rewards, from);
      }
      return rewards;
    },
  };
}

/** Reads the words when they are needed, once. */
function vocabularyReader({ vocabulary, ...options }: LoadImageRewardOptions): () => Promise<WordPieceTokenizer> {
  let tokenizer: Promise<WordPieceTokenizer> | undefined;
  const read = async () => {
    if (typeof vocabulary === "object") return vocabulary;
    const source = vocabulary ?? weightFile("bert-vocabulary").source!;
    const { sha256: _, ...others } = options;
    return loadWordPiece(await locateWeights(source, locateOptions(source, others)));
  };
  return () => {
    tokenizer ??= read().catch((error: unknown) => {
      tokenizer = undefined;
      throw error;
    });
    return tokenizer;
  };
}

function checkedLength(ids: readonly (readonly number[])[], count: number): number {
  const length = ids[0]?.length ?? 0;
  if (ids.length !== count || length < 1 || length > 512 || ids.some((row) => row.length !== length))
    throw new ArgumentError(`rewardsOf: expected ${count} rows of ids of one length up to 512, got ${ids.length} rows`);
  for (const row of ids) {
    const unknown = row.find((id) => !Number.isInteger(id) || id < 0 || id >= 30524);
    if (unknown !== undefined) throw new ArgumentError(`rewardsOf: expected ids from 0 to 30523, got ${unknown}`);
  }
  return length;
}

function firstStates({ dims, data }: Tensor<"float32">): Tensor<"float32"> {
  const [count, tokens] = dims as [number, number];
  const first = new Float32Array(count * textWidth);
  for (let row = 0; row < count; row++) first.set(data.subarray(row * tokens * textWidth, (row * tokens + 1) * textWidth), row * textWidth);
  return { dtype: "float32", dims: [count, textWidth], data: first };
}
