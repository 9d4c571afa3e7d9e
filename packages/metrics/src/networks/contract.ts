import type { ExecutionProvider, Tensor, WeightLookup, WeightSource } from "@refadgen/graph";
import type { Image, PillowMode } from "@refadgen/image";

/**
 * A decoded picture. Several recipes resize before they convert to RGB, so that what Pillow does with a palette or with alpha shows in the
 * numbers: for those the mode of the file is needed (`decodeWithMode` of `@refadgen/image` gives it). A bare `Image` counts as mode L, LA,
 * RGB or RGBA by its channels.
 *
 * Python's packages look at neither colour profile nor EXIF orientation: decode with `applyProfile: false, applyOrientation: false`.
 */
export type Picture = Image | PictureWithMode;

export interface PictureWithMode {
  readonly image: Image;
  readonly mode: PillowMode;
}

/**
 * Where weights come from: a path on disk, an https URL or a hub id (`org/name/path/in/repo[@revision]`); or weights that are open already.
 */
export type WeightInput = string | WeightSource | WeightLookup;

/** What every loader takes besides its weights. */
export interface LoadOptions {
  /** Expected sha256 of the file, hex. Default: that of the catalogue when the source is the catalogue's own, else not checked. */
  readonly sha256?: string;
  /** Never use the network: what is not in the cache is an error. Default false. */
  readonly offline?: boolean;
  /** Where downloads go; default: the shared cache folder. */
  readonly cacheDirectory?: string;
  /** For hub ids that need one. */
  readonly token?: string;
  /** Default `cpu`. */
  readonly provider?: ExecutionProvider;
  /** Threads of one run; default: the processors of the machine. */
  readonly threads?: number;
  /**
   * `"kept"`: the optimised graph stays in the cache, which takes 1.3 times the weights on the disk for each size of batch, so runs are faster
   * and later starts too; `"mapped"`: weights are used where they lie in their files. Default: `"kept"` for Inception and LPIPS, where it
   * is worth half the time; `"mapped"` for CLIP, ImageReward, DINO and DIFT, where it is worth a tenth at most and weights are large.
   */
  readonly optimization?: "kept" | "mapped";
  readonly signal?: AbortSignal;
  /** Bytes so far of a download or of weights that are widened. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface LoadProgress {
  readonly stage: "download" | "widen";
  /** The file in question. */
  readonly file: string;
  readonly done: number;
  /** Absent when the sender does not say. */
  readonly total?: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
}

/** What all loaded networks have in common. Runs of one network wait for each other; calls may overlap. */
export interface LoadedNetwork {
  /** For reports: `inception-2015-12-05`, `lpips-alex`, `clip-vit-b-32`, `image-reward-v1.0`, `dino-vit-s-16`, `dift`. */
  readonly name: string;
  /** The file or files that were read, as given. */
  readonly weights: readonly string[];
  /** A text that is equal only for equal weights: part of the key of cached features. Reads the files once; remembered. */
  contentKey(): Promise<string>;
  /** Frees weights and threads. */
  dispose(): Promise<void>;
}

// --- FID Inception ---

/** How pixels reach the network; what else a recipe means (file lists, statistics) is up to the metric. */
export type InceptionInput = "pytorch-fid" | "torch-fidelity" | "torchmetrics" | "clean-fid";

/** Feature levels by their number of channels; `logits` has 1008, with bias; `logits_unbiased` without. */
export type InceptionLevel = 64 | 192 | 768 | 2048 | "logits" | "logits_unbiased";

export interface InceptionOptions extends RunOptions {
  readonly input: InceptionInput;
  /** Default `[2048]`. */
  readonly levels?: readonly InceptionLevel[];
}

/** The Inception of FID, KID and precision/recall. */
export interface Inception extends LoadedNetwork {
  /**
   * Features of pictures of any sizes, one row each: `[B, C]` per level.
   *
   * @throws ArgumentError for no picture, an unknown input or level; SessionError; the signal's reason
   */
  features(pictures: readonly Picture[], options: InceptionOptions): Promise<ReadonlyMap<InceptionLevel, Tensor<"float32">>>;
  /** The same from what `inceptionTensor` gives: `[B, 3, 299, 299]`. */
  tensorFeatures(
    pixels: Tensor<"float32">,
    options?: RunOptions & { readonly levels?: readonly InceptionLevel[] },
  ): Promise<ReadonlyMap<InceptionLevel, Tensor<"float32">>>;
}

// --- LPIPS ---

export type LpipsBackbone = "alex" | "vgg" | "squeeze";

/** Which package's epsilon: `lpips` adds 1e-10 to the norm; `torchmetrics` (1.2.1 and later) takes the root of 1e-8 + the sum of squares. */
export type LpipsRecipe = "lpips" | "torchmetrics";

export interface LpipsOptions extends RunOptions {
  readonly recipe: LpipsRecipe;
  /** Also give the map of distances. Default false. */
  readonly spatial?: boolean;
}

export interface LpipsDistances {
  /** One per pair. */
  readonly total: Float32Array;
  /** What each layer adds, layer by layer: 5 (alex, vgg) or 7 (squeeze) times one per pair. */
  readonly layers: readonly Float32Array[];
  /** `[B, 1, H, W]`, when asked for. Its mean is not `total`: layers are enlarged before they are added. */
  readonly spatial?: Tensor<"float32">;
}

