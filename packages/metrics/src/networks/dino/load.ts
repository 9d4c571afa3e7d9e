import { ArgumentError } from "@refadgen/errors";
import { Graph, type Tensor, Weights } from "@refadgen/graph";
import { centerCrop, imageNetNormalization, imageToTensor, toRgb, torchvisionResize } from "@refadgen/image";
import { defaultSource } from "../../weights/catalogue.js";
import { MetricWeightsError } from "../../weights/error.js";
import { BatchRunner, batchFor, smallerBatches } from "../batches.js";
import type { Dino, DinoOptions, LoadOptions, Picture, WeightInput } from "../contract.js";
import { contentKeyOf, expectFit, openInput, refuseOthers, sessionOptions } from "../load.js";
import { expectPictures, expectTensor, imageOf } from "../pictures.js";
import { vit, vitConfigOf } from "../vit/vit.js";

const wanted = {
  known: ["dino-vit-s-16", "dino-vit-b-16", "dino-vit-s-8", "dino-vit-b-8", "vit"],
  description: "DINO's ViT-S/16 or ViT-B/16 (dino_deitsmall16_pretrain.pth, dino_vitbase16_pretrain.pth)",
} as const;

interface Kind {
  readonly height: number;
  readonly wide: number;
  readonly tokens: "all" | "class";
}

/** Patches that are computed together. */
const patchesPerBatch = 2048;

/**
 * Loads a vision transformer of DINO (the backbone alone, as its authors publish it); default: the catalogue's ViT-S/16.
 *
 * @throws MetricWeightsError `missing`, `checksum`, `wrong-file`; WeightsError for a file that cannot be read
 */
export async function loadDino(source?: WeightInput, options: LoadOptions = {}): Promise<Dino> {
  const given = defaultSource("dino-vit-s-16", source, options);
  const { lookup, files } = await openInput("loadDino", given.source, given.options);
  refuseOthers(lookup, wanted);
  const config = vitConfigOf((key) => lookup.tensor(key, [])?.dims);
  if (!config)
    throw new MetricWeightsError("wrong-file", `${lookup.description}: expected the weights of ${wanted.description}, got none of their tensors`);
  const { width, patch, grid } = config;
  const weights = Weights.from(lookup);
  const build = (batch: number, { height, wide, tokens }: Kind): Graph => {
    const graph = new Graph("dino");
    graph.output("tokens", vit(graph.input("pixels", "float32", [batch, 3, height, wide]), weights, config, { tokens }));
    return graph;
  };
  const trained = build(1, { height: grid * patch, wide: grid * patch, tokens: "all" });
  expectFit(weights, lookup, wanted);
  const runner = new BatchRunner(sessionOptions({ optimization: "mapped", ...options }, files[0]!));

  const run = async (
    count: number,
    kind: Kind,
    row: (index: number) => Float32Array,
    signal: AbortSignal | undefined,
  ): Promise<Tensor<"float32">> => {
    const { height, wide, tokens } = kind;
    const batch = batchFor(patchesPerBatch / ((height / patch) * (wide / patch)));
    const variant = { key: `${height} ${wide} ${tokens}`, batch, rest: smallerBatches(batch), build: (size: number) => build(size, kind) };
    const inputs = { pixels: { dims: [3, height, wide], dtype: "float32" } } as const;
    return (await runner.run(variant, { count, inputs, row: (index) => ({ pixels: row(index) }) }, { signal })).tokens!;
  };
  const tokens = async (where: "tokens" | "embeddings", pictures: readonly Picture[], options: DinoOptions): Promise<Tensor<"float32">> => {
    expectPictures(where, pictures);
    const { crop = 224, resize = Math.round((crop * 256) / 224), signal } = options;
    if (!Number.isInteger(crop) || crop < patch || crop % patch !== 0)
      throw new ArgumentError(`${where}: expected crop to be a multiple of the patch of ${patch}, got ${crop}`);
    if (!Number.isInteger(resize) || resize < crop) throw new ArgumentError(`${where}: expected resize of at least crop ${crop}, got ${resize}`);
    return run(
      pictures.length,
      { height: crop, wide: crop, tokens: where === "tokens" ? "all" : "class" },
      (index) => dinoPixels(pictures[index]!, resize, crop),
      signal,
    );
  };
  return {
    name: `dino-vit-${width === 384 ? "s" : width === 768 ? "b" : width}-${patch}`,
    weights: files,
    dimensions: width,
    patch,
    contentKey: contentKeyOf([trained]),
    dispose: () => runner.dispose(),
    tokens: (pictures, options = {}) => tokens("tokens", pictures, options),
    embeddings: async (pictures, options = {}) => {
      const { data } = await tokens("embeddings", pictures, options);
      return { dtype: "float32", dims: [pictures.length, width], data };
    },
    tensorTokens: async (pixels, { signal } = {}) => {
      expectTensor("tensorTokens", pixels, [null, 3, null, null]);
      const [count, , height, wide] = pixels.dims as [number, number, number, number];
      if (height % patch !== 0 || wide % patch !== 0)
        throw new ArgumentError(`tensorTokens: expected sides that are multiples of the patch of ${patch}, got ${height} × ${wide}`);
      const length = 3 * height * wide;
      return run(count, { height, wide, tokens: "all" }, (index) => pixels.data.subarray(index * length, (index + 1) * length), signal);
    },
  };
}

/**
 * A picture as DINO's evaluation takes it, `[3, crop, crop]`: RGB, short side by Pillow's bicubic, the middle, ImageNet's mean and deviation.
 *
 * Source: facebookresearch/dino eval_knn.py; the protocol of DINO-I in google/dreambooth#3.
 */
function dinoPixels(picture: Picture, resize: number, crop: number): Float32Array {
  const resized = torchvisionResize(toRgb(imageOf(picture)), resize, { filter: "bicubic" });
  return imageToTensor(centerCrop(resized, { width: crop, height: crop }), imageNetNormalization);
}
