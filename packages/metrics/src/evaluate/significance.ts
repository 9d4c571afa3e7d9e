import { type PairedTest, pairedTest } from "../statistics/paired-test.js";
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

export interface PairedOptions {
  readonly seed: number;
  /** Of the interval. */
  readonly level: number;
}

/** Whether the differences of paired scores are more than chance; undefined for fewer than two pairs. */
export async function testPairs({ a, b }: PairedScores, options: PairedOptions): Promise<PairedTest | undefined> {
  return a.length < 2 ? undefined : pairedTest(a, b, options);
}

/** The p-value of the difference of two reports' scores; undefined when fewer than two pictures are in both. */
export async function pairedPValue(a: EvaluatedMetric, b: EvaluatedMetric): Promise<number | undefined> {
  return (await testPairs(pairScores(a, b), { seed: 0, level: 0.95 }))?.pValue;
}
