import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { type FingerprintedItem, findDuplicates } from "../dedup/find-duplicates.js";
import { fingerprintPicture } from "../dedup/fingerprint.js";
import { injectFault } from "../mini/faults/inject.js";
import { miniTriplet } from "../mini/triplet.js";
import type { ProductMask } from "../score/product-mask.js";
import { inspectProduct, scorePicture } from "../score/score-picture.js";
import { applyThresholds, defaultThresholds, type Threshold } from "./thresholds.js";

export type MeasuredKind = "watermark" | "text" | "occlusion" | "blur" | "low-resolution" | "duplicate";

/** Kinds of faults that filters are measured on; all but duplicates are rejected with a code of the same name. */
export const measuredKinds: readonly MeasuredKind[] = ["watermark", "text", "occlusion", "blur", "low-resolution", "duplicate"];

/** An ad to be measured on. */
export interface MeasuredAd {
  readonly key: string;
  readonly image: Image;
  readonly mask: ProductMask;
}

export interface SpoiltAd {
  readonly image: Image;
  readonly mask: ProductMask;
  /** What was done, to read. */
  readonly style: string;
  /** The file, where it is a JPEG. */
  readonly bytes?: Uint8Array;
}

export interface MeasureFiltersOptions {
  /** Ads of AdProd-Mini. */
  readonly count: number;
  /** Another seed than detectors were fitted with, which is `fit`. Default `measure`. */
  readonly seed?: number | string;
  /** Default 512. */
  readonly width?: number;
  /** Default 640. */
  readonly height?: number;
  readonly kinds?: readonly MeasuredKind[];
  readonly thresholds?: readonly Threshold[];
  /** Default AdProd-Mini of the seed. */
  readonly ads?: Iterable<MeasuredAd> | AsyncIterable<MeasuredAd>;
  /** Default `injectFault`; undefined where a maker has nothing for a kind. */
  readonly spoil?: (ad: MeasuredAd, kind: MeasuredKind) => Promise<SpoiltAd | undefined>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface FilterMeasure {
  readonly kind: MeasuredKind;
  readonly spoilt: number;
  /** Spoilt ads with the kind's own rejection. */
  readonly caught: number;
  /** Spoilt ads with any rejection. */
  readonly rejected: number;
  readonly clean: number;
  /** Clean ads with the kind's own rejection. */
  readonly alarms: number;
  readonly recall: number;
  /** Where clean and spoilt ads are equally many. */
  readonly precision: number;
  /** Where one ad in twenty is spoilt. */
  readonly precisionInTwenty: number;
  readonly styles: readonly { readonly style: string; readonly spoilt: number; readonly caught: number }[];
  /** Keys, for a look at them: of ads that were missed, with their styles, and of clean ones that were not. */
  readonly missed: readonly { readonly key: string; readonly style: string }[];
  readonly alarmed: readonly string[];
}

/**
 * How many faults the filters find and how often they are wrong: every ad is measured as it is and with one fault of each kind. One ad of 512 × 640
 * takes about 2 s.
 *
 * @throws ArgumentError for a count that is no whole number above 0
 */
export async function measureFilters({
  count,
  seed = "measure",
  width = 512,
  height = 640,
  kinds = measuredKinds,
  thresholds = defaultThresholds,
  ads = miniAds(count, { seed, width, height }),
  spoil = (ad, kind) => injected(ad, kind, seed),
  signal,
  onProgress,
}: MeasureFiltersOptions): Promise<readonly FilterMeasure[]> {
  if (!Number.isSafeInteger(count) || count < 1) throw new ArgumentError(`measureFilters: expected count to be a whole number above 0, got ${count}`);
  const found = new Map(kinds.map((kind) => [kind, new Map<string, { style: string; codes: ReadonlySet<string> }>()]));
  const clean = new Map<string, ReadonlySet<string>>();
  const prints: FingerprintedItem[] = [];
  const codesOf = ({ image, mask, bytes }: Omit<SpoiltAd, "style">) =>
    new Set(applyThresholds({ ...scorePicture(image, bytes ? { bytes } : {}), ...inspectProduct(image, mask) }, thresholds).map(({ code }) => code));
  for await (const ad of ads) {
    if (clean.size === count) break;
    signal?.throwIfAborted();
    clean.set(ad.key, codesOf(ad));
    const { width: across, height: down } = ad.image;
    if (kinds.includes("duplicate"))
      prints.push({ key: `${ad.key}`, fingerprint: fingerprintPicture(ad.image), width: across, height: down, quality: 1 });
    for (const kind of kinds) {
      const spoilt = await spoil(ad, kind);
      if (!spoilt) continue;
      if (kind === "duplicate") prints.push({ key: `${ad.key} again`, fingerprint: fingerprintPicture(spoilt.image), quality: 0 });
      found.get(kind)!.set(ad.key, { style: spoilt.style, codes: kind === "duplicate" ? new Set() : codesOf(spoilt) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    onProgress?.({ done: clean.size, total: count });
  }
  const keptOf = new Map((await findDuplicates(prints)).flatMap(({ kept, duplicates }) => duplicates.map(({ key }) => [key, kept] as const)));
  return kinds.map((kind) => {
    const catches = (key: string, own: ReadonlySet<string>) => (kind === "duplicate" ? keptOf.get(`${key} again`) === key : own.has(kind));
    const alarmed = [...clean].filter(([key, own]) => (kind === "duplicate" ? keptOf.has(key) : own.has(kind))).map(([key]) => key);
    return measure(kind, found.get(kind)!, catches, clean.size, alarmed);
  });
}

function measure(
  kind: MeasuredKind,
  found: ReadonlyMap<string, { readonly style: string; readonly codes: ReadonlySet<string> }>,
  catches: (key: string, codes: ReadonlySet<string>) => boolean,
  clean: number,
  alarmed: readonly string[],
): FilterMeasure {
  const styles = new Map<string, { style: string; spoilt: number; caught: number }>();
  const missed: { key: string; style: string }[] = [];
  let [caught, rejected] = [0, 0];
  for (const [key, { style, codes }] of found) {
    const entry = styles.get(style) ?? { style, spoilt: 0, caught: 0 };
    styles.set(style, entry);
    entry.spoilt++;
    const hit = catches(key, codes);
    if (hit) {
      caught++;
      entry.caught++;
    } else missed.push({ key, style });
    if (hit || codes.size > 0) rejected++;
  }
  const [recall, alarms] = [caught / Math.max(1, found.size), alarmed.length / Math.max(1, clean)];
  const precision = (share: number) => (share * recall) / Math.max(1e-12, share * recall + (1 - share) * alarms);
  return {
    kind,
    spoilt: found.size,
    caught,
    rejected,
    clean,
    alarms: alarmed.length,
    recall,
    precision: precision(0.5),
    precisionInTwenty: precision(0.05),
    styles: [...styles.values()].sort((a, b) => (a.style < b.style ? -1 : 1)),
    missed,
    alarmed,
  };
}

/** A table for a README. */
export function measuresMarkdown(measures: readonly FilterMeasure[]): string {
  const rows = measures.map(
    ({ kind, spoilt, recall, clean, alarms, precision, precisionInTwenty, styles }) =>
      `| ${kind} | ${spoilt} | ${recall.toFixed(3)} | ${alarms} of ${clean} | ${precision.toFixed(3)} | ${precisionInTwenty.toFixed(2)} | ${styles
        .map((one) => `${one.style} ${one.caught}/${one.spoilt}`)
        .join(", ")} |`,
  );
  return ["| fault | ads | recall | false alarms | precision 1:1 | precision 1:20 | by style |", "|---|---|---|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

function* miniAds(
  count: number,
  options: { readonly seed: number | string; readonly width: number; readonly height: number },
): Generator<MeasuredAd> {
  for (let index = 0; index < count; index++) {
    const { key, ad } = miniTriplet(index, options);
    yield { key, image: ad.image, mask: ad.mask };
  }
}

async function injected({ key, image, mask }: MeasuredAd, kind: MeasuredKind, seed: number | string): Promise<SpoiltAd> {
  const fault = await injectFault({ key, ad: { image, mask } }, kind, { seed });
  return { image: fault.image!, mask: fault.mask!, style: fault.truth.style };
}
