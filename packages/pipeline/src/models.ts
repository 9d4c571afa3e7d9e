import { attentionLayers, refAdGenCheckpoint } from "@refadgen/afm";
import {
  type ClipTextConfig,
  type ClipTokenizer,
  type ClipVisionConfig,
  clipPreprocessing,
  isClipBuffer,
  loadClipTokenizer,
  type PreprocessorConfig,
  parseClipTextConfig,
  parseClipVisionConfig,
  parsePreprocessorConfig,
  type ResamplerConfig,
  resamplerConfigOf,
} from "@refadgen/clip";
import {
  type AutoencoderConfig,
  parseAutoencoderConfig,
  parseUNetConfig,
  renameEarlyAttention,
  samplerConfig,
  singleFileAutoencoder,
  singleFileTextEncoder,
  type UNetConfig,
} from "@refadgen/core-unet";
import { elementCount, openWeights, type WeightLookup, type WeightSource, Weights } from "@refadgen/graph";
import { published } from "./defaults.js";
import { PipelineError } from "./error.js";
import { contextGraph, decodeGraph, encodeGraph, generationGraph, productTokensGraph, referenceGraph, textGraph } from "./networks.js";
import { type PipelineSources, resolveSources } from "./sources.js";

/** Everything that a pipeline is made of, checked; weights are still in their files. */
export interface Models {
  readonly tokenizer: ClipTokenizer;
  /** The parsed `scheduler_config.json` over the authors' settings. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  readonly preprocessor: PreprocessorConfig;
  readonly text: { readonly config: ClipTextConfig; readonly weights: Weights };
  readonly vision:
    | { readonly config: ClipVisionConfig; readonly weights: Weights; readonly resampler: ResamplerConfig; readonly resamplerWeights: Weights }
    | undefined;
  readonly vae: { readonly config: AutoencoderConfig; readonly weights: Weights };
  /** Both U-Nets; `config` is the reference's, the generation U-Net has one more input channel. */
  readonly unet: {
    readonly config: UNetConfig;
    readonly generation: Weights;
    readonly reference: Weights;
    readonly fusion: Weights;
    /** Bytes of the generation U-Net's weights as float32. */
    readonly generationBytes: number;
  };
}

/**
 * Opens every part and holds its table of tensors against the network's, key by key.
 *
 * @throws PipelineError, WeightsError, ArgumentError; before any weight has been read
 */
export async function openModels(sources: PipelineSources, signal?: AbortSignal): Promise<Models> {
  const files = await resolveSources(sources);
  signal?.throwIfAborted();
  const text = {
    config: parseClipTextConfig(files.textEncoder.config),
    weights: Weights.from(lookup(textEncoderSource(await openWeights(files.textEncoder.weights)))),
  };
  const vaeConfig = parseAutoencoderConfig(files.vae.config);
  const vaeSource = autoencoderSource(await openWeights(files.vae.weights), vaeConfig);
  const vae = { config: vaeConfig, weights: Weights.from(lookup(vaeSource), { rename: autoencoderNames(vaeSource) }) };
  const checkpoint = await refAdGenCheckpoint(await openWeights(files.checkpoint));
  const config = { ...parseUNetConfig(files.unetConfig), in_channels: vae.config.latent_channels };
  const unet = {
    config,
    generation: Weights.from(checkpoint.unet),
    reference: Weights.from(checkpoint.referenceUnet),
    fusion: Weights.from(checkpoint.fusion),
    generationBytes: [...checkpoint.unet.keys()].reduce((sum, key) => sum + 4 * elementCount(checkpoint.unet.tensor(key, [])?.dims ?? []), 0),
  };
  const vision = files.imageEncoder && {
    config: parseClipVisionConfig(files.imageEncoder.config),
    weights: Weights.from(lookup(await openWeights(files.imageEncoder.weights))),
    resampler: resamplerConfigOf((key) => checkpoint.resampler.tensor(key, [])?.dims),
    resamplerWeights: Weights.from(checkpoint.resampler),
  };
  signal?.throwIfAborted();
  const models: Models = {
    tokenizer: await loadClipTokenizer(files.tokenizer),
    scheduler: { ...published.scheduler, ...(files.scheduler as object) },
    preprocessor: files.preprocessor === undefined ? clipPreprocessing : parsePreprocessorConfig(files.preprocessor),
    text,
    vae,
    vision,
    unet,
  };
  samplerConfig({ name: published.sampler, published: models.scheduler });
  verify(models, checkpoint.unet);
  return models;
}

