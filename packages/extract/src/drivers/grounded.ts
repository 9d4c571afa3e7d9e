import { ArgumentError } from "@refadgen/errors";
import { composite, type Image, toRgb } from "@refadgen/image";
import type { Detection, Detector, Extraction, ExtractOptions, Extractor, Segmenter } from "../contract.js";
import { featherMask } from "../cut-out.js";
import { type Doubt, doubtsOfMask, judged, percent } from "../judge.js";
import { cleanMask } from "../mask/clean.js";
import { boxIoU, emptyMask, type Mask } from "../mask/mask.js";

export interface GroundedOptions {
  readonly detector: Detector;
  readonly segmenter: Segmenter;
  /**
   * Which box is the product when there are several: `"best"` (default) of highest score; `"first"` as the detector returned them, which is
   * what the authors' code takes; `"largest"`; `"all"`: every one of them, in one mask.
   */
  readonly choice?: "best" | "first" | "largest" | "all";
  /** Boxes that overlap more than this (intersection over union) with a better one are the same product. Default 0.7. */
  readonly duplicateIoU?: number;
  /** Radius of the matte's soft edge, in pixels. Default 1. */
  readonly feather?: number;
}

/** A result below this score of the detector, quality or stability of the segmenter is doubted. */
const [sureDetection, sureQuality, sureStability] = [0.5, 0.8, 0.9];

/**
 * A detector finds boxes for the category, a segmenter the mask in them: the paper's way with Grounding DINO and SAM 2.
 *
 * @throws when extracting, ArgumentError without a category
 */
export function groundedExtractor(options: GroundedOptions): Extractor {
  const { detector, segmenter, choice = "best" } = options;
  const name = `${detector.name}+${segmenter.name}`;
  return {
    name,
    async extract(image, { category, signal } = {}) {
      const rgb = onWhite(image);
      const found = await detected(options, rgb, category, signal);
      if (found.length === 0)
        return { ...judged(name, emptyMask(rgb), new Uint8Array(rgb.width * rgb.height), 0, [nothing(category!)]), detections: [] };
      const chosen = choice === "all" ? found : [chosenOf(found, choice)];
      const segments = await segmenter.segment(
        rgb,
        chosen.map(({ box }) => box),
        signal ? { signal } : {},
      );
      const mask = cleanMask(union(segments.map((segment) => segment.mask)));
      const worst = (pick: (index: number) => number) => Math.min(...segments.map((_, index) => pick(index)));
      const doubts = [
        ...doubtsOfDetection(
          worst((index) => chosen[index]!.score),
          found.length - chosen.length,
        ),
        ...doubtsOfSegment(
          worst((index) => segments[index]!.quality),
          worst((index) => segments[index]!.stability),
        ),
        ...doubtsOfMask(mask),
      ];
      return {
        ...judged(name, mask, featherMask(mask, options.feather ?? 1), 1, doubts),
        detections: found.map((detection) => ({ ...detection, chosen: chosen.includes(detection) })),
      };
    },
    async dispose() {
      await Promise.all([detector.dispose?.(), segmenter.dispose?.()]);
    },
  };
}

/**
 * Every product of the category by itself, the best detection first: for pictures that show several.
 *
 * @throws ArgumentError without a category
 */
export async function extractEach(image: Image, options: Omit<GroundedOptions, "choice"> & ExtractOptions): Promise<Extraction[]> {
  const { detector, segmenter, category, signal } = options;
  const rgb = onWhite(image);
  const found = await detected(options, rgb, category, signal);
  const segments = await segmenter.segment(
    rgb,
    found.map(({ box }) => box),
    signal ? { signal } : {},
  );
  return found.map((detection, index) => {
    const { mask: raw, quality, stability } = segments[index]!;
    const mask = cleanMask(raw);
    const doubts = [...doubtsOfDetection(detection.score, 0), ...doubtsOfSegment(quality, stability), ...doubtsOfMask(mask)];
    return {
      ...judged(`${detector.name}+${segmenter.name}`, mask, featherMask(mask, options.feather ?? 1), 1, doubts),
      detections: [{ ...detection, chosen: true }],
    };
  });
}

async function detected(
  { detector, duplicateIoU = 0.7, choice }: Pick<GroundedOptions, "detector" | "duplicateIoU" | "choice">,
  image: Image,
  category: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Detection[]> {
  if (category === undefined || category.trim() === "") throw new ArgumentError("extract: a detector needs the category of the product, got none");
  const found = (await detector.detect(image, category, signal ? { signal } : {})).filter(({ box }) => box.width >= 1 && box.height >= 1);
  if (choice === "first") return found;
  const kept: Detection[] = [];
  for (const detection of found.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => boxIoU(box, detection.box) <= duplicateIoU)) kept.push(detection);
  }
  return kept;
}

function chosenOf(found: readonly Detection[], choice: "best" | "first" | "largest"): Detection {
  const area = ({ box }: Detection) => box.width * box.height;
  return choice === "largest" ? found.reduce((most, detection) => (area(detection) > area(most) ? detection : most)) : found[0]!;
}

function doubtsOfDetection(score: number, others: number): Doubt[] {
  const doubts: Doubt[] = [];
  if (score < sureDetection) {
    doubts.push({ code: "weak-detection", message: `the detector gives its box a score of only ${score.toFixed(2)}.`, factor: 0.5 + score });
  }
  if (others > 0)
    doubts.push({ code: "several-products", message: `${others} more of the kind ${others === 1 ? "was" : "were"} found.`, factor: 0.85 });
  return doubts;
}

function doubtsOfSegment(quality: number, stability: number): Doubt[] {
  const doubts: Doubt[] = [];
  if (quality < sureQuality) {
    doubts.push({ code: "unstable-mask", message: `the segmenter expects an overlap of only ${percent(quality)}.`, factor: 0.3 + 0.7 * quality });
  }
  if (stability < sureStability) {
    doubts.push({ code: "unstable-mask", message: `only ${percent(stability)} of the mask is stable.`, factor: 0.3 + 0.7 * stability });
  }
  return doubts;
}

function nothing(category: string): Doubt {
  return { code: "nothing-found", message: `the detector found no "${category}".`, factor: 0 };
}

function union(masks: readonly Mask[]): Mask {
  const [first] = masks as [Mask, ...Mask[]];
  return { ...first, data: first.data.map((_, index) => (masks.some(({ data }) => data[index] === 1) ? 1 : 0)) };
}

function onWhite(image: Image): Image {
  return toRgb(image.channels === 2 || image.channels === 4 ? composite(image, [255, 255, 255]) : image);
}
