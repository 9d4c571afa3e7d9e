/**
 * - `count` fewer or more captions than wanted
 * - `too-short` fewer than three words
 * - `too-many-tokens` more than CLIP's text encoder reads
 * - `script` letters of another writing system
 * - `language` another language
 * - `invented-name` a brand or name that nobody said is there
 * - `quoted-text` printed text that nobody said is there, or that two captions read differently
 * - `brand-detail` talk of a logo or brand when none is known
 * - `repetition` the same words again and again
 * - `duplicate` nearly the same as an earlier caption
 * - `control-characters` characters that are not to be seen: controls, direction marks, private use, half characters
 * - `markup` HTML, Markdown, JSON, list numbers, labels
 * - `address` a web or mail address, a handle
 * - `instructions` words that address a model or its reader's tools instead of describing a picture
 * - `refusal` the writer says that it cannot
 * - `category-missing` the product is not named
 * - `category-contradicted` the product is called something else
 */
export type CaptionProblemCode =
  | "count"
  | "too-short"
  | "too-many-tokens"
  | "script"
  | "language"
  | "invented-name"
  | "quoted-text"
  | "brand-detail"
  | "repetition"
  | "duplicate"
  | "control-characters"
  | "markup"
  | "address"
  | "instructions"
  | "refusal"
  | "category-missing"
  | "category-contradicted";

export const captionProblemCodes: readonly CaptionProblemCode[] = [
  "count",
  "too-short",
  "too-many-tokens",
  "script",
  "language",
  "invented-name",
  "quoted-text",
  "brand-detail",
  "repetition",
  "duplicate",
  "control-characters",
  "markup",
  "address",
  "instructions",
  "refusal",
  "category-missing",
  "category-contradicted",
];

export interface CaptionProblem {
  readonly code: CaptionProblemCode;
  /** Which caption, from 0; without it, the set as a whole. */
  readonly caption?: number;
  /** What is wrong, in words that may be shown and sent: of a caption it repeats plain words only. */
  readonly message: string;
}

/** What one check says of one caption. */
export type Finding = Omit<CaptionProblem, "caption">;

/** Words as they may stand in a message: letters, digits, hyphens and apostrophes; at most five, none long. */
export function plainWords(words: readonly string[]): string {
  return words
    .slice(0, 5)
    .map((word) => word.replace(/[^\p{L}\p{N}' -]/gu, "").slice(0, 30))
    .join(", ");
}
