import { parseAutoencoderConfig, parseSchedulerConfig, parseUNetConfig } from "@refadgen/core-unet";
import { formulaGaussian, formulaWeights, type Tensor } from "@refadgen/graph";
import type { Image } from "@refadgen/image";
import { type DenseFeatures, type Dift, type LpipsBackbone, loadDift, loadLpips, matchedPatchDistance } from "@refadgen/metrics";
import { type Comparison, compareRecorded, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { formulaLookup } from "./formula.js";
import { picture } from "./inputs.js";

/** What was drawn under a name. */
interface Drawn {
  readonly gaussian: string;
  readonly shape: readonly number[];
  readonly scale?: number;
}

interface WholeSettings {
  readonly images: { readonly product: string; readonly product_mask: string; readonly generated: string; readonly generated_mask: string };
  readonly size: number;
  readonly timestep: number;
  readonly up_ft_index: number;
  readonly ensemble: number;
  readonly unet: unknown;
  readonly vae: unknown;
  readonly unet_salt: string;
  readonly vae_salt: string;
  readonly scheduler: object;
  readonly inputs: Readonly<Record<string, Drawn>>;
}

/** DIFT on the small U-Net and autoencoder of a recording, with its noise. */
async function recordedDift({ unet, vae, unet_salt, vae_salt, scheduler, inputs, ...settings }: WholeSettings): Promise<Dift> {
  const prompt = drawnFrom(inputs, "mp-prompt");
  return loadDift(
    {
      unet: formulaWeights(unet_salt),
      unetConfig: parseUNetConfig(unet),
      autoencoder: formulaWeights(vae_salt),
      autoencoderConfig: parseAutoencoderConfig(vae),
      scheduler: parseSchedulerConfig({ _class_name: "DDIMScheduler", ...scheduler }),
      context: { dtype: "float32", dims: prompt.dims, data: prompt.data },
    },
    {
      ensemble: settings.ensemble,
      timestep: settings.timestep,
      upBlock: settings.up_ft_index,
      draws: (role) => ({ sample: drawnFrom(inputs, `mp-${role}-sample`).data, noise: drawnFrom(inputs, `mp-${role}-noise`).data }),
    },
  );
}

function drawnFrom(inputs: WholeSettings["inputs"], name: string): { readonly dims: readonly number[]; readonly data: Float32Array } {
  const drawn = inputs[name];
  if (!drawn) throw new Error(`${name} is not among the recorded draws`);
  const { gaussian, shape, scale = 1 } = drawn;
  return { dims: shape, data: formulaGaussian(gaussian, shape).map((value) => value * scale) };
}

/** Features of a picture, and what leads to them. */
async function compareSteps(
  recording: Recording<WholeSettings>,
  dift: Dift,
  image: Image,
  role: "product" | "generated",
): Promise<{ readonly comparisons: Comparison[]; readonly features: Tensor<"float32"> }> {
  const comparisons: Comparison[] = [];
  const compare = async (name: string, { data }: Tensor<"float32">, allowed: number) =>
    comparisons.push(...(await compareRecorded(recording, `${role}.${name}`, data, { max: allowed, rms: allowed, relative: true })));
  const { mean, deviation, noisyLatents, features } = await dift.steps(image, role);
  await compare("vae_mean", mean, 5e-4);
  // No tolerance is given for it. It is an exponential, whose error grows with it: judged by its largest value.
  const largest = deviation.data.reduce((a, b) => Math.max(a, b));
  comparisons.push(...(await compareRecorded(recording, `${role}.vae_std`, deviation.data, { max: 1e-4 * largest, rms: 1e-4 * largest })));
  await compare("noisy_latents", noisyLatents, 5e-4);
  await compare("features", features, 5e-3);
  const cornerName = `${role}.features_corner`;
  if (recording.has(cornerName)) await compare("features_corner", corner(features, recording.dims(cornerName)), 5e-3);
  return { comparisons, features };
}

function corner({ data, dims }: Tensor<"float32">, [channels, rows, columns]: readonly number[]): Tensor<"float32"> {
  const [, , height, width] = dims as [number, number, number, number];
  const values: number[] = [];
  for (let c = 0; c < channels!; c++)
    for (let y = 0; y < rows!; y++) for (let x = 0; x < columns!; x++) values.push(data[(c * height + y) * width + x]!);
  return { dtype: "float32", dims: [channels!, rows!, columns!], data: Float32Array.from(values) };
}

interface ScoreSettings {
  readonly images: WholeSettings["images"];
  readonly size: number;
  readonly point_distance: number;
  readonly patch_size: number;
  readonly dilation: number;
  readonly lpips: {
    readonly net: LpipsBackbone;
    readonly backbone_salt: string;
    readonly weight_gain: number;
    readonly lin: string;
    readonly epsilon: string;
    readonly normalize: boolean;
  };
}

/** From pictures to the value, with the features that DIFT finds. */
export async function mpLpipsWhole(recording: Recording<WholeSettings & ScoreSettings>, folder: string): Promise<Comparison[]> {
  const dift = await recordedDift(recording.settings);
  try {
    const comparisons: Comparison[] = [];
    const features: DenseFeatures = {
      name: dift.name,
      features: async (image, role) => {
        const { comparisons: more, features: one } = await compareSteps(recording, dift, image, role);
        comparisons.push(...more);
        return one;
      },
    };
    comparisons.push(...(await compareScores(recording, folder, features, { margin: 1e-3, cosine: 5e-3, value: 5e-3 })));
    if (comparisons.length === 0) throw new Error("expected features to be asked for");
    return comparisons;
  } finally {
    await dift.dispose();
  }
}

/** With features given. */
export async function mpLpipsScore(recording: Recording<ScoreSettings>, folder: string): Promise<Comparison[]> {
  const [, ...dims] = recording.dims("features") as [number, number, number, number];
  const values = await recording.values("features");
  const half = values.length / 2;
  const given = (part: number): Tensor<"float32"> => ({
    dtype: "float32",
    dims: [1, ...dims],
    data: Float32Array.from(values.subarray(part * half, (part + 1) * half)),
  });
  const features: DenseFeatures = { name: "given", features: async (_, role) => given(role === "product" ? 0 : 1) };
  return compareScores(recording, folder, features, { margin: 1e-6, cosine: 1e-6, value: 1e-5 });
}

interface ScoreTolerances {
  /** Matches whose lead over the next different pixel is larger must be equal. */
  readonly margin: number;
  readonly cosine: number;
  readonly value: number;
}

async function compareScores(
  recording: Recording<ScoreSettings>,
  folder: string,
  features: DenseFeatures,
  { margin, cosine, value: allowed }: ScoreTolerances,
): Promise<Comparison[]> {
  const { images, size, point_distance: grid, patch_size: patch, dilation, lpips: network } = recording.settings;
  const { net, backbone_salt: salt, weight_gain: gain, lin, epsilon, normalize } = network;
  if (!lin.startsWith("published") || epsilon !== "sqrt(1e-8 + sum)" || !normalize)
    throw new Error(`unknown LPIPS settings ${JSON.stringify(network)}`);
  const lpips = await loadLpips(formulaLookup({ salt, gain }), { backbone: net });
  try {
    const result = await matchedPatchDistance(
      {
        product: await picture(folder, images.product),
        productMask: await picture(folder, images.product_mask),
        generated: await picture(folder, images.generated),
        generatedMask: await picture(folder, images.generated_mask),
      },
      features,
      lpips,
      { size, grid, patch, dilation },
    );
    const margins = await recording.values("margins");
    const expected = await recording.values("matches");
    const found = result.matches.flatMap(({ row, column }) => [row, column]);
    if (found.length !== expected.length) throw new Error(`expected ${expected.length / 2} matches, got ${found.length / 2}`);
    const decided = [...margins.keys()].filter((index) => margins[index]! > margin);
    const same = [...margins.keys()].filter((index) => found[2 * index] === expected[2 * index] && found[2 * index + 1] === expected[2 * index + 1]);
    const pick = <T>(values: ArrayLike<T>, indices: readonly number[]) => indices.map((index) => values[index]!);
    const both = (indices: readonly number[]) => indices.flatMap((index) => [2 * index, 2 * index + 1]);
    const compare = async (name: string, actual: ArrayLike<number>, indices: readonly number[], max?: number) =>
      compareValues(name, pick(actual, indices), Float64Array.from(pick(await recording.values(name), indices)), max === undefined ? {} : { max });
    const points = result.points.flatMap(({ row, column }) => [row, column]);
    const [value] = await recording.values("value");
    return [
      compareValues("points", points, await recording.values("points"), {}),
      await compare("matches", found, both(decided)),
      // Of matches that were too close to call only the cosine is known.
      await compare(
        "cosines",
        result.matches.map((match) => match.cosine),
        [...margins.keys()],
        cosine,
      ),
      await compare("outside", result.outside.map(Number), same),
      await compare("scores", result.scores, same, 1e-5),
      compareValues("penalty", [result.penalty], await recording.values("penalty"), { max: 1e-5 }),
      Number.isNaN(value) && Number.isNaN(result.value)
        ? { name: "value", error: 0, detail: "value is not defined, as recorded" }
        : compareValues("value", [result.value], Float64Array.of(value!), { max: allowed }),
    ];
  } finally {
    await lpips.dispose();
  }
}
