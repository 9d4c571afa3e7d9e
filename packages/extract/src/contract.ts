import type { Image, Rectangle } from "@refadgen/image";
import type { Mask } from "./mask/mask.js";

/** What a driver found, with how sure it is and why. */
export interface Extraction {
  /** 1 where the product is; of the picture's size. All 0 when nothing was found. */
  readonly mask: Mask;
  /** How much of each pixel is the product, `[H, W]`, 0 to 255; 128 and above where `mask` is 1. */
  readonly matte: Uint8Array;
  /** From 0, useless, to 1, certain. */
  readonly score: number;
  /** What lowers the score, the gravest first; empty when nothing does. */
  readonly reasons: readonly Reason[];
  /** The driver's name. */
  readonly driver: string;
  /** What a detector found, by falling score; the ones that were segmented are `chosen`. */
  readonly detections?: readonly (Detection & { readonly chosen: boolean })[];
}

export interface Reason {
  readonly code: ReasonCode;
  /** One sentence. */
  readonly message: string;
}

export type ReasonCode =
  | "nothing-found"
  | "no-transparency"
  | "background-not-plain"
  | "low-contrast"
  | "almost-nothing"
  | "almost-everything"
  | "touches-border"
  | "scattered"
  | "salient-elsewhere"
  | "off-centre"
  | "shadow"
  | "weak-detection"
  | "several-products"
  | "unstable-mask"
  | "driver-failed";

export interface ExtractOptions {
  /** What the product is, in a word or two: `"lip stick"`. Detectors need it. */
  readonly category?: string;
  readonly signal?: AbortSignal;
}

/** Finds one product, or all of one kind, in a picture. */
export interface Extractor {
  readonly name: string;
  /**
   * @param image any channels; alpha is looked at by the drivers that use it and blended on white by the others
   * @returns always a mask of the picture's size; a driver that finds nothing says so with score 0 and a reason
   * @throws ExtractError when the driver itself cannot work; the signal's reason
   */
  extract(image: Image, options?: ExtractOptions): Promise<Extraction>;
  /** Frees models and threads. */
  dispose?(): Promise<void>;
}

/** A box in pixels that a detector found. */
export interface Detection {
  readonly box: Rectangle;
  /** From 0 to 1. */
  readonly score: number;
  /** The words of the prompt it stands for. */
  readonly label: string;
}

/** Finds boxes for words. */
export interface Detector {
  readonly name: string;
  /**
   * @param image RGB
   * @param prompt one category, such as `"backpack"`
   * @returns in the detector's own order
   */
  detect(image: Image, prompt: string, options?: { readonly signal?: AbortSignal }): Promise<Detection[]>;
  dispose?(): Promise<void>;
}

/** A mask for a box. */
export interface Segment {
  readonly mask: Mask;
  /** The segmenter's own estimate of its intersection over union, 0 to 1. */
  readonly quality: number;
  /** Share of the mask that stays when the threshold is moved a little either way (facebookresearch/sam2, `stability_score`), 0 to 1. */
  readonly stability: number;
}

/** Finds masks for boxes. */
export interface Segmenter {
  readonly name: string;
  /**
   * @param image RGB
   * @param boxes in pixels
   * @returns one per box, in order
   */
  segment(image: Image, boxes: readonly Rectangle[], options?: { readonly signal?: AbortSignal }): Promise<Segment[]>;
  dispose?(): Promise<void>;
}
