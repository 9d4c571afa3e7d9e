import { ArgumentError } from "@refadgen/errors";

/** What both towers have in common; fields of transformers' `config.json`. */
export interface ClipEncoderConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** `quick_gelu` or `gelu` (exact). */
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  /** Width of the space in which texts and images are compared. */
  readonly projection_dim: number;
}

/** The fields of transformers' `CLIPTextConfig` that shape the network. */
export interface ClipTextConfig extends ClipEncoderConfig {
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
  /** 2 in files written before transformers 4.31, where it means: the pooled position is that of the largest id. */
  readonly eos_token_id: number;
}

/** The fields of transformers' `CLIPVisionConfig` that shape the network. */
export interface ClipVisionConfig extends ClipEncoderConfig {
  readonly num_channels: number;
  /** Side of the image in pixels. */
  readonly image_size: number;
  /** Side of a patch in pixels. */
  readonly patch_size: number;
}

const textDefaults: ClipTextConfig = {
  hidden_size: 512,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 8,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  projection_dim: 512,
  vocab_size: 49408,
  max_position_embeddings: 77,
  eos_token_id: 49407,
};

const visionDefaults: ClipVisionConfig = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  projection_dim: 512,
  num_channels: 3,
  image_size: 224,
  patch_size: 32,
};

/**
 * Reads the `config.json` (already parsed) of a CLIP text model, or the text half of a whole CLIP's. Fields left out take transformers' defaults.
 *
 * @throws ArgumentError when a field is not what the network can do.
 */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  return parse("parseClipTextConfig", json, { part: "text", defaults: textDefaults, modelType: "clip_text_model" });
}

/**
 * Reads the `config.json` (already parsed) of a CLIP vision model, or the vision half of a whole CLIP's. Fields left out take transformers' defaults.
 *
 * @throws ArgumentError when a field is not what the network can do.
 */
export function parseClipVisionConfig(json: unknown): ClipVisionConfig {
  const config = parse("parseClipVisionConfig", json, { part: "vision", defaults: visionDefaults, modelType: "clip_vision_model" });
  if (config.image_size % config.patch_size !== 0) {
    throw new ArgumentError(`parseClipVisionConfig: expected patch_size to divide image_size, got ${config.patch_size} and ${config.image_size}`);
  }
  return config;
}

interface Expected<T> {
  readonly part: "text" | "vision";
  readonly defaults: T;
  readonly modelType: string;
}

function parse<T extends ClipEncoderConfig>(where: string, json: unknown, expected: Expected<T>): T {
  const given = half(where, json, expected);
  const { defaults, modelType } = expected;
  if (given.model_type !== undefined && given.model_type !== modelType) {
    throw new ArgumentError(`${where}: expected model_type "${modelType}", got ${JSON.stringify(given.model_type)}`);
  }
  const fields = Object.entries(defaults).map(([field, standard]) => {
    const value = given[field] ?? standard;
    const fits =
      field === "hidden_act"
        ? value === "quick_gelu" || value === "gelu"
        : typeof value === "number" &&
          value >= (field === "eos_token_id" ? 0 : Number.MIN_VALUE) &&
          (field === "layer_norm_eps" || Number.isSafeInteger(value));
    if (!fits) throw new ArgumentError(`${where}: expected ${field} like ${JSON.stringify(standard)}, got ${JSON.stringify(value)}`);
    return [field, value];
  });
  const config = Object.fromEntries(fields) as T;
  if (config.hidden_size % config.num_attention_heads !== 0) {
    throw new ArgumentError(
      `${where}: expected num_attention_heads to divide hidden_size, got ${config.num_attention_heads} and ${config.hidden_size}`,
    );
  }
  return config;
}

/** The settings of one tower. A whole CLIP nests them, and its own `projection_dim` counts for both. */
function half<T>(where: string, json: unknown, { part, defaults }: Expected<T>): Readonly<Record<string, unknown>> {
  const given = object(where, json);
  if (given.model_type !== "clip" && given[`${part}_config`] === undefined) return given;
  const nested = object(`${where}: ${part}_config`, given[`${part}_config`] ?? {});
  // As transformers reads files of its early versions: where this older field stands, it wins, its defaults included.
  const older = given[`${part}_config_dict`] ?? undefined;
  const settings = older === undefined ? nested : { ...nested, ...defaults, ...object(`${where}: ${part}_config_dict`, older) };
  return { ...settings, projection_dim: given.projection_dim ?? 512 };
}

function object(where: string, json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new ArgumentError(`${where}: expected an object, got ${JSON.stringify(json)}`);
  return json as Readonly<Record<string, unknown>>;
}
