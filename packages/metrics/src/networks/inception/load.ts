import { ArgumentError } from "@refadgen/errors";
import { Graph, type Tensor, Weights } from "@refadgen/graph";
import { defaultSource } from "../../weights/catalogue.js";
import { BatchRunner, type Variant } from "../batches.js";
import type { Inception, InceptionLevel, LoadOptions, WeightInput } from "../contract.js";
import { contentKeyOf, expectFit, openInput, sessionOptions } from "../load.js";
import { expectPictures, expectTensor } from "../pictures.js";
import { inceptionInputs, inceptionSide, inceptionTensor } from "./input.js";
import { inception } from "./network.js";

const batch = 8;
const allLevels: readonly InceptionLevel[] = [64, 192, 768, 2048, "logits", "logits_unbiased"];
const onlyLast: readonly InceptionLevel[] = [2048];
const wanted = {
  known: ["inception-fid"],
  description: "FID's Inception (pt_inception-2015-12-05-6726825d.pth)",
  // A buffer of batch normalisation, and the training head that no metric reads.
  ignore: (key: string) => key.endsWith("num_batches_tracked") || key.startsWith("AuxLogits."),
} as const;

/**
 * Loads the Inception of FID from the PyTorch file of pytorch-fid (the same as torch-fidelity's); default: the catalogue's.
 *
 * @throws MetricWeightsError `missing`, `checksum`, `wrong-file`; WeightsError for a file that cannot be read
 */
export async function loadInception(source?: WeightInput, options: LoadOptions = {}): Promise<Inception> {
  const given = defaultSource("inception-fid", source, options);
  const { lookup, files } = await openInput("loadInception", given.source, given.options);
  const weights = Weights.from(lookup);
  const build = (size: number, levels: readonly InceptionLevel[]): Graph => {
    const graph = new Graph("inception");
    const outputs = inception(graph.input("pixels", "float32", [size, 3, inceptionSide, inceptionSide]), weights);
    for (const level of levels) graph.output(String(level), outputs.get(level)!);
    return graph;
  };
  const whole = build(1, allLevels);
  expectFit(weights, lookup, wanted);
  const runner = new BatchRunner(sessionOptions(options, files[0]!));

  const run = async (
    where: string,
    count: number,
    row: (index: number) => Float32Array,
    levels: readonly InceptionLevel[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<InceptionLevel, Tensor<"float32">>> => {
    const sorted = allLevels.filter((level) => levels.includes(level));
    const unknown = levels.find((level) => !allLevels.includes(level));
    if (unknown !== undefined || sorted.length === 0)
      throw new ArgumentError(`${where}: expected levels ${allLevels.join(", ")}, got ${levels.join(", ")}`);
    const variant: Variant = { key: sorted.join(), batch, build: (rows) => build(rows, sorted) };
    const inputs = { pixels: { dims: [3, inceptionSide, inceptionSide], dtype: "float32" } } as const;
    const outputs = await runner.run(variant, { count, inputs, row: (index) => ({ pixels: row(index) }) }, { signal });
    return new Map(sorted.map((level) => [level, outputs[String(level)]!]));
  };
  return {
    name: "inception-2015-12-05",
    weights: files,
    contentKey: contentKeyOf([whole]),
    dispose: () => runner.dispose(),
    features: async (pictures, { input, levels = onlyLast, signal }) => {
      expectPictures("features", pictures);
      if (!inceptionInputs.includes(input)) throw new ArgumentError(`features: expected input ${inceptionInputs.join(", ")}, got "${input}"`);
      return run("features", pictures.length, (index) => inceptionTensor(pictures[index]!, input), levels, signal);
    },
    tensorFeatures: async (pixels, { levels = onlyLast, signal } = {}) => {
      expectTensor("tensorFeatures", pixels, [null, 3, inceptionSide, inceptionSide]);
      const length = 3 * inceptionSide * inceptionSide;
      return run("tensorFeatures", pixels.dims[0]!, (index) => pixels.data.subarray(index * length, (index + 1) * length), levels, signal);
    },
  };
}
