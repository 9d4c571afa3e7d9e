import { ArgumentError } from "@refadgen/errors";

/** The fields of diffusers' `UNet2DConditionModel` `config.json` that shape the network, with diffusers' defaults. */
export interface UNetConfig {
  readonly sample_size: number;
  readonly in_channels: number;
  readonly out_channels: number;
  readonly down_block_types: readonly string[];
  readonly up_block_types: readonly string[];
  readonly block_out_channels: readonly number[];
  readonly layers_per_block: number;
  readonly norm_num_groups: number;
  readonly norm_eps: number;
  readonly act_fn: string;
  readonly cross_attention_dim: number;
  /** Despite its name the number of heads, per block or for all: a quirk of diffusers that the published files rely on. */
  readonly attention_head_dim: number | readonly number[];
  readonly use_linear_projection: boolean;
  readonly upcast_attention: boolean;
  readonly flip_sin_to_cos: boolean;
  readonly freq_shift: number;
  readonly downsample_padding: number;
  readonly center_input_sample: boolean;
}

/** The fields of diffusers' `AutoencoderKL` `config.json` that shape the network, with diffusers' defaults. */
export interface AutoencoderConfig {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly latent_channels: number;
  readonly down_block_types: readonly string[];
  readonly up_block_types: readonly string[];
  readonly block_out_channels: readonly number[];
  readonly layers_per_block: number;
  readonly norm_num_groups: number;
  readonly act_fn: string;
  /** What encoded latents are multiplied by, and divided by again before decoding. */
  readonly scaling_factor: number;
  readonly use_quant_conv: boolean;
  readonly use_post_quant_conv: boolean;
}

const unetDefaults: UNetConfig = {
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  down_block_types: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
  block_out_channels: [320, 640, 1280, 1280],
  layers_per_block: 2,
  norm_num_groups: 32,
  norm_eps: 1e-5,
  act_fn: "silu",
  cross_attention_dim: 1280,
  attention_head_dim: 8,
  use_linear_projection: false,
  upcast_attention: false,
  flip_sin_to_cos: true,
  freq_shift: 0,
  downsample_padding: 1,
  center_input_sample: false,
};

/** Settings of diffusers' class that this network does not have, and the values at which they change nothing. */
const unetNeutral: Readonly<Record<string, readonly unknown[]>> = {
  mid_block_type: ["UNetMidBlock2DCrossAttn"],
  only_cross_attention: [false],
  mid_block_scale_factor: [1],
  dropout: [0],
  transformer_layers_per_block: [1],
  reverse_transformer_layers_per_block: [null],
  encoder_hid_dim: [null],
  encoder_hid_dim_type: [null],
  dual_cross_attention: [false],
  class_embed_type: [null],
  addition_embed_type: [null],
  num_class_embeds: [null],
  resnet_time_scale_shift: ["default"],
  resnet_skip_time_act: [false],
  resnet_out_scale_factor: [1],
  time_embedding_type: ["positional"],
  time_embedding_dim: [null],
  time_embedding_act_fn: [null],
  timestep_post_act: [null],
  time_cond_proj_dim: [null],
  conv_in_kernel: [3],
  conv_out_kernel: [3],
  attention_type: ["default"],
  class_embeddings_concat: [false],
  mid_block_only_cross_attention: [null, false],
  cross_attention_norm: [null],
  num_attention_heads: [null],
};

const autoencoderDefaults: AutoencoderConfig = {
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  down_block_types: ["DownEncoderBlock2D"],
  up_block_types: ["UpDecoderBlock2D"],
  block_out_channels: [64],
  layers_per_block: 1,
  norm_num_groups: 32,
  act_fn: "silu",
  scaling_factor: 0.18215,
  use_quant_conv: true,
  use_post_quant_conv: true,
};

const autoencoderNeutral: Readonly<Record<string, readonly unknown[]>> = {
  mid_block_add_attention: [true],
  shift_factor: [null],
  latents_mean: [null],
  latents_std: [null],
};

/**
 * Reads a diffusers U-Net `config.json` (already parsed). Fields left out take diffusers' defaults.
 *
 * @throws ArgumentError when a setting asks for a part that this network does not have.
 */
export function parseUNetConfig(json: unknown): UNetConfig {
  const config = parse("parseUNetConfig", json, unetDefaults, unetNeutral);
  const blocks = config.block_out_channels.length;
  expectList("parseUNetConfig", "down_block_types", config.down_block_types, ["CrossAttnDownBlock2D", "DownBlock2D"], blocks);
  expectList("parseUNetConfig", "up_block_types", config.up_block_types, ["CrossAttnUpBlock2D", "UpBlock2D"], blocks);
  if (typeof config.attention_head_dim !== "number" && config.attention_head_dim.length !== blocks) {
    throw new ArgumentError(`parseUNetConfig: expected attention_head_dim for ${blocks} blocks, got ${config.attention_head_dim.length}`);
  }
  return config;
}

/**
 * Reads a diffusers autoencoder `config.json` (already parsed). Fields left out take diffusers' defaults.
 *
 * @throws ArgumentError when a setting asks for a part that this network does not have.
 */
export function parseAutoencoderConfig(json: unknown): AutoencoderConfig {
  const config = parse("parseAutoencoderConfig", json, autoencoderDefaults, autoencoderNeutral);
  const blocks = config.block_out_channels.length;
  expectList("parseAutoencoderConfig", "down_block_types", config.down_block_types, ["DownEncoderBlock2D"], blocks);
  expectList("parseAutoencoderConfig", "up_block_types", config.up_block_types, ["UpDecoderBlock2D"], blocks);
  return config;
}

/** The number of heads of each block. */
export function headsPerBlock({ attention_head_dim, block_out_channels }: UNetConfig): readonly number[] {
  return typeof attention_head_dim === "number" ? block_out_channels.map(() => attention_head_dim) : attention_head_dim;
}

function parse<T extends object>(where: string, json: unknown, defaults: T, neutral: Readonly<Record<string, readonly unknown[]>>): T {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new ArgumentError(`${where}: expected an object, got ${typeof json}`);
  const given = json as Readonly<Record<string, unknown>>;
  for (const [field, allowed] of Object.entries(neutral)) {
    const value = given[field];
    if (value === undefined || allowed.includes(value)) continue;
    if (Array.isArray(value) && value.every((item) => allowed.includes(item))) continue;
    throw new ArgumentError(
      `${where}: ${field} ${JSON.stringify(value)} is not supported; expected ${allowed.map((item) => JSON.stringify(item)).join(" or ")}`,
    );
  }
  const config: Record<string, unknown> = {};
  for (const [field, standard] of Object.entries(defaults)) {
    const value = given[field] ?? standard;
    const listAllowed = field === "attention_head_dim";
    const fits = Array.isArray(standard)
      ? Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === typeof standard[0])
      : typeof value === typeof standard || (listAllowed && Array.isArray(value) && value.every((item) => typeof item === "number"));
    if (!fits) throw new ArgumentError(`${where}: expected ${field} like ${JSON.stringify(standard)}, got ${JSON.stringify(value)}`);
    config[field] = value;
  }
  return config as T;
}

function expectList(where: string, field: string, list: readonly string[], known: readonly string[], length: number): void {
  const unknown = list.find((item) => !known.includes(item));
  if (unknown !== undefined) throw new ArgumentError(`${where}: ${field} "${unknown}" is not supported; expected ${known.join(" or ")}`);
  if (list.length !== length)
    throw new ArgumentError(`${where}: expected ${length} ${field}, one per entry of block_out_channels, got ${list.length}`);
}
