import { ArgumentError } from "@refadgen/errors";
import { Graph, type Tensor, Weights } from "@refadgen/graph";
import { defaultSource } from "../../weights/catalogue.js";
import { MetricWeightsError } from "../../weights/error.js";
import { BatchRunner, batchFor, smallerBatches } from "../batches.js";
import type { Clip, LoadOptions, WeightInput } from "../contract.js";
import { contentKeyOf, expectFit, openInput, refuseOthers, sessionOptions } from "../load.js";
import { expectPictures, expectTensor } from "../pictures.js";
import { clipConfigOf, clipName } from "./config.js";
import { type ClipActivation, clipImageEmbeddings, clipTextEmbeddings, isUnusedByClip } from "./network.js";
import { clipPixels } from "./preprocessing.js";
import { loadTokenize } from "./tokenizer.js";

export interface LoadClipOptions extends LoadOptions {
  /**
   * Default `quick_gelu`, which all of OpenAI's have; `gelu` for others of the same sizes (LAION's): files of transformers' layout do not
   * say it, their `config.json` does, as `hidden_act`.
   */
  readonly activation?: ClipActivation;
}

const wanted = {
  known: ["clip-openai", "clip-transformers"],
  description: "CLIP with a ViT and both towers (OpenAI's ViT-B-32.pt, ViT-B-16.pt, ViT-L-14.pt, or transformers' openai/clip-vit-…)",
  ignore: isUnusedByClip,
} as const;

/** Patches that are computed together. */
const patchesPerBatch = 1024;
const textsPerBatch = 16;
/** Lengths to which texts are cut; what stands behind the end of all texts of a batch is not computed. */
const textLengths: readonly number[] = [16, 32, 77];

/**
 * Loads a CLIP of OpenAI's: their TorchScript archive or its state dict, or transformers' files (also a folder of them); default: the
 * catalogue's ViT-B/32. Which size it is tell the weights.
 *
 * @throws MetricWeightsError `missing`, `checksum`, `wrong-file`; WeightsError for a file that cannot be read; ArgumentError
 */
