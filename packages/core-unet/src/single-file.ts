import { type StoredTensor, shape, type WeightSource, WeightsError } from "@refadgen/graph";
import type { AutoencoderConfig, UNetConfig } from "./config.js";

/**
 * The U-Net of a single-file checkpoint (`v1-5-pruned.safetensors` and the like: the names of CompVis' latent-diffusion), by the names
 * that diffusers gives its tensors. Keys that have no counterpart keep their names, so that `Weights.verify` reports them.
 *
 * @throws WeightsError `mismatch` when the file has no U-Net.
 */
export function singleFileUNet(source: WeightSource, config: Pick<UNetConfig, "layers_per_block">): WeightSource {
  return renamed(source, "model.diffusion_model.", "input_blocks.0.0.weight", (key) => unetName(key, config.layers_per_block));
}

/**
 * The autoencoder of a single-file checkpoint, or of a file that holds nothing else (`vae-ft-mse-840000-ema-pruned.safetensors`), by
 * diffusers' names. Its attention layers are 1×1 convolutions there and linear here: `[C, C, 1, 1]` becomes `[C, C]`, the same values.
 *
 * @throws WeightsError `mismatch` when the file has no autoencoder.
 */
export function singleFileAutoencoder(source: WeightSource, config: Pick<AutoencoderConfig, "block_out_channels">): WeightSource {
  return renamed(source, "first_stage_model.", "encoder.conv_in.weight", (key) => autoencoderName(key, config.block_out_channels.length));
}

/**
 * The CLIP text encoder of a Stable Diffusion 1.x single-file checkpoint, by transformers' names.
 *
 * @throws WeightsError `mismatch` when the file has none; `unsupported` when it is that of Stable Diffusion 2.x (OpenCLIP's layout).
 */
export function singleFileTextEncoder(source: WeightSource): WeightSource {
  if ([...source.tensors.keys()].some((key) => key.startsWith("cond_stage_model.model."))) {
    throw new WeightsError("unsupported", `${source.description}: expected a CLIP text encoder as transformers names it, got OpenCLIP's`);
  }
  return renamed(source, "cond_stage_model.transformer.", "text_model.embeddings.token_embedding.weight", (key) => key);
}

/** Whether a checkpoint is a single file with the names of latent-diffusion, as a whole or its U-Net. */
export function isSingleFile({ tensors }: WeightSource): boolean {
  return tensors.has("model.diffusion_model.input_blocks.0.0.weight") || tensors.has("input_blocks.0.0.weight");
}

function renamed({ description, tensors }: WeightSource, prefix: string, first: string, name: (key: string) => string): WeightSource {
  const start = [prefix, ""].find((candidate) => tensors.has(candidate + first));
  if (start === undefined) {
    const found = [...tensors.keys()].slice(0, 3).join('", "');
    throw new WeightsError(
      "mismatch",
      `${description}: expected a single-file checkpoint with "${prefix}${first}", found ${tensors.size} keys such as "${found}"`,
    );
  }
  const view = new Map<string, StoredTensor>();
  for (const [key, tensor] of tensors) {
    if (!key.startsWith(start)) continue;
    const to = name(key.slice(start.length));
    if (view.has(to))
      throw new WeightsError("mismatch", `${description}: "${key}" ${shape(tensor.dims)} and "${view.get(to)!.name}" are both "${to}"`);
    view.set(to, pointwise(to) ? { ...tensor, dims: withoutKernel(tensor.dims) } : tensor);
  }
  return { description: start === "" ? description : `${description} (${start.slice(0, -1)})`, tensors: view };
}

/** Whether this is a projection of the autoencoder's attention. */
function pointwise(name: string): boolean {
  return /^(en|de)coder\.mid_block\.attentions\.0\.to_(q|k|v|out\.0)\.weight$/.test(name);
}

function withoutKernel(dims: readonly number[]): readonly number[] {
  return dims.length === 4 && dims[2] === 1 && dims[3] === 1 ? dims.slice(0, 2) : dims;
}