/** Builds every graph once, small, so that every key has been asked for; then says what does not fit. */
function verify({ text, vae, vision, unet }: Models, generation: WeightLookup): void {
  const size = { batch: 1, height: 8, width: 8 };
  const widths = { text: text.config.hidden_size, unet: unet.config.cross_attention_dim, resampler: vision?.resampler.output_dim };
  if (widths.text !== widths.unet || (widths.resampler !== undefined && widths.resampler !== widths.unet)) {
    throw new PipelineError(
      "unsupported-component",
      `fromPretrained: the U-Nets expect contexts of ${widths.unet} channels; the text encoder gives ${widths.text}, the Resampler ${widths.resampler}`,
    );
  }
  if (vision && vision.config.hidden_size !== vision.resampler.embedding_dim) {
    throw new PipelineError(
      "unsupported-component",
      `fromPretrained: the Resampler expects ${vision.resampler.embedding_dim} channels, the image encoder gives ${vision.config.hidden_size}`,
    );
  }
  if (attentionLayers(generation.keys()).length === 0)
    throw new PipelineError("unsupported-component", `fromPretrained: ${generation.description} has no attention layers`);
  textGraph(text.weights, text.config);
  encodeGraph(vae.weights, vae.config, { height: 64, width: 64 });
  decodeGraph(vae.weights, vae.config, size);
  referenceGraph(unet.reference, unet.fusion, unet.config, { ...size, tokens: 16 });
  generationGraph(unet.generation, generationConfig(unet.config), { ...size, tokens: 77 });
  contextGraph(unet.generation, unet.config, { batch: 1, tokens: 77 });
  if (vision) productTokensGraph(vision.weights, vision.config, vision.resamplerWeights, vision.resampler);
  text.weights.verify({ ignore: isTextExtra });
  vae.weights.verify();
  unet.generation.verify();
  unet.reference.verify();
  unet.fusion.verify();
  vision?.weights.verify({
    ignore: (key) => isClipBuffer(key) || key.startsWith("text_model.") || key === "text_projection.weight" || key === "logit_scale",
  });
  vision?.resamplerWeights.verify();
}

/** The generation U-Net's configuration: one more input channel, the mask's. */
export function generationConfig(config: UNetConfig): UNetConfig {
  return { ...config, in_channels: config.in_channels + 1 };
}

function isTextExtra(key: string): boolean {
  return isClipBuffer(key) || key === "text_projection.weight";
}

function textEncoderSource(source: WeightSource): WeightSource {
  return hasPrefix(source, "cond_stage_model.") ? singleFileTextEncoder(source) : source;
}

function autoencoderSource(source: WeightSource, config: AutoencoderConfig): WeightSource {
  const single = hasPrefix(source, "first_stage_model.") || source.tensors.has("encoder.down.0.block.0.conv1.weight");
  return single ? singleFileAutoencoder(source, config) : source;
}

function hasPrefix({ tensors }: WeightSource, prefix: string): boolean {
  return [...tensors.keys()].some((key) => key.startsWith(prefix));
}

function autoencoderNames({ tensors }: WeightSource): (key: string) => string {
  return tensors.has("decoder.mid_block.attentions.0.query.weight") ? renameEarlyAttention : (key) => key;
}

function lookup({ description, tensors }: WeightSource): WeightLookup {
  return { description, tensor: (key) => tensors.get(key), keys: () => tensors.keys() };
}
