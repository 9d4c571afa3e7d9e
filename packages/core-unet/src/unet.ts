import { ArgumentError } from "@refadgen/errors";
import { activation, concat, conv2d, cos, groupNorm, linear, multiply, reshape, sin, subtract, type Value, type Weights } from "@refadgen/graph";
import { downsample, upsample } from "./blocks/resample.js";
import { resnetBlock } from "./blocks/resnet.js";
import {
  type ContextKeyValue,
  contextKeyValue,
  selfAttention as plainSelfAttention,
  type SelfAttention,
  spatialTransformer,
} from "./blocks/transformer.js";
import { headsPerBlock, type UNetConfig } from "./config.js";

export interface UNetInputs {
  /** Noisy latents, with whatever channels the configuration adds to them: `[B, in_channels, H, W]`, any H and W of at least 8. */
  readonly sample: Value;
  /** float32 `[B]`, in steps of the training schedule; may be fractional. */
  readonly timestep: Value;
  /** Text or image tokens `[B, S, cross_attention_dim]`, or for each layer the keys and values that `projectContext` made of them. */
  readonly context: Value | ((layer: ContextLayer) => ContextKeyValue);
}

/** A cross-attention layer. */
export interface ContextLayer {
  /** Its path, e.g. `mid_block.attentions.0.transformer_blocks.0.attn2`. */
  readonly name: string;
  readonly channels: number;
}

export interface UNetOptions {
  /** Replaces every self-attention layer (`attn1`); default: the one Stable Diffusion was trained with. */
  readonly selfAttention?: SelfAttention;
  /** Ends after this block and returns its hidden states instead: `mid_block` or `up_blocks.N`. */
  readonly exitAfter?: string;
  /** Shown the hidden states before the last layer of the last up block, `[B, C, H, W]`: what changes little from one step to the next. */
  readonly onDeepFeatures?: (features: Value) => void;
  /** Those of an earlier step. All below is left out: only the first convolution, that last layer and the output are computed (DeepCache). */
  readonly deepFeatures?: Value;
}

/**
 * The conditional U-Net of Stable Diffusion 1.x and 2.x (diffusers' `UNet2DConditionModel`).
 *
 * @returns the prediction `[B, out_channels, H, W]`, or the hidden states of the block that `exitAfter` names
 * @throws ArgumentError for an unknown block, GraphError when sizes do not fit.
 */
export function unet({ sample, timestep, context }: UNetInputs, weights: Weights, config: UNetConfig, options: UNetOptions = {}): Value {
  const { selfAttention = plainSelfAttention, exitAfter } = options;
  const { block_out_channels: channels, layers_per_block: layers, norm_num_groups: groups, norm_eps: epsilon } = config;
  const exits = ["mid_block", ...config.up_block_types.map((_, index) => `up_blocks.${index}`)];
  if (exitAfter !== undefined && !exits.includes(exitAfter))
    throw new ArgumentError(`unet: expected exitAfter ${exits.join(" or ")}, got "${exitAfter}"`);
  if (typeof context !== "function") expectContext("unet", context, config);
  const heads = headsPerBlock(config);
  const [first, last] = [channels[0]!, channels.length - 1];
  const temb = timeEmbedding(timestep, weights.at("time_embedding"), config);
  const resnet = (x: Value, name: string, outChannels: number) =>
    resnetBlock(x, temb, weights.at(name), { outChannels, groups, epsilon, activation: config.act_fn });
  const transformer = (x: Value, name: string, block: number) =>
    spatialTransformer(x, typeof context === "function" ? context(crossAttention(name, channels[block]!)) : context, weights.at(name), {
      name,
      heads: heads[block]!,
      groups,
      linearProjection: config.use_linear_projection,
      selfAttention,
    });

  const input = config.center_input_sample ? subtract(multiply(sample, 2), 1) : sample;
  let h = conv2d(input, weights.get("conv_in.weight", [first, config.in_channels, 3, 3]), weights.get("conv_in.bias", [first]), { padding: 1 });
  const output = (features: Value) => {
    const normal = groupNorm(features, weights.get("conv_norm_out.weight", [first]), weights.get("conv_norm_out.bias", [first]), { groups, epsilon });
    return conv2d(
      activation(config.act_fn)(normal),
      weights.get("conv_out.weight", [config.out_channels, first, 3, 3]),
      weights.get("conv_out.bias", [config.out_channels]),
      { padding: 1 },
    );
  };
  const upLayer = (features: Value, skip: Value, index: number, layer: number) => {
    const path = `up_blocks.${index}`;
    const out = resnet(concat([features, skip], 1), `${path}.resnets.${layer}`, channels[last - index]!);
    return config.up_block_types[index] === "CrossAttnUpBlock2D" ? transformer(out, `${path}.attentions.${layer}`, last - index) : out;
  };
  if (options.deepFeatures) return output(upLayer(options.deepFeatures, h, last, layers));
  const skips = [h];
  for (const [block, type] of config.down_block_types.entries()) {
    const path = `down_blocks.${block}`;
    for (let layer = 0; layer < layers; layer++) {
      h = resnet(h, `${path}.resnets.${layer}`, channels[block]!);
      if (type === "CrossAttnDownBlock2D") h = transformer(h, `${path}.attentions.${layer}`, block);
      skips.push(h);
    }
    if (block < last) {
      h = downsample(h, weights.at(`${path}.downsamplers.0`), { padding: config.downsample_padding === 0 ? "end" : config.downsample_padding });
      skips.push(h);
    }
  }

  h = resnet(h, "mid_block.resnets.0", channels[last]!);
  h = transformer(h, "mid_block.attentions.0", last);
  h = resnet(h, "mid_block.resnets.1", channels[last]!);
  if (exitAfter === "mid_block") return h;

  for (const index of config.up_block_types.keys()) {
    const path = `up_blocks.${index}`;
    for (let layer = 0; layer <= layers; layer++) {
      if (index === last && layer === layers) options.onDeepFeatures?.(h);
      h = upLayer(h, skips.pop()!, index, layer);
    }
    if (index < last) {
      const [, , height, width] = skips.at(-1)!.dims as [number, number, number, number];
      h = upsample(h, weights.at(`${path}.upsamplers.0`), { height, width });
    }
    if (exitAfter === path) return h;
  }

  return output(h);
}

