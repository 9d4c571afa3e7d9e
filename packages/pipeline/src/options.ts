import type { Extractor } from "@refadgen/extract";
import type { ActivationRanges, ExecutionProvider, Precision, RuntimeName, Tensor } from "@refadgen/graph";
import type { DownloadProgress, HubOptions } from "@refadgen/hub";
import type { Image, ImageInput } from "@refadgen/image";

/** How a pipeline computes and what it keeps; every field has a default. */
export interface PipelineOptions {
  /** Default `cpu`. Other devices need libraries that ONNX Runtime finds by itself; there is no silent fallback. */
  readonly device?: ExecutionProvider;
  /** What computes. `"auto"` (default): on the CPU the fastest exact one that is installed: OpenVINO on processors with AVX-512, else ONNX Runtime. */
  readonly runtime?: RuntimeName | "auto";
  /**
   * Precision of the two U-Nets, which take nearly all of the time; the other networks are always float32. `"fp32"` (default) is exact;
   * `"bf16"`, `"int8"` and `"fp16"` cost digits and are never chosen unasked: see the README for what each costs.
   */
  readonly precision?: Precision;
  /** For `"int8"`: what `calibrate` gave; without it convolutions stay float32 and only linear layers are in 8 bits. */
  readonly ranges?: ActivationRanges;
  /** Folder of OpenVINO's libraries; default: `REFADGEN_OPENVINO`, the cache, the system. */
  readonly library?: string;
  /** Threads on the CPU; default: all processors. */
  readonly threads?: number;
  /**
   * `"low"` (default): every network is loaded when its turn comes and released after it.
   * `"keep"`: networks stay loaded, so a second image starts at once.
   */
  readonly memory?: "low" | "keep";
  /**
   * How the generation U-Net is opened on a CPU. `"kept"` (default): its optimised form is kept in the cache, one file of about 4.5 GB for
   * each size, so steps are faster and only the first start is slow; networks below 256 MB, and disks without room, do without.
   * `"mapped"`: weights are used where they lie, and nothing is written.
   */
  readonly optimization?: "kept" | "mapped";
  /** How sources on the hub are fetched: token, offline, cache folder. Default: as the environment says. */
  readonly hub?: Pick<HubOptions, "cacheDirectory" | "token" | "endpoint" | "offline">;
  readonly signal?: AbortSignal;
  /** Called while components are found and weights widened into the cache. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called while files are fetched: bytes that are there and bytes in all, over all components. */
  readonly onDownload?: (progress: DownloadProgress) => void;
}

export interface LoadProgress {
  readonly component: Component;
  /** Bytes of weights widened so far, and in all. */
  readonly done: number;
  readonly total: number;
}

export type Component =
  | "text-encoder"
  | "text-projections"
  | "image-encoder"
  | "vae-encoder"
  | "reference-unet"
  | "generation-unet"
  | "generation-unet-shallow"
  | "vae-decoder";

export type Stage = "text" | "product" | "reference" | "denoise" | "decode";

/** One call: what to make. Defaults are the published ones (`published`). */
export interface GenerateOptions {
  /** Path, encoded bytes or pixels. */
  readonly product: ImageInput;
  /** White where the product is. Left out: the extractor finds it. `null`: none. */
  readonly mask?: ImageInput | null;
  /** Finds the product where no mask is given. Default: its transparency, else what stands on a plain background. */
  readonly extractor?: Extractor;
  /** What the product is, in a word or two; for extractors with a detector. */
  readonly category?: string;
  /** The scene. `null` for none; an empty text is refused. */
  readonly prompt: string | null;
  /** Default: the published one. `null` for none. */
  readonly negativePrompt?: string | null;
  /** Added to the prompt; default ", best quality, high quality". */
  readonly promptSuffix?: string;
  /** 1 to 1000, default 30. */
  readonly steps?: number;
  /** Classifier-free guidance, default 7.5; at 1 or below it is off, and a step costs half. */
  readonly guidanceScale?: number;
  /** λ of the attention fusion, default 1; 0 ignores the product's features. */
  readonly referenceScale?: number;
  /** One seed for the whole batch (as the authors' script), or one for each image, each then as if made alone. Default 42. */
  readonly seed?: number | bigint | readonly (number | bigint)[];
  /** Default 1. */
  readonly imagesPerPrompt?: number;
  /** In pixels, multiples of 8. Without them the published size, and the result is resized to the product picture's size. */
  readonly width?: number;
  readonly height?: number;
  /** `ddim` (default, as published), `pndm`, `euler`, `euler-ancestral`, `dpmpp-2m`, `dpmpp-2m-karras`, `dpmpp-2m-sde`, …; see `samplerNames`. */
  readonly sampler?: string;
  /** `"sample"` (published): the product's latents are drawn, so they depend on the seed. `"mean"`: they depend on the product alone and are reused. */
  readonly productEncoding?: "sample" | "mean";
  /** Decodes large images in tiles of this many pixels, a multiple of 8 of at least 128, so that memory does not grow with them. Default: at once. */
  readonly decodeTile?: number;
  /** What the reference U-Net attends to: the image encoder's tokens (default), or text states as published code does without an image encoder. */
  readonly referenceContext?: "image" | "text";
  /**
   * Guidance only at timesteps from `least` to `most` (of 0 to 1000); at the others a step costs half. Default: everywhere, as published.
   */
  readonly guidanceInterval?: readonly [least: number, most: number];
  /**
   * Computes the whole U-Net at every N-th step only; the steps between reuse its deep features and cost about a twelfth (DeepCache).
   * 1 (default) to 10; 2 or 3 are usual.
   */
  readonly cacheInterval?: number;
  /** `"all"` (default): attention sees the whole product picture. `"product"`: only the part below the mask, which is faster and not the same. */
  readonly referenceTokens?: "all" | "product";
  readonly signal?: AbortSignal;
  readonly onStep?: (step: StepEvent) => void;
  /** Shows every intermediate tensor by name, for research and conformance tests. */
  readonly onTensor?: (name: string, tensor: Tensor, place?: { readonly image: number; readonly step?: number }) => void;
}

export interface StageEvent {
  readonly type: "stage";
  readonly stage: Stage;
  readonly status: "start" | "end";
  /** Duration, at the end. */
  readonly seconds?: number;
}

export interface WarningEvent {
  readonly type: "warning";
  readonly message: string;
}

export interface StepEvent {
  readonly type: "step";
  /** Which image of the call, from 0. */
  readonly image: number;
  readonly images: number;
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly timestep: number;
  readonly seconds: number;
  /** A rough picture of an eighth of the size, made on demand. */
  preview(): Image;
}

export interface ImageEvent {
  readonly type: "image";
  readonly index: number;
  readonly image: Image;
  /** The seed it can be made again with, together with its place in the batch. */
  readonly seed: bigint;
}

export type GenerateEvent = StageEvent | WarningEvent | StepEvent | ImageEvent;

export interface GenerateResult {
  readonly images: readonly Image[];
  /** As given, or the default. */
  readonly seed: number | bigint | readonly (number | bigint)[];
  /** Seconds of every stage. */
  readonly seconds: Readonly<Record<Stage, number>>;
}
