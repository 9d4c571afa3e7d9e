import { ArgumentError } from "@refadgen/errors";
import type { Rejection, ScoreRow } from "../contract.js";
import { type ScoreName, scoreNames } from "../score/names.js";

/** What a picture must keep to. */
export interface Threshold {
  /** One of `scoreNames`. */
  readonly score: string;
  /** The least value that passes. */
  readonly least?: number;
  /** The largest value that passes. */
  readonly most?: number;
  /** Code of the rejection; default the score's name. Several thresholds may share one. */
  readonly code?: string;
}

/**
 * The thresholds of a run that sets none. The paper gives none; sizes, aspect, darkness and brightness are those of DataComp and cleanvision, the rest
 * was measured with AdProd-Mini and faults put into it: see the table in the README.
 */
export const defaultThresholds: readonly Threshold[] = [
  { score: "shortSide", least: 200, code: "low-resolution" },
  { score: "effectiveSide", least: 180, code: "low-resolution" },
  { score: "aspect", most: 3 },
  { score: "highlights", least: 0.2, code: "dark" },
  { score: "shadows", most: 0.95, code: "bleached" },
  { score: "entropy", least: 2 },
  { score: "blur", most: 0.5 },
  { score: "jpegQuality", least: 25, code: "jpeg" },
  { score: "watermark", most: 0.5 },
  { score: "productArea", least: 0.5, code: "product-size" },
  { score: "productArea", most: 80, code: "product-size" },
  { score: "productBorder", most: 0.3, code: "product-cut-off" },
  { score: "productBlur", most: 0.35, code: "blur" },
  { score: "textOutside", most: 0.15, code: "text" },
  { score: "occlusion", most: 0.5 },
];

/** @throws ArgumentError for scores that do not exist, thresholds without a limit, limits that are no numbers or leave nothing between them */
export function checkThresholds(name: string, thresholds: readonly Threshold[]): void {
  for (const { score, least, most, code } of thresholds) {
    if (!scoreNames.some((known) => known.name === score))
      throw new ArgumentError(
        `${name}: expected the score of a threshold to be one of ${scoreNames.map((known) => known.name).join(", ")}, got ${String(score)}`,
      );
    if (least === undefined && most === undefined) throw new ArgumentError(`${name}: expected least or most for ${score}, got neither`);
    for (const limit of [least, most])
      if (limit !== undefined && !Number.isFinite(limit))
        throw new ArgumentError(`${name}: expected limits of ${score} to be finite numbers, got ${String(limit)}`);
    if (least !== undefined && most !== undefined && least > most)
      throw new ArgumentError(`${name}: expected least of ${score} to be at most ${most}, got ${least}`);
    if (code !== undefined && !/^[a-z0-9-]+$/iu.test(code))
      throw new ArgumentError(`${name}: expected a code of letters, digits and "-", got ${JSON.stringify(code)}`);
  }
}

/** Why a picture with these scores is left out; empty if it stays. A score that is null or missing passes: nothing is known against the picture. */
export function applyThresholds(scores: ScoreRow, thresholds: readonly Threshold[] = defaultThresholds): Rejection[] {
  checkThresholds("applyThresholds", thresholds);
  return thresholds.filter((threshold) => fails(scores, threshold)).map((threshold) => reason(scores[threshold.score]!, threshold));
}

export interface ScoredItem {
  readonly key: string;
  readonly category?: string;
  /** Rows of `score` and `inspect` together. */
  readonly scores: ScoreRow;
}

export interface ThresholdCount {
  readonly threshold: Threshold;
  /** Items that fail it. */
  readonly rejected: number;
  /** Items that fail this one only: what taking it away would bring back. */
  readonly alone: number;
  /** Items without the score, which pass. */
  readonly unknown: number;
}

export interface CategoryCount {
  readonly category: string;
  readonly total: number;
  readonly kept: number;
  /** Rejected items by threshold, in the order of the thresholds. */
  readonly rejected: readonly number[];
}

export interface ThresholdCounts {
  readonly total: number;
  readonly kept: number;
  readonly thresholds: readonly ThresholdCount[];
  /** In alphabetical order; items without a category under "". */
  readonly categories: readonly CategoryCount[];
}

/** What thresholds would do, before anything is left out: one pass, nothing kept but counts. */
export function countThresholds(items: Iterable<ScoredItem>, thresholds: readonly Threshold[] = defaultThresholds): ThresholdCounts {
  checkThresholds("countThresholds", thresholds);
  const counts = thresholds.map(() => ({ rejected: 0, alone: 0, unknown: 0 }));
  const categories = new Map<string, { total: number; kept: number; rejected: number[] }>();
  let [total, kept] = [0, 0];
  for (const { category = "", scores } of items) {
    let entry = categories.get(category);
    if (!entry) {
      entry = { total: 0, kept: 0, rejected: thresholds.map(() => 0) };
      categories.set(category, entry);
    }
    total++;
    entry.total++;
    const failed: number[] = [];
    for (const [index, threshold] of thresholds.entries()) {
      if (typeof scores[threshold.score] !== "number") counts[index]!.unknown++;
      else if (fails(scores, threshold)) failed.push(index);
    }
    for (const index of failed) {
      counts[index]!.rejected++;
      entry.rejected[index]!++;
    }
    if (failed.length === 1) counts[failed[0]!]!.alone++;
    if (failed.length === 0) {
      kept++;
      entry.kept++;
    }
  }
  return {
    total,
    kept,
    thresholds: thresholds.map((threshold, index) => ({ threshold, ...counts[index]! })),
    categories: [...categories].map(([category, entry]) => ({ category, ...entry })).sort((a, b) => (a.category < b.category ? -1 : 1)),
  };
}

function fails(scores: ScoreRow, { score, least, most }: Threshold): boolean {
  const value = scores[score];
  if (typeof value !== "number" || Number.isNaN(value)) return false;
  return (least !== undefined && value < least) || (most !== undefined && value > most);
}

function reason(value: number, { score, least, most, code }: Threshold): Rejection {
  const { meaning, unit } = scoreNames.find(({ name }) => name === score)!;
  const limit = least !== undefined && value < least ? `below ${least}` : `above ${most}`;
  const measured = `${Number(value.toPrecision(4))}${spoken[unit]}`;
  return { code: code ?? score, message: `the ${meaning.replace(/[:;,(].*$/su, "").trim()} (${score}) is ${measured}, ${limit}` };
}

const spoken: Readonly<Record<ScoreName["unit"], string>> = {
  px: " px",
  ratio: "",
  share: "",
  bits: " bits",
  levels: " levels",
  percent: " %",
  probability: "",
  quality: "",
  count: "",
  points: "",
};
