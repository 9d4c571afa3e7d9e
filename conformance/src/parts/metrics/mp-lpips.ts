import { parseAutoencoderConfig, parseSchedulerConfig, parseUNetConfig } from "@refadgen/core-unet";
import { formulaGaussian, formulaWeights, type Tensor } from "@refadgen/graph";
import { type Image, resizeImage, toGrey, toRgb } from "@refadgen/image";
import { type Dift, loadDift } from "@refadgen/metrics";
import { type Comparison, compareRecorded } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { picture } from "./inputs.js";

/** What was drawn under a name. */
interface Drawn {
  readonly gaussian: string;
  readonly shape: readonly number[];
  readonly scale?: number;
}

export interface WholeSettings {
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
export async function recordedDift({ unet, vae, unet_salt, vae_salt, scheduler, inputs, ...settings }: WholeSettings): Promise<Dift> {
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

/** The features of both pictures, and what leads to them. */
export async function compareSteps(
  recording: Recording<WholeSettings>,
  dift: Dift,
  images: Readonly<Record<"product" | "generated", Image>>,
): Promise<{ readonly comparisons: Comparison[]; readonly features: Readonly<Record<"product" | "generated", Tensor<"float32">>> }> {
  const comparisons: Comparison[] = [];
  const compare = async (name: string, { data }: Tensor<"float32">, allowed: number) =>
    comparisons.push(...(await compareRecorded(recording, name, data, { max: allowed, rms: allowed, relative: true })));
  const of = async (role: "product" | "generated") => {
    const { mean, deviation, noisyLatents, features } = await dift.steps(images[role], role);
    await compare(`${role}.vae_mean`, mean, 5e-4);
    // No tolerance is given for it. It is an exponential, whose error grows with it: judged by its largest value.
    const largest = deviation.data.reduce((a, b) => Math.max(a, b));
    comparisons.push(...(await compareRecorded(recording, `${role}.vae_std`, deviation.data, { max: 1e-4 * largest, rms: 1e-4 * largest })));
    await compare(`${role}.noisy_latents`, noisyLatents, 5e-4);
    await compare(`${role}.features`, features, 5e-3);
    if (recording.has(`${role}.features_corner`))
      await compare(`${role}.features_corner`, corner(features, recording.dims(`${role}.features_corner`)), 5e-3);
    return features;
  };
  const features = { product: await of("product"), generated: await of("generated") };
  return { comparisons, features };
}

function corner({ data, dims }: Tensor<"float32">, [channels, rows, columns]: readonly number[]): Tensor<"float32"> {
  const [, , height, width] = dims as [number, number, number, number];
  const values: number[] = [];
  for (let c = 0; c < channels!; c++)
    for (let y = 0; y < rows!; y++) for (let x = 0; x < columns!; x++) values.push(data[(c * height + y) * width + x]!);
  return { dtype: "float32", dims: [channels!, rows!, columns!], data: Float32Array.from(values) };
}

export async function mpLpipsWhole(recording: Recording<WholeSettings>, folder: string): Promise<Comparison[]> {
  const { images, size } = recording.settings;
  const dift = await recordedDift(recording.settings);
  try {
    const masked = async (file: string, mask: string): Promise<Image> => {
      const square = { width: size, height: size };
      const [image, region] = [
        toRgb(resizeImage(await picture(folder, file), square, { filter: "bicubic" })),
        toGrey(resizeImage(await picture(folder, mask), square, { filter: "bicubic" })),
      ];
      return { ...image, data: image.data.map((value, index) => (region.data[Math.floor(index / 3)]! > 127 ? value : 0)) };
    };
    const { comparisons } = await compareSteps(recording, dift, {
      product: await masked(images.product, images.product_mask),
      generated: await masked(images.generated, images.generated_mask),
    });
    return comparisons;
  } finally {
    await dift.dispose();
  }
}
