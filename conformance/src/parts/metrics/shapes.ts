// Names and sizes of published checkpoints whose loaders read the sizes off the weights, so that formula weights can stand in for them.
import type { Shapes } from "./formula.js";

type Entries = Map<string, { readonly dims: readonly number[]; readonly half?: boolean }>;

interface ClipSizes {
  readonly dimensions: number;
  readonly patch: number;
  readonly vision: Tower;
  readonly text: Tower;
}

interface Tower {
  readonly width: number;
  readonly layers: number;
}

const clipSizes: Readonly<Record<string, ClipSizes>> = {
  "clip-vit-b-32": { dimensions: 512, patch: 32, vision: { width: 768, layers: 12 }, text: { width: 512, layers: 12 } },
  "clip-vit-b-16": { dimensions: 512, patch: 16, vision: { width: 768, layers: 12 }, text: { width: 512, layers: 12 } },
  "clip-vit-l-14": { dimensions: 768, patch: 14, vision: { width: 1024, layers: 24 }, text: { width: 768, layers: 12 } },
};
const [resolution, positions, vocabulary] = [224, 77, 49408];

/** A CLIP of OpenAI's by its name; tensors that the archive holds in float16 are marked. */
export function clipShapes(checkpoint: string): Shapes {
  const name = checkpoint.replace(/-(openai|transformers)$/, "");
  const sizes = clipSizes[name];
  if (!sizes) throw new Error(`expected a checkpoint of ${Object.keys(clipSizes).join(", ")}, got ${checkpoint}`);
  return checkpoint.endsWith("-transformers") ? transformersClip(sizes) : openaiClip(sizes);
}

function openaiClip({ dimensions, patch, vision, text }: ClipSizes): Shapes {
  const entries: Entries = new Map();
  const add = (key: string, ...dims: number[]) => entries.set(key, { dims });
  const half = (key: string, ...dims: number[]) => entries.set(key, { dims, half: true });
  const norm = (key: string, width: number) => {
    add(`${key}.weight`, width);
    add(`${key}.bias`, width);
  };
  const blocks = (prefix: string, { width, layers }: Tower) => {
    for (let layer = 0; layer < layers; layer++) {
      const block = `${prefix}.resblocks.${layer}`;
      half(`${block}.attn.in_proj_weight`, 3 * width, width);
      half(`${block}.attn.in_proj_bias`, 3 * width);
      for (const [linear, out, within] of [
        ["attn.out_proj", width, width],
        ["mlp.c_fc", 4 * width, width],
        ["mlp.c_proj", width, 4 * width],
      ] as const) {
        half(`${block}.${linear}.weight`, out, within);
        half(`${block}.${linear}.bias`, out);
      }
      norm(`${block}.ln_1`, width);
      norm(`${block}.ln_2`, width);
    }
  };
  add("positional_embedding", positions, text.width);
  half("text_projection", text.width, dimensions);
  add("logit_scale");
  add("visual.class_embedding", vision.width);
  add("visual.positional_embedding", (resolution / patch) ** 2 + 1, vision.width);
  half("visual.proj", vision.width, dimensions);
  half("visual.conv1.weight", vision.width, 3, patch, patch);
  norm("visual.ln_pre", vision.width);
  blocks("visual.transformer", vision);
  norm("visual.ln_post", vision.width);
  blocks("transformer", text);
  add("token_embedding.weight", vocabulary, text.width);
  norm("ln_final", text.width);
  return entries;
}

function transformersClip({ dimensions, patch, vision, text }: ClipSizes): Shapes {
  const entries: Entries = new Map();
  const add = (key: string, ...dims: number[]) => entries.set(key, { dims });
  const layer = (key: string, out: number, within?: number) => {
    add(`${key}.weight`, ...(within === undefined ? [out] : [out, within]));
    add(`${key}.bias`, out);
  };
  const tower = (prefix: string, { width, layers }: Tower) => {
    for (let index = 0; index < layers; index++) {
      const block = `${prefix}.encoder.layers.${index}`;
      for (const name of ["k_proj", "v_proj", "q_proj", "out_proj"]) layer(`${block}.self_attn.${name}`, width, width);
      layer(`${block}.layer_norm1`, width);
      layer(`${block}.mlp.fc1`, 4 * width, width);
      layer(`${block}.mlp.fc2`, width, 4 * width);
      layer(`${block}.layer_norm2`, width);
    }
  };
  add("logit_scale");
  add("text_model.embeddings.token_embedding.weight", vocabulary, text.width);
  add("text_model.embeddings.position_embedding.weight", positions, text.width);
  tower("text_model", text);
  layer("text_model.final_layer_norm", text.width);
  add("vision_model.embeddings.class_embedding", vision.width);
  add("vision_model.embeddings.patch_embedding.weight", vision.width, 3, patch, patch);
  add("vision_model.embeddings.position_embedding.weight", (resolution / patch) ** 2 + 1, vision.width);
  layer("vision_model.pre_layrnorm", vision.width);
  tower("vision_model", vision);
  layer("vision_model.post_layernorm", vision.width);
  add("visual_projection.weight", dimensions, vision.width);
  add("text_projection.weight", dimensions, text.width);
  return entries;
}

/** DINO's ViT-S/16 or B/16. */
export function dinoShapes(checkpoint: string): Shapes {
  const width = ({ "dino-vit-s-16": 384, "dino-vit-b-16": 768 } as Readonly<Record<string, number>>)[checkpoint];
  if (width === undefined) throw new Error(`expected a checkpoint of dino-vit-s-16, dino-vit-b-16, got ${checkpoint}`);
  const entries: Entries = new Map();
  const layer = (key: string, out: number, ...within: number[]) => {
    entries.set(`${key}.weight`, { dims: [out, ...within] });
    entries.set(`${key}.bias`, { dims: [out] });
  };
  entries.set("cls_token", { dims: [1, 1, width] });
  entries.set("pos_embed", { dims: [1, 197, width] });
  layer("patch_embed.proj", width, 3, 16, 16);
  for (let index = 0; index < 12; index++) {
    layer(`blocks.${index}.norm1`, width);
    layer(`blocks.${index}.attn.qkv`, 3 * width, width);
    layer(`blocks.${index}.attn.proj`, width, width);
    layer(`blocks.${index}.norm2`, width);
    layer(`blocks.${index}.mlp.fc1`, 4 * width, width);
    layer(`blocks.${index}.mlp.fc2`, width, 4 * width);
  }
  layer("norm", width);
  return entries;
}
