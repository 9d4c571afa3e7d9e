import type { Denoiser } from "@refadgen/core-unet";
import type { Feeds, Session, Tensor } from "@refadgen/graph";

type Floats = Tensor<"float32">;

export interface GuidanceInput {
  /** The generation U-Net, built for batch 2 with guidance, else 1. */
  readonly session: Session;
  /** The reference's keys and values, for the same batch. */
  readonly reference: Feeds;
  /** Text states `[2, T, D]`: without the prompt, then with it; or `[1, T, D]` without guidance. */
  readonly states: Floats;
  /** `[h, w]`, 1 where the product is. */
  readonly mask: Float32Array;
  readonly guidanceScale: number;
  readonly referenceScale: number;
  /** Shown every prediction before guidance, `[2, 4, h, w]`. */
  readonly onPrediction: (prediction: Floats) => void;
}

/**
 * The denoiser that samplers see: classifier-free guidance over the generation U-Net, `u + g · (c − u)`, with the mask as a last channel.
 */
export function guidedDenoiser({ session, reference, states, mask, guidanceScale, referenceScale, onPrediction }: GuidanceInput): Denoiser {
  const batch = states.dims[0]!;
  const scale: Floats = { dtype: "float32", dims: [1], data: Float32Array.of(referenceScale) };
  return async (latents, timestep, { signal } = {}) => {
    const [, channels, height, width] = latents.dims as [number, number, number, number];
    const length = (channels + 1) * height * width;
    const data = new Float32Array(batch * length);
    for (let half = 0; half < batch; half++) {
      data.set(latents.data, half * length);
      data.set(mask, half * length + latents.data.length);
    }
    const sample: Floats = { dtype: "float32", dims: [batch, channels + 1, height, width], data };
    const timesteps: Floats = { dtype: "float32", dims: [batch], data: new Float32Array(batch).fill(timestep) };
    const outputs = await session.run({ ...reference, sample, timestep: timesteps, context: states, scale }, signal ? { signal } : {});
    const prediction = outputs.prediction as Floats;
    onPrediction(prediction);
    return batch === 1 ? prediction : { dtype: "float32", dims: latents.dims, data: guide(prediction.data, guidanceScale) };
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
