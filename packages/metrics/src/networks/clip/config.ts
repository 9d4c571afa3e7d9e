import type { WeightLookup } from "@refadgen/graph";

/** Whose names the tensors have. */
export type ClipLayout = "openai" | "transformers";

export interface ClipTowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** A CLIP with a vision transformer, as its weights tell. */
export interface ClipConfig {
  readonly layout: ClipLayout;
  readonly vision: ClipTowerConfig & {
    /** Side of a patch in pixels. */
    readonly patch: number;
    /** Side of the picture in pixels. */
    readonly resolution: number;
  };
  readonly text: ClipTowerConfig & { readonly vocabulary: number; readonly positions: number };
  /** Width of the shared space. */
  readonly dimensions: number;
}

/**
 * Reads layout and sizes off the tensors, as openai/CLIP clip/model.py (build_model) does; heads are 64 wide in every ViT of OpenAI.
 *
 * @returns undefined when these are not the weights of such a CLIP
 */
export function clipConfigOf(lookup: WeightLookup): ClipConfig | undefined {
  const dims = (key: string) => lookup.tensor(key, [])?.dims;
  const keys = new Set(lookup.keys());
  const layout: ClipLayout = keys.has("visual.conv1.weight") ? "openai" : "transformers";
  const names = layoutNames[layout];
  const patches = dims(names.patches);
  const positions = dims(names.visionPositions);
  const embedding = dims(names.words);
  const textPositions = dims(names.textPositions);
  const projection = dims(names.textProjection);
  if (patches?.length !== 4 || positions?.length !== 2 || embedding?.length !== 2 || textPositions?.length !== 2 || projection?.length !== 2)
    return undefined;
  const [width, patch] = [patches[0]!, patches[2]!];
  const layersOf = (prefix: string) => {
    let count = 0;
    while (keys.has(`${prefix}.${count}.${names.firstNorm}`)) count++;
    return count;
  };
  const tower = (size: number, prefix: string): ClipTowerConfig => ({ width: size, layers: layersOf(prefix), heads: Math.max(1, size / 64) });
  return {
    layout,
    vision: { ...tower(width, names.visionLayers), patch, resolution: patch * Math.round(Math.sqrt(positions[0]! - 1)) },
    text: { ...tower(embedding[1]!, names.textLayers), vocabulary: embedding[0]!, positions: textPositions[0]! },
    dimensions: projection[layout === "openai" ? 1 : 0]!,
  };
}

/** For reports: `clip-vit-b-32`, with the resolution where it is not 224. */
export function clipName({ vision: { width, patch, resolution } }: ClipConfig): string {
  const size = width === 768 ? "b" : width === 1024 ? "l" : `${width}`;
  return `clip-vit-${size}-${patch}${resolution === 224 ? "" : `-${resolution}`}`;
}

const layoutNames = {
  openai: {
    patches: "visual.conv1.weight",
    visionPositions: "visual.positional_embedding",
    visionLayers: "visual.transformer.resblocks",
    words: "token_embedding.weight",
    textPositions: "positional_embedding",
    textLayers: "transformer.resblocks",
    textProjection: "text_projection",
    firstNorm: "ln_1.weight",
  },
  transformers: {
    patches: "vision_model.embeddings.patch_embedding.weight",
    visionPositions: "vision_model.embeddings.position_embedding.weight",
    visionLayers: "vision_model.encoder.layers",
    words: "text_model.embeddings.token_embedding.weight",
    textPositions: "text_model.embeddings.position_embedding.weight",
    textLayers: "text_model.encoder.layers",
    textProjection: "text_projection.weight",
    firstNorm: "layer_norm1.weight",
  },
} as const;
