import type { Extraction, Reason } from "./contract.js";
import { components } from "./mask/components.js";
import { type Mask, maskArea } from "./mask/mask.js";

/** One thing that speaks against a result: its score is multiplied by `factor`, 0 to 1. */
export interface Doubt extends Reason {
  readonly factor: number;
}

/** Below this share of the picture, or above that, a product is most likely a mistake. */
const [smallest, largest] = [0.002, 0.98];
/** Of the picture's four edges, how much a product may touch; a bottle that stands on the lower edge is usual. */
const mostBorder = 0.35;
/** The share of the mask that its largest piece should have. */
const leastTogether = 0.6;

/** What the mask alone says against itself: too small, too large, cut off by the picture's edge, in many pieces. */
export function doubtsOfMask(mask: Mask): Doubt[] {
  const area = maskArea(mask);
  if (area === 0) return [{ code: "nothing-found", message: "nothing was found.", factor: 0 }];
  const doubts: Doubt[] = [];
  const share = area / mask.data.length;
  if (share < smallest) doubts.push({ code: "almost-nothing", message: `only ${percent(share)} of the picture was found.`, factor: 0.2 });
  if (share > largest) doubts.push({ code: "almost-everything", message: `${percent(share)} of the picture was found.`, factor: 0.2 });
  const border = borderShare(mask);
  if (border > mostBorder) {
    doubts.push({
      code: "touches-border",
      message: `the mask covers ${percent(border)} of the picture's border.`,
      factor: Math.max(0.3, 1 - border),
    });
  }
  const { areas } = components(mask, 1, 8);
  const together = areas.slice(1).reduce((most, piece) => Math.max(most, piece), 0) / area;
  if (together < leastTogether) {
    doubts.push({
      code: "scattered",
      message: `the mask has ${areas.length - 1} pieces, the largest with ${percent(together)} of it.`,
      factor: 0.4 + together,
    });
  }
  return doubts;
}

/** A result whose score is `confidence` times the factors of all doubts. */
export function judged(driver: string, mask: Mask, matte: Uint8Array, confidence: number, doubts: readonly Doubt[]): Extraction {
  const sorted = doubts.toSorted((a, b) => a.factor - b.factor);
  return {
    driver,
    mask,
    matte,
    score: sorted.reduce((score, { factor }) => score * factor, confidence),
    reasons: sorted.map(({ code, message }) => ({ code, message })),
  };
}

function borderShare({ width, height, data }: Mask): number {
  let [touched, all] = [0, 0];
  const visit = (pixel: number) => {
    touched += data[pixel]!;
    all++;
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    if (height > 1) visit((height - 1) * width + x);
  }
  for (let y = 1; y < height - 1; y++) {
    visit(y * width);
    if (width > 1) visit(y * width + width - 1);
  }
  return touched / all;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`;
}
