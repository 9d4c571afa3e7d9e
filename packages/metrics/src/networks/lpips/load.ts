import { fileURLToPath } from "node:url";
import { ArgumentError } from "@refadgen/errors";
import { elementCount, Graph, type Tensor, Weights } from "@refadgen/graph";
import { type Image, imageToTensor, resizeTensor, symmetricNormalization, toRgb } from "@refadgen/image";
import { defaultSource, type WeightId, weightFile } from "../../weights/catalogue.js";
import { MetricWeightsError } from "../../weights/error.js";
import { BatchRunner, batchFor, type Variant } from "../batches.js";
import type { LoadOptions, Lpips, LpipsBackbone, LpipsDistances, LpipsOptions, LpipsRecipe, Picture, WeightInput } from "../contract.js";
import { contentKeyOf, expectFit, openInput, sessionOptions } from "../load.js";
import { expectPictures, expectTensor, imageOf } from "../pictures.js";
import { backbones } from "./backbones.js";
import { lpips } from "./network.js";

export interface LoadLpipsOptions extends LoadOptions {
  /** Default `alex`: the packages' default for measuring, and that of the published tables. `vgg` is what is usually trained with. */
  readonly backbone?: LpipsBackbone;
  /** The learned weights; default: version 0.1, which ships with this package. `"none"`: the baseline that counts all channels alike. */
  readonly lin?: WeightInput | "none";
}

const networks: Readonly<Record<LpipsBackbone, { readonly id: "alexnet" | "vgg16" | "squeezenet1_1"; readonly description: string }>> = {
  alex: { id: "alexnet", description: "torchvision's AlexNet (alexnet-owt-7be5be79.pth)" },
  vgg: { id: "vgg16", description: "torchvision's VGG16 (vgg16-397923af.pth)" },
  squeeze: { id: "squeezenet1_1", description: "torchvision's SqueezeNet 1.1 (squeezenet1_1-b8a52dc0.pth)" },
};

/** Version 0.0, which has no scaling layer and other weights under the same names. */
const versionZero: ReadonlySet<string> = new Set([
  "18720f55913d0af89042f13faa7e536a6ce1444a0914e6db9461355ece1e8cd5",
  "c27abd3a0145541baa50990817df58d3759c3f8154949f42af3b59b4e042d0bf",
  "b9e4236260c3dd988fc79d2a48d645d885afcbb21f9fd595e6744cf7419b582c",
]);

/** Values of one batch of images that are computed together; more gains nothing and takes memory. */
const pixelsPerBatch: Readonly<Record<LpipsBackbone, number>> = { alex: 2 ** 19, vgg: 2 ** 16, squeeze: 2 ** 18 };

/**
 * Loads LPIPS: a backbone of torchvision and the learned weights of its layers; default: the catalogue's file and the weights that ship with this package.
 *
 * @throws MetricWeightsError `missing`, `checksum`, `wrong-file`; WeightsError for a file that cannot be read; ArgumentError
 */