/**
 * Keys and values that the U-Net's cross-attention layers make of a context. They stay the same from step to step, so a graph that takes them as
 * inputs spares projecting the text every time.
 *
 * @param context `[B, S, cross_attention_dim]`
 * @returns by the layer's path, e.g. `mid_block.attentions.0.transformer_blocks.0.attn2`
 */
export function projectContext(context: Value, weights: Weights, config: UNetConfig): Map<string, ContextKeyValue> {
  expectContext("projectContext", context, config);
  return new Map(crossAttentionLayers(config).map(({ name, channels }) => [name, contextKeyValue(context, weights.at(name), channels)]));
}

function crossAttentionLayers(config: UNetConfig): ContextLayer[] {
  const { block_out_channels: channels, layers_per_block: layers } = config;
  const blocks = (side: string, types: readonly string[], count: number, sizes: readonly number[]) =>
    types.flatMap((type, block) =>
      type.startsWith("CrossAttn")
        ? Array.from({ length: count }, (_, layer) => crossAttention(`${side}.${block}.attentions.${layer}`, sizes[block]!))
        : [],
    );
  return [
    ...blocks("down_blocks", config.down_block_types, layers, channels),
    crossAttention("mid_block.attentions.0", channels.at(-1)!),
    ...blocks("up_blocks", config.up_block_types, layers + 1, channels.toReversed()),
  ];
}

function crossAttention(transformer: string, channels: number): ContextLayer {
  return { name: `${transformer}.transformer_blocks.0.attn2`, channels };
}

function expectContext(where: string, { dims }: Value, { cross_attention_dim: width }: UNetConfig): void {
  if (dims.length !== 3 || dims[2] !== width) throw new ArgumentError(`${where}: expected a context of ${width} channels, got ${dims.at(-1)}`);
}

/** Sinusoids of the timestep through two layers, activated once more as every block does: `[B]` → `[B, 4 · channels]`. */
function timeEmbedding(timestep: Value, weights: Weights, config: UNetConfig): Value {
  const width = config.block_out_channels[0]!;
  const half = width / 2;
  const act = activation(config.act_fn);
  // Rounded to float32 step by step, as PyTorch computes them: at timestep 999 another rounding would show.
  const frequencies = Float32Array.from({ length: half }, (_, index) => {
    const exponent = Math.fround(Math.fround(-Math.log(10000) * index) / Math.fround(half - config.freq_shift));
    return Math.exp(exponent);
  });
  const angles = multiply(reshape(timestep, [timestep.dims[0]!, 1]), timestep.graph.constant("float32", [1, half], frequencies));
  const waves = config.flip_sin_to_cos ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)];
  const hidden = act(linear(concat(waves, 1), weights.get("linear_1.weight", [width * 4, width]), weights.get("linear_1.bias", [width * 4])));
  return act(linear(hidden, weights.get("linear_2.weight", [width * 4, width * 4]), weights.get("linear_2.bias", [width * 4])));
}