export interface Lpips extends LoadedNetwork {
  readonly backbone: LpipsBackbone;
  /** Whether the learned weights are used; without them it is the packages' `lpips=False` baseline. */
  readonly learned: boolean;
  /** The shortest side that the backbone takes, in pixels. */
  readonly minimumSide: number;
  /**
   * Distances of pairs. Alpha is dropped, grey becomes RGB; sizes may differ from pair to pair, not within one.
   *
   * @throws ArgumentError for unequal counts or sizes, or a side below `minimumSide`
   */
  distances(first: readonly Picture[], second: readonly Picture[], options: LpipsOptions): Promise<LpipsDistances>;
  /** The same for planes `[B, 3, H, W]` in [-1, 1]; values outside of it are refused. */
  tensorDistances(first: Tensor<"float32">, second: Tensor<"float32">, options: LpipsOptions): Promise<LpipsDistances>;
}

// --- CLIP ---

/** Whose image processing: OpenAI resizes and crops before it converts to RGB and rounds crop margins to even; transformers does neither. */
export type ClipPreprocessing = "openai" | "transformers";

/**
 * What is done with texts above 77 tokens: `openai` keeps the end token in the last place (`truncate=True`); `torchmetrics` cuts ids without
 * restoring it. Texts are padded with 0 and with the end token respectively; neither padding reaches the result.
 */
export type ClipTruncation = "openai" | "torchmetrics";

export interface Clip extends LoadedNetwork {
  /** Width of the shared space: 512 for B/32 and B/16, 768 for L/14. */
  readonly dimensions: number;
  /** Side of the pictures that the tower takes, in pixels. */
  readonly resolution: number;
  /** Embeddings, not normalised, `[B, dimensions]`. */
  images(pictures: readonly Picture[], options: RunOptions & { readonly preprocessing: ClipPreprocessing }): Promise<Tensor<"float32">>;
  /** The same from normalised planes `[B, 3, resolution, resolution]`. */
  imageTensor(pixels: Tensor<"float32">, options?: RunOptions): Promise<Tensor<"float32">>;
  /** Embeddings, not normalised, `[B, dimensions]`. */
  texts(texts: readonly string[], options: RunOptions & { readonly truncation: ClipTruncation }): Promise<Tensor<"float32">>;
  /** The same from ids: rows of at most 77, all of one length. The largest id of a row is where it ends. */
  tokens(ids: readonly (readonly number[])[], options?: RunOptions): Promise<Tensor<"float32">>;
  /** Rows of 77 ids. */
  tokenize(texts: readonly string[], options: { readonly truncation: ClipTruncation }): number[][];
}

// --- ImageReward ---

export interface ImageReward extends LoadedNetwork {
  /** One reward per pair of picture and prompt, in order. Prompts are cut at 35 tokens. */
  rewards(pictures: readonly Picture[], prompts: readonly string[], options?: RunOptions): Promise<Float32Array>;
  /** All tokens of the vision tower, after its norm: `[B, 197, 1024]`. Give them to `rewardsOf` when one picture meets several prompts. */
  vision(pictures: readonly Picture[], options?: RunOptions): Promise<Tensor<"float32">>;
  /**
   * The text tower's states `[B, T, 768]`, the first of each `[B, 768]`, which alone counts, what the head makes of it and the rewards
   * `[B]`, for as many rows of vision tokens as of ids (0 pads).
   */
  rewardsOf(
    vision: Tensor<"float32">,
    ids: readonly (readonly number[])[],
    options?: RunOptions,
  ): Promise<{
    readonly textStates: Tensor<"float32">;
    readonly textState: Tensor<"float32">;
    readonly raw: Float32Array;
    readonly rewards: Float32Array;
  }>;
  /** Rows of 35 ids. The vocabulary is fetched when it is first needed. */
  tokenize(prompts: readonly string[]): Promise<number[][]>;
}

// --- DINO ---

export interface DinoOptions extends RunOptions {
  /** Side of the square crop, a multiple of the patch; positions are interpolated when it is not 224. Default 224. */
  readonly crop?: number;
  /** Short side before the crop. Default crop · 256 / 224, rounded. */
  readonly resize?: number;
}

export interface Dino extends LoadedNetwork {
  /** 384 for ViT-S, 768 for ViT-B. */
  readonly dimensions: number;
  readonly patch: number;
  /** The class token after the final norm, `[B, dimensions]`. */
  embeddings(pictures: readonly Picture[], options?: DinoOptions): Promise<Tensor<"float32">>;
  /** All tokens after the final norm, class token first, `[B, 1 + patches, dimensions]`. */
  tokens(pictures: readonly Picture[], options?: DinoOptions): Promise<Tensor<"float32">>;
  /** All tokens from normalised planes `[B, 3, H, W]`, sides multiples of the patch. */
  tensorTokens(pixels: Tensor<"float32">, options?: RunOptions): Promise<Tensor<"float32">>;
}

// --- Dense features and MP-LPIPS ---

/** What matching needs: features at any coarser grid that covers the picture. */
export interface DenseFeatures {
  /** Part of reports: `dift`, `dino`. */
  readonly name: string;
  /**
   * Features of one picture (RGB, already masked and resized): `[1, C, h, w]`.
   *
   * @param role which of the two it is; seeds differ by it
   */
  features(image: Image, role: "product" | "generated", options?: RunOptions): Promise<Tensor<"float32">>;
}
