import { type AutoencoderConfig, encodeLatents, type UNetConfig, unet } from "@refadgen/core-unet";
import { exp, Graph, multiply, type Weights } from "@refadgen/graph";

/** Side lengths of what is computed on, in pixels. */
export interface Sides {
  readonly height: number;
  readonly width: number;
}

/** Pixels per latent, both ways. */
export function reductionOf({ block_out_channels }: AutoencoderConfig): number {
  return 2 ** (block_out_channels.length - 1);
}

/** Mean and deviation of a picture's latents: `pixels [1, 3, H, W]` → `mean`, `deviation` `[1, 4, H / 8, W / 8]`. */
export function encoderGraph(weights: Weights, config: AutoencoderConfig, { height, width }: Sides): Graph {
  const graph = new Graph("dift-encoder");
  const { mean, logvar } = encodeLatents(graph.input("pixels", "float32", [1, 3, height, width]), weights, config);
  graph.output("mean", mean);
  graph.output("deviation", exp(multiply(logvar, 0.5)));
  return graph;
}

export interface FeatureGraphOptions {
  readonly sides: Sides;
  /** Pixels per latent. */
  readonly reduction: number;
  /** Tokens of the context. */
  readonly tokens: number;
  readonly timestep: number;
  /** Which block of the way up; absent for the whole network. */
  readonly upBlock?: number;
}

/** One pass of the U-Net that ends after a block of the way up: noisy latents and text states → `features [1, C, h, w]`. */
export function featureGraph(weights: Weights, config: UNetConfig, { sides, reduction, tokens, timestep, upBlock }: FeatureGraphOptions): Graph {
  const graph = new Graph("dift-features");
  const sample = graph.input("latents", "float32", [1, config.in_channels, sides.height / reduction, sides.width / reduction]);
  const context = graph.input("context", "float32", [1, tokens, config.cross_attention_dim]);
  const time = graph.constant("float32", [1], Float32Array.of(timestep));
  graph.output(
    "features",
    unet({ sample, timestep: time, context }, weights, config, upBlock === undefined ? {} : { exitAfter: `up_blocks.${upBlock}` }),
  );
  return graph;
}