export async function loadLpips(source?: WeightInput, options: LoadLpipsOptions = {}): Promise<Lpips> {
  const { backbone = "alex", lin = learnedWeights(backbone), signal } = options;
  if (!Object.hasOwn(networks, backbone))
    throw new ArgumentError(`loadLpips: expected backbone ${Object.keys(networks).join(", ")}, got "${backbone}"`);
  const { id, description } = networks[backbone];
  const given = defaultSource(id, source, options);
  const opened = await openInput("loadLpips", given.source, given.options);
  const learned = lin === "none" ? undefined : await openInput("loadLpips", lin, signal ? { signal } : {});
  const weights = Weights.from(opened.lookup);
  const lins = learned && Weights.from(learned.lookup);
  const build = (batch: number, height: number, width: number, recipe: LpipsRecipe): Graph => {
    const graph = new Graph(`lpips-${backbone}`);
    const [first, second] = ["first", "second"].map((name) => graph.input(name, "float32", [batch, 3, height, width])) as [never, never];
    for (const [layer, map] of lpips(first, second, weights, lins, { backbone, recipe }).entries()) graph.output(`layer${layer}`, map);
    return graph;
  };
  const { minimumSide, channels } = backbones[backbone];
  const smallest = build(1, minimumSide, minimumSide, "lpips");
  expectFit(weights, opened.lookup, { known: [id], description, ignore: (key) => key.startsWith("classifier.") });
  if (lins && learned) {
    const linId = `lpips-lin-${backbone}` as const;
    expectFit(lins, learned.lookup, { known: [linId], description: `LPIPS's learned weights for ${backbone} (version 0.1)` });
    await refuseVersionZero(lins, learned.files[0]!);
  }
  const runner = new BatchRunner(sessionOptions(options, opened.files[0]!));

  const pairs = async (
    count: number,
    height: number,
    width: number,
    rows: PairRows,
    { recipe, spatial = false, signal }: LpipsOptions,
  ): Promise<LpipsDistances> => {
    const batch = batchFor(Math.min(32, pixelsPerBatch[backbone] / (height * width)));
    const variant: Variant = { key: `${height} ${width} ${recipe}`, batch, build: (size) => build(size, height, width, recipe) };
    const dims = [3, height, width];
    const inputs = { first: { dims, dtype: "float32" }, second: { dims, dtype: "float32" } } as const;
    const outputs = await runner.run(variant, { count, inputs, row: rows }, { signal });
    return summed(
      channels.map((_, layer) => outputs[`layer${layer}`]!),
      { height, width, spatial },
    );
  };
  return {
    name: `lpips-${backbone}`,
    backbone,
    learned: lins !== undefined,
    minimumSide,
    weights: [...opened.files, ...(learned?.files ?? [])],
    contentKey: contentKeyOf([smallest]),
    dispose: () => runner.dispose(),
    distances: async (first, second, options) => {
      const sizes = checkedPairs(first, second, minimumSide);
      checkRecipe("distances", options.recipe);
      if (options.spatial && sizes.size > 1) throw new ArgumentError("distances: expected pictures of one size where the map is asked for");
      const results = new Map<readonly number[], LpipsDistances>();
      for (const { width, height, indices } of sizes.values()) {
        const row: PairRows = (index) => ({ first: planes(first[indices[index]!]!), second: planes(second[indices[index]!]!) });
        results.set(indices, await pairs(indices.length, height, width, row, options));
      }
      return merged(results, first.length, channels.length);
    },
    tensorDistances: async (first, second, options) => {
      checkRecipe("tensorDistances", options.recipe);
      const [batch, , height, width] = first.dims as [number, number, number, number];
      for (const tensor of [first, second]) {
        expectTensor("tensorDistances", tensor, [batch, 3, height, width]);
        expectSymmetric(tensor.data);
      }
      if (Math.min(height, width) < minimumSide) throw tooSmall("tensorDistances", { width, height }, minimumSide);
      const length = elementCount([3, height, width]);
      const part = ({ data }: Tensor<"float32">, index: number) => data.subarray(index * length, (index + 1) * length);
      return pairs(batch, height, width, (index) => ({ first: part(first, index), second: part(second, index) }), options);
    },
  };
}

type PairRows = (index: number) => { readonly first: Float32Array; readonly second: Float32Array };

/** The file of the learned weights that ship with this package. */
function learnedWeights(backbone: LpipsBackbone): string {
  const id: WeightId = `lpips-lin-${backbone}`;
  return fileURLToPath(new URL(`../../../assets/lpips/${weightFile(id).file}`, import.meta.url));
}

async function refuseVersionZero(lins: Weights, file: string): Promise<void> {
  const key = await lins.get("lin0.model.1.weight", [1, 64, 1, 1]).stored.contentKey();
  const digest = /^sha256:([0-9a-f]{64})/.exec(key)?.[1];
  if (digest !== undefined && versionZero.has(digest)) {
    throw new MetricWeightsError(
      "wrong-file",
      `${file}: expected LPIPS's learned weights of version 0.1, got those of version 0.0, which belong to a network without scaling layer`,
    );
  }
}