const resnetParts: Readonly<Record<string, string>> = {
  "in_layers.0": "norm1",
  "in_layers.2": "conv1",
  "emb_layers.1": "time_emb_proj",
  "out_layers.0": "norm2",
  "out_layers.3": "conv2",
  skip_connection: "conv_shortcut",
};
const outside: Readonly<Record<string, string>> = {
  "time_embed.0": "time_embedding.linear_1",
  "time_embed.2": "time_embedding.linear_2",
  "input_blocks.0.0": "conv_in",
  "out.0": "conv_norm_out",
  "out.2": "conv_out",
};

/** latent-diffusion numbers the blocks of a path through, a downsampler as one of its own; diffusers counts within each resolution. */
function unetName(key: string, layers: number): string {
  const [, module, leaf] = /^(.*)\.(weight|bias)$/.exec(key) ?? [];
  if (module !== undefined && Object.hasOwn(outside, module)) return `${outside[module]}.${leaf}`;
  const middle = /^middle_block\.([012])\.(.*)$/.exec(key);
  if (middle)
    return middle[1] === "1" ? `mid_block.attentions.0.${middle[2]}` : `mid_block.resnets.${middle[1] === "0" ? 0 : 1}.${resnetName(middle[2]!)}`;
  const input = /^input_blocks\.(\d+)\.([01])\.(.*)$/.exec(key);
  if (input) {
    const [number, part, rest] = [Number(input[1]) - 1, input[2], input[3]!];
    const [block, layer] = [Math.floor(number / (layers + 1)), number % (layers + 1)];
    if (layer === layers) return `down_blocks.${block}.downsamplers.0.${rest.replace(/^op\./, "conv.")}`;
    return part === "0" ? `down_blocks.${block}.resnets.${layer}.${resnetName(rest)}` : `down_blocks.${block}.attentions.${layer}.${rest}`;
  }
  const output = /^output_blocks\.(\d+)\.([012])\.(.*)$/.exec(key);
  if (output) {
    const [number, part, rest] = [Number(output[1]), output[2], output[3]!];
    const [block, layer] = [Math.floor(number / (layers + 1)), number % (layers + 1)];
    if (part === "0") return `up_blocks.${block}.resnets.${layer}.${resnetName(rest)}`;
    // Without attention the upsampler moves up to its place.
    return rest.startsWith("conv.") ? `up_blocks.${block}.upsamplers.0.${rest}` : `up_blocks.${block}.attentions.${layer}.${rest}`;
  }
  return key;
}

function resnetName(rest: string): string {
  const [, part, leaf] = /^(.*)\.(weight|bias)$/.exec(rest) ?? [];
  return part !== undefined && Object.hasOwn(resnetParts, part) ? `${resnetParts[part]}.${leaf}` : rest;
}

const attentionParts: Readonly<Record<string, string>> = { norm: "group_norm", q: "to_q", k: "to_k", v: "to_v", proj_out: "to_out.0" };

/** latent-diffusion counts the decoder's blocks from the image inwards, diffusers in the order in which they run. */
function autoencoderName(key: string, blocks: number): string {
  return key
    .replace(/^encoder\.down\.(\d+)\.block\./, "encoder.down_blocks.$1.resnets.")
    .replace(/^encoder\.down\.(\d+)\.downsample\./, "encoder.down_blocks.$1.downsamplers.0.")
    .replace(/^decoder\.up\.(\d+)\.block\./, (_, number: string) => `decoder.up_blocks.${blocks - 1 - Number(number)}.resnets.`)
    .replace(/^decoder\.up\.(\d+)\.upsample\./, (_, number: string) => `decoder.up_blocks.${blocks - 1 - Number(number)}.upsamplers.0.`)
    .replace(/^((?:en|de)coder)\.mid\.block_([12])\./, (_, path: string, number: string) => `${path}.mid_block.resnets.${Number(number) - 1}.`)
    .replace(
      /^((?:en|de)coder)\.mid\.attn_1\.(norm|q|k|v|proj_out)\./,
      (_, path: string, part: string) => `${path}.mid_block.attentions.0.${attentionParts[part]}.`,
    )
    .replace(/^((?:en|de)coder)\.norm_out\./, "$1.conv_norm_out.")
    .replace(/\.nin_shortcut\./, ".conv_shortcut.");
}
