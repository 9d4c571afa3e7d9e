import { activation, add, attention, clamp, conv2d, groupNorm, linear, reshape, slice, transpose, type Value, type Weights } from "@refadgen/graph";
import { downsample, upsample } from "./blocks/resample.js";
import { resnetBlock } from "./blocks/resnet.js";
import type { AutoencoderConfig } from "./config.js";

const epsilon = 1e-6;

/**
 * The encoder of diffusers' `AutoencoderKL`.
 *
 * @param image `[B, 3, H, W]` in [-1, 1]; H and W are multiples of the reduction (8 for Stable Diffusion)
 * @returns mean and logarithm of the variance (limited to [-30, 20]) of the latents, `[B, latent_channels, H / 8, W / 8]`, not yet scaled
 */
export function encodeLatents(image: Value, weights: Weights, config: AutoencoderConfig): { readonly mean: Value; readonly logvar: Value } {
  const { block_out_channels: channels, latent_channels: latent } = config;
  const encoder = weights.at("encoder");
  const last = channels.length - 1;
  let h = conv2d(image, encoder.get("conv_in.weight", [channels[0]!, config.in_channels, 3, 3]), encoder.get("conv_in.bias", [channels[0]!]), {
    padding: 1,
  });
  for (const [block, width] of channels.entries()) {
    const down = encoder.at(`down_blocks.${block}`);
    for (let layer = 0; layer < config.layers_per_block; layer++) h = resnet(h, down.at(`resnets.${layer}`), width, config);
    if (block < last) h = downsample(h, down.at("downsamplers.0"), { padding: "end" });
  }
  h = normOut(midBlock(h, encoder.at("mid_block"), config), encoder, config);
  h = conv2d(h, encoder.get("conv_out.weight", [latent * 2, channels[last]!, 3, 3]), encoder.get("conv_out.bias", [latent * 2]), { padding: 1 });
  if (config.use_quant_conv)
    h = conv2d(h, weights.get("quant_conv.weight", [latent * 2, latent * 2, 1, 1]), weights.get("quant_conv.bias", [latent * 2]));
  return { mean: slice(h, 1, 0, latent), logvar: clamp(slice(h, 1, latent, latent * 2), -30, 20) };
}

/**
 * The decoder of diffusers' `AutoencoderKL`.
 *
 * @param latents `[B, latent_channels, h, w]`, already divided by the scaling factor
 * @returns `[B, 3, 8 h, 8 w]`, about [-1, 1]
 */
export function decodeLatents(latents: Value, weights: Weights, config: AutoencoderConfig): Value {
  const { block_out_channels: channels, latent_channels: latent } = config;
  const decoder = weights.at("decoder");
  const last = channels.length - 1;
  let h = latents;
  if (config.use_post_quant_conv)
    h = conv2d(h, weights.get("post_quant_conv.weight", [latent, latent, 1, 1]), weights.get("post_quant_conv.bias", [latent]));
  h = conv2d(h, decoder.get("conv_in.weight", [channels[last]!, latent, 3, 3]), decoder.get("conv_in.bias", [channels[last]!]), { padding: 1 });
  h = midBlock(h, decoder.at("mid_block"), config);
  for (const [block, width] of channels.toReversed().entries()) {
    const up = decoder.at(`up_blocks.${block}`);
    for (let layer = 0; layer <= config.layers_per_block; layer++) h = resnet(h, up.at(`resnets.${layer}`), width, config);
    if (block < last) h = upsample(h, up.at("upsamplers.0"), { height: h.dims[2]! * 2, width: h.dims[3]! * 2 });
  }
  return conv2d(
    normOut(h, decoder, config),
    decoder.get("conv_out.weight", [config.out_channels, channels[0]!, 3, 3]),
    decoder.get("conv_out.bias", [config.out_channels]),
    {
      padding: 1,
    },
  );
}

/**
 * Renames the attention layers of an autoencoder as files from before diffusers 0.18 hold them
 * (`query`, `key`, `value`, `proj_attn`), for `Weights.from(…, { rename })`.
 */
export function renameEarlyAttention(key: string): string {
  const earlier: Readonly<Record<string, string>> = { to_q: "query", to_k: "key", to_v: "value", "to_out.0": "proj_attn" };
  return key.replace(/(mid_block\.attentions\.0\.)(to_q|to_k|to_v|to_out\.0)(?=\.)/, (_, path: string, name: string) => path + earlier[name]);
}

function resnet(x: Value, weights: Weights, outChannels: number, config: AutoencoderConfig): Value {
  return resnetBlock(x, undefined, weights, { outChannels, groups: config.norm_num_groups, epsilon, activation: config.act_fn });
}

function midBlock(x: Value, weights: Weights, config: AutoencoderConfig): Value {
  const channels = x.dims[1]!;
  const h = imageAttention(resnet(x, weights.at("resnets.0"), channels, config), weights.at("attentions.0"), config);
  return resnet(h, weights.at("resnets.1"), channels, config);
}

/** Attention with one head between all positions. */
function imageAttention(x: Value, weights: Weights, config: AutoencoderConfig): Value {
  const [batch, channels, height, width] = x.dims as [number, number, number, number];
  const normal = groupNorm(x, weights.get("group_norm.weight", [channels]), weights.get("group_norm.bias", [channels]), {
    groups: config.norm_num_groups,
    epsilon,
  });
  const tokens = transpose(reshape(normal, [batch, channels, height * width]), [0, 2, 1]);
  const project = (y: Value, name: string) => linear(y, weights.get(`${name}.weight`, [channels, channels]), weights.get(`${name}.bias`, [channels]));
  const seen = attention(project(tokens, "to_q"), project(tokens, "to_k"), project(tokens, "to_v"), { heads: 1 });
  return add(reshape(transpose(project(seen, "to_out.0"), [0, 2, 1]), x.dims), x);
}

function normOut(x: Value, weights: Weights, config: AutoencoderConfig): Value {
  const channels = x.dims[1]!;
  const normal = groupNorm(x, weights.get("conv_norm_out.weight", [channels]), weights.get("conv_norm_out.bias", [channels]), {
    groups: config.norm_num_groups,
    epsilon,
  });
  return activation(config.act_fn)(normal);
}
