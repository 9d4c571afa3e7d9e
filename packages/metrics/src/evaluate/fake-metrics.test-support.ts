import { ArgumentError } from "@refadgen/errors";
import type { Accumulator, MetricName, MetricResult, PairBatch, PromptBatch, SetBatch } from "../metrics/contract.js";
import { metricDirections } from "../metrics/contract.js";
import type { MetricDriver, MetricFactory } from "./metric-driver.js";

interface Scores {
  readonly names: string[];
  readonly values: number[];
}

/** Metrics that are easily computed by hand: the mean absolute difference of pixels, the length of the prompt, the difference of two means. */
export function fakeMetrics({ onScore }: { readonly onScore?: (metric: MetricName, count: number) => void } = {}): MetricFactory {
  return async ({ metric, recipe = "plain" }): Promise<MetricDriver> => {
    const base = { recipe, networks: [] };
    if (metric === "fid" || metric === "kid") return { ...base, feed: "sets", create: async () => means(metric, recipe) };
    if (metric === "clip-score")
      return {
        ...base,
        feed: "prompts",
        create: async () => scored<PromptBatch>(metric, recipe, (batch) => batch.prompts.map(({ length }) => length), onScore),
      };
    return { ...base, feed: "pairs", create: async () => scored<PairBatch>(metric, recipe, differences, onScore) };
  };
}

function differences({ generated, reference }: PairBatch): number[] {
  return generated.map((picture, index) => {
    const [a, b] = [picture, reference[index]!].map((one) => ("image" in one ? one.image : one));
    if (a!.data.length !== b!.data.length) throw new ArgumentError("differences: expected equal sizes");
    return a!.data.reduce((sum, value, at) => sum + Math.abs(value - b!.data[at]!), 0) / a!.data.length;
  });
}

function scored<Batch extends { readonly names?: readonly string[] }>(
  metric: MetricName,
  recipe: string,
  score: (batch: Batch) => number[],
  onScore: ((metric: MetricName, count: number) => void) | undefined,
): Accumulator<Batch, Scores> {
  const all: Scores = { names: [], values: [] };
  return {
    metric,
    recipe,
    update: async (batch) => {
      const values = score(batch);
      onScore?.(metric, values.length);
      all.names.push(...batch.names!);
      all.values.push(...values);
    },
    state: () => structuredClone(all),
    merge: ({ names, values }) => {
      all.names.push(...names);
      all.values.push(...values);
    },
    compute: async () => {
      const value = all.values.reduce((sum, one) => sum + one, 0) / all.values.length;
      const perImage = all.names.map((name, index) => ({ name, value: all.values[index]! }));
      return { ...plain(metric, recipe), value, n: perImage.length, counts: { pairs: perImage.length }, perImage };
    },
  };
}

function means(metric: MetricName, recipe: string): Accumulator<SetBatch, Readonly<Record<"real" | "generated", number[]>>> {
  const sides = { real: [] as number[], generated: [] as number[] };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    metric,
    recipe,
    update: async ({ side, pictures }) => {
      sides[side].push(...pictures.map((picture) => mean([...("image" in picture ? picture.image : picture).data])));
    },
    state: () => structuredClone(sides),
    merge: ({ real, generated }) => {
      sides.real.push(...real);
      sides.generated.push(...generated);
    },
    compute: async () => ({
      ...plain(metric, recipe),
      value: Math.abs(mean(sides.real) - mean(sides.generated)),
      n: Math.min(sides.real.length, sides.generated.length),
      counts: { real: sides.real.length, generated: sides.generated.length },
    }),
  };
}

function plain(metric: MetricName, recipe: string): Omit<MetricResult, "value" | "n" | "counts"> {
  return { metric, recipe, settings: {}, direction: metricDirections[metric], details: {}, skipped: [], warnings: [] };
}
