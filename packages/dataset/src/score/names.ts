export interface ScoreName {
  readonly name: string;
  /** The stage that writes it: `score` needs the picture alone, `inspect` the product's mask as well. */
  readonly stage: "score" | "inspect";
  readonly unit: "px" | "ratio" | "share" | "bits" | "levels" | "percent" | "probability" | "quality" | "count" | "points";
  readonly range: readonly [least: number, most: number];
  /** Which end is better: `higher`, `lower`, or `between` where both ends are bad. */
  readonly direction: "higher" | "lower" | "between";
  readonly meaning: string;
}

const infinity = Number.POSITIVE_INFINITY;

/** Every score that stages write, in the order in which they write them. */
export const scoreNames: readonly ScoreName[] = [
  { name: "shortSide", stage: "score", unit: "px", range: [1, infinity], direction: "higher", meaning: "shorter side of the picture" },
  { name: "aspect", stage: "score", unit: "ratio", range: [1, infinity], direction: "lower", meaning: "longer side over shorter side" },
  {
    name: "effectiveSide",
    stage: "score",
    unit: "px",
    range: [1, infinity],
    direction: "higher",
    meaning: "shorter side of the smallest picture that would show as much: less than shortSide where a picture was enlarged, or is soft",
  },
  {
    name: "blur",
    stage: "score",
    unit: "percent",
    range: [0, 10],
    direction: "lower",
    meaning: "blur of the sharpest edges of the whole picture, in percent of the shorter side, in the direction where it is worst",
  },
  { name: "brightness", stage: "score", unit: "share", range: [0, 1], direction: "between", meaning: "mean perceived brightness" },
  {
    name: "shadows",
    stage: "score",
    unit: "share",
    range: [0, 1],
    direction: "lower",
    meaning: "5th percentile of brightness: high in bleached pictures",
  },
  {
    name: "highlights",
    stage: "score",
    unit: "share",
    range: [0, 1],
    direction: "higher",
    meaning: "99th percentile of brightness: low in dark pictures",
  },
  { name: "contrast", stage: "score", unit: "share", range: [0, 1], direction: "higher", meaning: "95th less 5th percentile of brightness" },
  { name: "entropy", stage: "score", unit: "bits", range: [0, 8], direction: "higher", meaning: "entropy of the histogram of luma: 0 for one grey" },
  {
    name: "saturation",
    stage: "score",
    unit: "share",
    range: [0, 1],
    direction: "between",
    meaning: "mean difference of the largest and the smallest of red, green and blue",
  },
  { name: "noise", stage: "score", unit: "levels", range: [0, 200], direction: "lower", meaning: "standard deviation of the grain" },
  {
    name: "jpegQuality",
    stage: "score",
    unit: "quality",
    range: [1, 100],
    direction: "higher",
    meaning: "quality from the file's quantisation table; null where the file is no JPEG",
  },
  {
    name: "blockiness",
    stage: "score",
    unit: "ratio",
    range: [0, 100],
    direction: "lower",
    meaning: "blockiness: how much every eighth column and row stands out: seen above 0.3, also in a PNG made of a JPEG",
  },
  {
    name: "textArea",
    stage: "score",
    unit: "percent",
    range: [0, 100],
    direction: "lower",
    meaning: "area of letters anywhere, the product's own print included",
  },
  {
    name: "watermark",
    stage: "score",
    unit: "probability",
    range: [0, 1],
    direction: "lower",
    meaning: "probability that half-transparent text, logos or lines lie over the picture",
  },
  {
    name: "watermarkModel",
    stage: "score",
    unit: "probability",
    range: [0, 1],
    direction: "lower",
    meaning: "probability of a watermark, by a model; null without one",
  },
  {
    name: "aesthetic",
    stage: "score",
    unit: "points",
    range: [0, 10],
    direction: "higher",
    meaning: "aesthetic score, by a model; null without one",
  },
  { name: "productArea", stage: "inspect", unit: "percent", range: [0, 100], direction: "between", meaning: "area of the product's mask" },
  {
    name: "productSide",
    stage: "inspect",
    unit: "px",
    range: [0, infinity],
    direction: "higher",
    meaning: "longer side of the box around the product",
  },
  {
    name: "productBorder",
    stage: "inspect",
    unit: "share",
    range: [0, 1],
    direction: "lower",
    meaning: "share of the product's outline that lies on the picture's border: a product cut off",
  },
  {
    name: "productParts",
    stage: "inspect",
    unit: "count",
    range: [0, infinity],
    direction: "lower",
    meaning: "number of pieces of the mask larger than 1 % of it",
  },
  {
    name: "productHoles",
    stage: "inspect",
    unit: "percent",
    range: [0, 1000],
    direction: "lower",
    meaning: "area of holes in the mask, in percent of the product",
  },
  {
    name: "productBlur",
    stage: "inspect",
    unit: "percent",
    range: [0, 10],
    direction: "lower",
    meaning: "blur of the product: as blur, at it and its outline only; a soft background does no harm",
  },
  { name: "textOutside", stage: "inspect", unit: "percent", range: [0, 100], direction: "lower", meaning: "area of letters outside the product" },
  {
    name: "textBoxes",
    stage: "inspect",
    unit: "percent",
    range: [0, 100],
    direction: "lower",
    meaning: "area outside the product in boxes of text, by a model; null without one",
  },
  {
    name: "occlusion",
    stage: "inspect",
    unit: "probability",
    range: [0, 1],
    direction: "lower",
    meaning: "probability that something stands before the product: a hand, a tag, a sticker, another thing",
  },
];