/** u/255 · 2 - 1 as planes, of the colours alone. */
function planes(picture: Picture): Float32Array {
  return imageToTensor(toRgb(imageOf(picture)), symmetricNormalization);
}

interface SizeGroup {
  readonly width: number;
  readonly height: number;
  readonly indices: number[];
}

/** The pairs by their size. */
function checkedPairs(first: readonly Picture[], second: readonly Picture[], minimumSide: number): Map<string, SizeGroup> {
  expectPictures("distances", first);
  if (first.length !== second.length)
    throw new ArgumentError(`distances: expected as many pictures on both sides, got ${first.length} and ${second.length}`);
  const groups = new Map<string, SizeGroup>();
  for (const [index, picture] of first.entries()) {
    const [a, b]: readonly Image[] = [imageOf(picture), imageOf(second[index]!)];
    if (a!.width !== b!.width || a!.height !== b!.height) {
      throw new ArgumentError(
        `distances: expected both pictures of pair ${index} to be of one size, got ${a!.width} × ${a!.height} and ${b!.width} × ${b!.height}`,
      );
    }
    const { width, height } = a!;
    if (Math.min(width, height) < minimumSide) throw tooSmall(`distances: pair ${index}`, a!, minimumSide);
    const name = `${width} ${height}`;
    const group = groups.get(name) ?? { width, height, indices: [] };
    group.indices.push(index);
    groups.set(name, group);
  }
  return groups;
}

function tooSmall(where: string, { width, height }: { readonly width: number; readonly height: number }, minimumSide: number): ArgumentError {
  return new ArgumentError(`${where}: expected sides of at least ${minimumSide} pixels, got ${width} × ${height}`);
}

function checkRecipe(where: string, recipe: string): void {
  if (recipe !== "lpips" && recipe !== "torchmetrics")
    throw new ArgumentError(`${where}: expected recipe "lpips" or "torchmetrics", got "${recipe}"`);
}

/** [0, 255] or worse given for [-1, 1] would not be noticed in the numbers. A little beyond 1 is rounding. */
function expectSymmetric(data: Float32Array): void {
  const outside = data.find((value) => !(Math.abs(value) <= 1.001));
  if (outside !== undefined) throw new ArgumentError(`tensorDistances: expected values from -1 to 1, got ${outside}`);
}

/** Means over each layer's map, their sum, and the enlarged maps' sum. */
function summed(
  maps: readonly Tensor<"float32">[],
  { height, width, spatial }: { readonly height: number; readonly width: number; readonly spatial: boolean },
): LpipsDistances {
  const batch = maps[0]!.dims[0]!;
  const layers = maps.map(({ data, dims }) => {
    const area = dims[2]! * dims[3]!;
    return Float32Array.from({ length: batch }, (_, item) => {
      let sum = 0;
      for (let i = item * area; i < (item + 1) * area; i++) sum += data[i]!;
      return sum / area;
    });
  });
  const total = Float32Array.from({ length: batch }, (_, item) => layers.reduce((sum, layer) => sum + layer[item]!, 0));
  if (!spatial) return { total, layers };
  const whole = new Float32Array(batch * height * width);
  for (const { data, dims } of maps) {
    const enlarged = resizeTensor(data, dims, { height, width }, { method: "bilinear" });
    for (let i = 0; i < whole.length; i++) whole[i]! += enlarged[i]!;
  }
  return { total, layers, spatial: { dtype: "float32", dims: [batch, 1, height, width], data: whole } };
}

/** Results of several sizes, in the order of the pairs. */
function merged(results: ReadonlyMap<readonly number[], LpipsDistances>, count: number, layerCount: number): LpipsDistances {
  const [only] = results.values();
  if (results.size === 1) return only!;
  const total = new Float32Array(count);
  const layers = Array.from({ length: layerCount }, () => new Float32Array(count));
  for (const [indices, result] of results) {
    for (const [row, index] of indices.entries()) {
      total[index] = result.total[row]!;
      for (const [layer, values] of layers.entries()) values[index] = result.layers[layer]![row]!;
    }
  }
  return { total, layers };
}
