import type { Denoiser } from "@refadgen/core-unet";
import type { Feeds, Session, Tensor } from "@refadgen/graph";
import { joined } from "./noise.js";

type Floats = Tensor<"float32">;

/** What one run of the network is given besides latents: both halves of guidance together, or one of them. */
export interface GuidancePart {
  /** 2: without the prompt, then with it; or 1 of them. */
  readonly batch: number;
  /** Keys and values of the reference and of the text, for this batch, as the session holds them. */
  readonly keyValues: Feeds;
  /** Those that the shallow session needs, held by it. */
  readonly shallowKeyValues?: Feeds;
}

export interface GuidanceInput {
  /** The generation U-Net, built for the parts' batch; it records deep features where there is a shallow one. */
  readonly session: Session;
  /** The outermost layers alone; for steps between those that are computed whole. */
  readonly shallow?: Session | undefined;
  /** One part of both halves, or without and with the prompt apart, or the prompt's alone where there is no guidance. */
  readonly parts: readonly GuidancePart[];
  /** `[h, w]`, 1 where the product is. */
  readonly mask: Float32Array;
  readonly guidanceScale: number;
  readonly referenceScale: number;
  /** Timesteps between which there is guidance; needs the halves apart. */
  readonly guidanceInterval?: readonly [least: number, most: number] | undefined;
  /** Every how many steps the network is computed whole. */
  readonly cacheInterval: number;
  /** Shown every prediction before guidance, `[2, 4, h, w]`, or `[1, 4, h, w]` where there is none. */
  readonly onPrediction: (prediction: Floats) => void;
  /** Shown everything that the session gave. */
  readonly onOutputs?: ((outputs: Readonly<Record<string, Tensor>>) => void) | undefined;
}

/**
 * The denoiser that samplers see: classifier-free guidance over the generation U-Net, `u + g · (c − u)`, with the mask as a last channel.
 */
export function guidedDenoiser(input: GuidanceInput): Denoiser {
  const { parts, guidanceScale, guidanceInterval: interval, onPrediction } = input;
  const runs = parts.map((part) => partRunner(part, input));
  const together = parts.length === 1;
  let call = 0;
  return async (latents, timestep, { signal } = {}) => {
    const step = call++;
    const guided = interval === undefined || (interval[0] <= timestep && timestep <= interval[1]);
    const wanted = guided || together ? runs : runs.slice(-1);
    const predictions: Floats[] = [];
    for (const run of wanted) predictions.push(await run(latents, timestep, step, signal));
    const prediction = joined(predictions);
    onPrediction(prediction);
    return prediction.dims[0] === 1 ? prediction : { dtype: "float32", dims: latents.dims, data: guide(prediction.data, guidanceScale) };
  };
}

/** Runs one part; between whole steps it reuses the deep features of the last. */
function partRunner(
  { batch, keyValues, shallowKeyValues }: GuidancePart,
  { session, shallow, mask, referenceScale, cacheInterval, onOutputs }: GuidanceInput,
) {
  const scale: Floats = { dtype: "float32", dims: [1], data: Float32Array.of(referenceScale) };
  let recorded: { readonly deep: Floats; readonly step: number } | undefined;
  return async (latents: Floats, timestep: number, step: number, signal: AbortSignal | undefined): Promise<Floats> => {
    const [, channels, height, width] = latents.dims as [number, number, number, number];
    const length = (channels + 1) * height * width;
    const data = new Float32Array(batch * length);
    for (let half = 0; half < batch; half++) {
      data.set(latents.data, half * length);
      data.set(mask, half * length + latents.data.length);
    }
    const sample: Floats = { dtype: "float32", dims: [batch, channels + 1, height, width], data };
    const timesteps: Floats = { dtype: "float32", dims: [batch], data: new Float32Array(batch).fill(timestep) };
    const feeds = { sample, timestep: timesteps, scale };
    const options = signal ? { signal } : {};
    if (shallow && recorded && step - recorded.step < cacheInterval) {
      return (await shallow.run({ ...shallowKeyValues, ...feeds, deep: recorded.deep }, options)).prediction as Floats;
    }
    const outputs = await session.run({ ...keyValues, ...feeds }, options);
    onOutputs?.(outputs);
    if (shallow) recorded = { deep: outputs.deep as Floats, step };
    return outputs.prediction as Floats;
  };
}

/** The guided prediction from both halves; every operation rounds to float32, as PyTorch's do. */
function guide(both: Float32Array, guidanceScale: number): Float32Array {
  const length = both.length / 2;
  const factor = Math.fround(guidanceScale);
  return Float32Array.from({ length }, (_, index) => {
    const without = both[index]!;
    return without + Math.fround(factor * Math.fround(both[length + index]! - without));
  });
}
