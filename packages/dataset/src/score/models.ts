import type { Image, Rectangle } from "@refadgen/image";

/** Models that add scores; each is optional, and what it says is stored beside what the package measures itself. */
export interface ScoreModels {
  /** LAION's predictor, say: 0 to 10. */
  readonly aesthetic?: NumberModel;
  /** Probability of a watermark. LAION's network gives [watermark, clear] in this order. */
  readonly watermark?: NumberModel;
}

export interface InspectModels {
  /** OCR or a text detector. */
  readonly text?: TextModel;
}

export interface NumberModel {
  /** Name and revision: part of the stage's settings, so that another model makes its scores again. */
  readonly name: string;
  score(image: Image, options: { readonly signal?: AbortSignal }): Promise<number>;
  dispose?(): Promise<void>;
}

export interface TextModel {
  readonly name: string;
  /** Boxes around lines or words, px. */
  boxes(image: Image, options: { readonly signal?: AbortSignal }): Promise<readonly Rectangle[]>;
  dispose?(): Promise<void>;
}