export async function loadClip(source?: WeightInput, options: LoadClipOptions = {}): Promise<Clip> {
  const { activation = "quick_gelu" } = options;
  if (activation !== "quick_gelu" && activation !== "gelu")
    throw new ArgumentError(`loadClip: expected activation "quick_gelu" or "gelu", got "${String(activation)}"`);
  const given = defaultSource("clip-vit-b-32", source, options);
  const { lookup, files } = await openInput("loadClip", given.source, given.options);
  refuseOthers(lookup, wanted);
  const config = clipConfigOf(lookup);
  if (!config)
    throw new MetricWeightsError("wrong-file", `${lookup.description}: expected the weights of ${wanted.description}, got none of their tensors`);
  const { vision, text, dimensions } = config;
  const weights = Weights.from(lookup);
  const imageGraph = (batch: number): Graph => {
    const graph = new Graph("clip-image");
    const pixels = graph.input("pixels", "float32", [batch, 3, vision.resolution, vision.resolution]);
    graph.output("embeddings", clipImageEmbeddings(pixels, weights, config, activation));
    return graph;
  };
  const textGraph = (batch: number, length: number): Graph => {
    const graph = new Graph("clip-text");
    graph.output("embeddings", clipTextEmbeddings(graph.input("ids", "int64", [batch, length]), weights, config, activation));
    return graph;
  };
  const whole = [imageGraph(1), textGraph(1, text.positions)];
  expectFit(weights, lookup, wanted);
  const tokenize = await loadTokenize();
  const runner = new BatchRunner(sessionOptions({ optimization: "mapped", ...options }, files[0]!));

  const patches = (vision.resolution / vision.patch) ** 2;
  const batch = batchFor(patchesPerBatch / patches);
  const images = { key: "image", batch, rest: smallerBatches(batch), build: imageGraph };
  const runImages = async (count: number, row: (index: number) => Float32Array, signal: AbortSignal | undefined) => {
    const inputs = { pixels: { dims: [3, vision.resolution, vision.resolution], dtype: "float32" } } as const;
    return (await runner.run(images, { count, inputs, row: (index) => ({ pixels: row(index) }) }, { signal })).embeddings!;
  };
  const runTokens = async (where: string, rows: readonly (readonly number[])[], signal: AbortSignal | undefined): Promise<Tensor<"float32">> => {
    const used = Math.max(...checkedEnds(where, rows, text.positions, text.vocabulary)) + 1;
    const length = textLengths.find((size) => size >= used && size <= text.positions) ?? text.positions;
    const ids = (index: number) => BigInt64Array.from({ length }, (_, at) => BigInt(rows[index]![at] ?? 0));
    const variant = {
      key: `text ${length}`,
      batch: textsPerBatch,
      rest: smallerBatches(textsPerBatch),
      build: (size: number) => textGraph(size, length),
    };
    const inputs = { ids: { dims: [length], dtype: "int64" } } as const;
    return (await runner.run(variant, { count: rows.length, inputs, row: (index) => ({ ids: ids(index) }) }, { signal })).embeddings!;
  };
  return {
    name: clipName(config),
    weights: files,
    dimensions,
    resolution: vision.resolution,
    contentKey: contentKeyOf(whole),
    dispose: () => runner.dispose(),
    images: async (pictures, { preprocessing, signal }) => {
      expectPictures("images", pictures);
      if (preprocessing !== "openai" && preprocessing !== "transformers")
        throw new ArgumentError(`images: expected preprocessing "openai" or "transformers", got "${preprocessing}"`);
      return runImages(pictures.length, (index) => clipPixels(pictures[index]!, vision.resolution, preprocessing), signal);
    },
    imageTensor: async (pixels, { signal } = {}) => {
      expectTensor("imageTensor", pixels, [null, 3, vision.resolution, vision.resolution]);
      const length = 3 * vision.resolution ** 2;
      return runImages(pixels.dims[0]!, (index) => pixels.data.subarray(index * length, (index + 1) * length), signal);
    },
    texts: async (texts, { truncation, signal }) => runTokens("texts", checkedTexts("texts", texts, truncation, tokenize), signal),
    tokens: async (ids, { signal } = {}) => runTokens("tokens", ids, signal),
    tokenize: (texts, { truncation }) => checkedTexts("tokenize", texts, truncation, tokenize),
  };
}

function checkedTexts(
  where: string,
  texts: readonly string[],
  truncation: "openai" | "torchmetrics",
  tokenize: (texts: readonly string[], truncation: "openai" | "torchmetrics") => number[][],
): number[][] {
  if (truncation !== "openai" && truncation !== "torchmetrics")
    throw new ArgumentError(`${where}: expected truncation "openai" or "torchmetrics", got "${String(truncation)}"`);
  if (!Array.isArray(texts) || texts.length === 0)
    throw new ArgumentError(`${where}: expected at least one text, got ${texts?.length ?? String(texts)}`);
  const other = texts.findIndex((text) => typeof text !== "string");
  if (other !== -1) throw new ArgumentError(`${where}: expected texts, got ${typeof texts[other]} at ${other}`);
  return tokenize(texts, truncation);
}

/** Where each row ends: the first place of its largest id. */
function checkedEnds(where: string, rows: readonly (readonly number[])[], positions: number, vocabulary: number): number[] {
  const length = rows[0]?.length ?? 0;
  if (length < 1 || length > positions || rows.some((row) => row.length !== length)) {
    const found = [...new Set(rows.map((row) => row.length))].join(", ");
    throw new ArgumentError(`${where}: expected rows of one length from 1 to ${positions}, got ${rows.length} of ${found || "none"}`);
  }
  return rows.map((row) => {
    const unknown = row.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
    if (unknown !== undefined) throw new ArgumentError(`${where}: expected ids from 0 to ${vocabulary - 1}, got ${unknown}`);
    return row.indexOf(row.reduce((largest, id) => Math.max(largest, id)));
  });
}
