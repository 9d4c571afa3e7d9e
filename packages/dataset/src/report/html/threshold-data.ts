import type { ScoreColumn } from "../data.js";
import { formatValue } from "../format.js";
import { measuredValues, type ScoreSummary } from "../summary.js";

/** One threshold that can be moved, with what every item says to it. */
export interface MovableThreshold {
  /** Which score, by its place in the report. */
  readonly score: number;
  readonly side: "least" | "most";
  /** Values that the threshold can take, ascending. At the `none` end nothing is refused. */
  readonly edges: readonly number[];
  /** The same to read. */
  readonly labels: readonly string[];
  /** Where each stands on the chart, from 0 to 1. */
  readonly places: readonly number[];
  /** Where it stands, by number of the edge. */
  readonly at: number;
  /** A byte for each item, base64: how many edges its value passes from the side that is refused; 255 where there is none. */
  readonly codes: string;
}

export interface ThresholdData {
  /** Items that the codes are of, and in all: counts are scaled where only a part of them is in the page. */
  readonly shown: number;
  readonly of: number;
  readonly thresholds: readonly MovableThreshold[];
}

/** Fewer than 255, so that a byte holds an item's place among them. */
const mostEdges = 200;

/**
 * What the page needs to count live: for each threshold, where each item stands among the values that the threshold can take. Counts are exact, also at the
 * thresholds that are set, as these are among the values. Beyond `mostItems` every n-th item stands for its neighbours.
 */
export function thresholdData(columns: readonly ScoreColumn[], summaries: readonly ScoreSummary[], mostItems: number): ThresholdData {
  const of = columns[0]?.values.length ?? 0;
  const shown = Math.min(of, mostItems);
  const items = Array.from({ length: shown }, (_, index) => Math.floor((index * of) / Math.max(1, shown)));
  return {
    shown,
    of,
    thresholds: columns.flatMap((column, score) => sidesOf(column).flatMap((side) => movable(column, summaries[score]!, score, side, items))),
  };
}

function sidesOf({ better, least, most }: Pick<ScoreColumn, "better" | "least" | "most">): ("least" | "most")[] {
  const sides: ("least" | "most")[] = [];
  if (better !== "lower" || least !== undefined) sides.push("least");
  if (better !== "higher" || most !== undefined) sides.push("most");
  return sides;
}

function movable(
  column: ScoreColumn,
  { histogram: { from, to } }: ScoreSummary,
  score: number,
  side: "least" | "most",
  items: readonly number[],
): MovableThreshold[] {
  const sorted = measuredValues(column);
  if (sorted.length === 0) return [];
  const set = column[side];
  const edges = edgesOf(sorted, set);
  const none = side === "least" ? 0 : edges.length - 1;
  const codes = Buffer.from(items.map((item) => codeOf(column.values[item], edges, side)));
  return [
    {
      score,
      side,
      edges,
      labels: edges.map(formatValue),
      places: edges.map((edge) => placeOf(edge, from, to)),
      at: set === undefined ? none : edges.indexOf(set),
      codes: codes.toString("base64"),
    },
  ];
}

/** Even steps over where most values are, with the least and the greatest value and the threshold that is set. */
function edgesOf(sorted: Float64Array, set: number | undefined): number[] {
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const from = sorted[Math.floor(0.002 * sorted.length)]!;
  const to = sorted[Math.min(sorted.length - 1, Math.floor(0.998 * sorted.length))]!;
  const wanted = new Set([low, high, ...(set === undefined ? [] : [set])]);
  const distinct = new Set(sorted.length > 5000 ? [] : sorted);
  if (distinct.size > 0 && distinct.size <= mostEdges) for (const value of distinct) wanted.add(value);
  else for (let step = 0; step <= mostEdges; step++) wanted.add(Number((from + ((to - from) * step) / mostEdges).toPrecision(6)));
  return [...wanted].filter((value) => (value >= low && value <= high) || value === set).sort((a, b) => a - b);
}

/** For `least`, how many edges are at or below the value: the threshold at edge `i` refuses codes up to `i`. For `most`, how many are at or above it, from the end. */
function codeOf(value: number | null | undefined, edges: readonly number[], side: "least" | "most"): number {
  if (value === null || value === undefined || !Number.isFinite(value)) return 255;
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const passed = side === "least" ? edges[middle]! <= value : edges[middle]! < value;
    if (passed) low = middle + 1;
    else high = middle;
  }
  // least: edges[0 … low − 1] ≤ value. most: edges[low …] ≥ value.
  return side === "least" ? low : edges.length - low;
}

/** Between 0 and 1. */
function placeOf(value: number, from: number, to: number): number {
  const place = to > from ? (value - from) / (to - from) : 0.5;
  return Number(Math.min(1, Math.max(0, place)).toFixed(4));
}
