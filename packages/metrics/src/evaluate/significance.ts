import type { EvaluatedMetric } from "./evaluation.js";

/** Scores of the same pictures in two reports. */
export interface PairedScores {
  readonly names: readonly string[];
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** Pictures that only one report has, or whose score is not defined in one of them. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/** Pairs scores by the pictures' names. Models often write other formats, so that names are compared without extension. */
export function pairScores(a: EvaluatedMetric, b: EvaluatedMetric): PairedScores {
  const stem = (name: string) => name.replace(/\.[A-Za-z0-9]+(?= \[\d+\]$|$)/, "");
  const scores = ({ perImage = [] }: EvaluatedMetric) =>
    new Map(perImage.filter(({ value }) => Number.isFinite(value)).map(({ name, value }) => [stem(name), value]));
  const [first, second] = [scores(a), scores(b)];
  const names = [...first.keys()].filter((name) => second.has(name));
  return {
    names,
    a: names.map((name) => first.get(name)!),
    b: names.map((name) => second.get(name)!),
    onlyA: [...first.keys()].filter((name) => !second.has(name)),
    onlyB: [...second.keys()].filter((name) => !first.has(name)),
  };
}

/** Whether the differences of paired scores are more than chance. */
export interface PairedTestResult {
  readonly pairs: number;
  /** Mean of b − a. */
  readonly meanDifference: number;
  /** Of the mean difference. */
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly pValue: number;
}

export function testPairs(_pairs: PairedScores, _options: { readonly seed: number; readonly level: number }): PairedTestResult | undefined {
  return undefined;
}

/** The p-value of the difference of two reports' scores; undefined when fewer than two pictures are in both. */
export function pairedPValue(a: EvaluatedMetric, b: EvaluatedMetric): number | undefined {
  return testPairs(pairScores(a, b), { seed: 0, level: 0.95 })?.pValue;
}
