import { randnTensor, type Tensor, torchGenerator } from "@refadgen/graph";
import type { Size } from "@refadgen/image";
import type { Request } from "./request.js";

type Floats = Tensor<"float32">;

/** All random numbers of a call, image by image: `[1, 4, h, w]` each. */
export interface Noise {
  readonly initial: readonly Floats[];
  /** For the autoencoder's posterior; empty when its mean is taken. */
  readonly posterior: readonly Floats[];
  /** What a stochastic sampler adds at a step, drawn for the whole batch the first time a step asks. */
  readonly later: (step: number) => readonly Floats[];
}

/**
 * Draws in the authors' order: initial latents, then the posterior's noise, then the sampler's, step by step. One seed is one generator for
 * the batch; a list of seeds is one generator for each image.
 */
export function drawNoise({ seeds, images, productEncoding }: Request, channels: number, { width, height }: Size): Noise {
  const generators = seeds.map((seed) => torchGenerator(seed));
  const draw = () => separate(randnTensor([images, channels, height, width], generators.length === 1 && images !== 1 ? generators[0]! : generators));
  const initial = draw();
  const posterior = productEncoding === "sample" ? draw() : [];
  const drawn = new Map<number, readonly Floats[]>();
  return {
    initial,
    posterior,
    later: (step) => {
      const noise = drawn.get(step) ?? draw();
      drawn.set(step, noise);
      return noise;
    },
  };
}

/** A batch as tensors of one image each. */
function separate({ dims, data }: Floats): Floats[] {
  const [images, ...rest] = dims as [number, ...number[]];
  const length = data.length / images;
  return Array.from({ length: images }, (_, image) => ({
    dtype: "float32",
    dims: [1, ...rest],
    data: data.slice(image * length, (image + 1) * length),
  }));
}

/** Tensors joined along their first dimension. */
export function joined(tensors: readonly Floats[]): Floats {
  const [first] = tensors as readonly [Floats];
  const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let offset = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, offset);
    offset += tensor.data.length;
  }
  return { dtype: "float32", dims: [tensors.reduce((sum, { dims }) => sum + dims[0]!, 0), ...first.dims.slice(1)], data };
}
