import type { EvaluatedItem, EvaluatedMetric, Evaluation } from "../evaluate/evaluation.js";
import type { Direction, MetricName } from "../metrics/contract.js";

/** Text that breaks whatever does not escape it. */
export const nasty = `<script>alert("x")</script> & 'q' | \`c\` *b* _i_, ü 日本 😀\u0007`;

export function metricOf(metric: MetricName, value: number, direction: Direction, more: Partial<EvaluatedMetric> = {}): EvaluatedMetric {
  const plain = { recipe: "torchmetrics", settings: { level: 2048 }, n: 20, counts: { pairs: 20 }, details: {}, skipped: [], warnings: [] };
  return { metric, value, direction, ...plain, networks: [{ name: "net", key: "0123456789abcdef" }], seconds: 1.5, cached: 0, ...more };
}

/** A report in which everything occurs: gates of both kinds, history, files that were not used, text that needs escaping, odd numbers. */
export function sampleEvaluation(items: readonly EvaluatedItem[] = sampleItems()): Evaluation {
  const scores = (start: number, step: number) => items.map(({ name }, index) => ({ name, value: start + step * index }));
  const interval = { low: 0.51, high: 0.59, level: 0.95, method: "bootstrap", resamples: 2000, seed: 0 } as const;
  return {
    format: "refadgen-metrics",
    version: 1,
    createdAt: "2030-05-04T12:34:56.789Z",
    tool: { name: "@refadgen/metrics", version: "0.0.0" },
    label: `tiny ${nasty}`,
    inputs: { generated: "out/ads", reference: `data/${nasty}` },
    counts: { generated: 21, reference: 22, pairs: 20, productMasks: 3 },
    metrics: [
      metricOf("lpips", 0.55, "lower", { perImage: [...scores(0.1, 0.045), { name: "undefined.png", value: Number.NaN }], interval, n: 20 }),
      metricOf("psnr", Number.POSITIVE_INFINITY, "higher", { perImage: items.map(({ name }) => ({ name, value: Number.POSITIVE_INFINITY })) }),
      metricOf("fid", 50.58, "lower", { warnings: [`few ${nasty}`], recipe: "pytorch-fid", counts: { real: 22, generated: 21 } }),
      metricOf("precision-recall", 0.7, "higher", { details: { recall: 0.4 } }),
    ],
    notRun: ["mp-lpips"],
    gates: [
      {
        ...{ kind: "threshold", metric: "lpips", quantity: "value", rule: "lpips<0.5", actual: 0.55, limit: 0.5, passed: false },
        message: "lpips is 0.55, not as required: < 0.5",
      },
      {
        ...{
          kind: "regression",
          metric: "fid",
          quantity: "value",
          rule: "fid=2%",
          actual: 50.58,
          limit: 51,
          baseline: 50,
          pValue: 0.2,
          passed: true,
        },
        message: `fid went from 50 to 50.58 & ${nasty}`,
      },
    ],
    passed: false,
    unmatched: [{ role: "reference", name: nasty, reason: "no generated picture with that stem" }],
    skipped: [{ role: "generated", name: "broken.png", code: "truncated", reason: `ends ${nasty}` }],
    items,
    history: [
      { label: `run 1 ${nasty}`, createdAt: "2030-05-02T00:00:00.000Z", values: { fid: 52, lpips: 0.6 } },
      { label: "run 2", createdAt: "2030-05-03T00:00:00.000Z", values: { fid: 50, lpips: 0.6, kid: 0.1 } },
    ],
    warnings: [`careful ${nasty}`],
    seconds: 12.25,
  };
}

function sampleItems(): EvaluatedItem[] {
  return Array.from({ length: 20 }, (_, index) => ({
    name: `${String(index).padStart(2, "0")}.png`,
    generated: `out/ads/${index}.png`,
    references: [`products/${index}.png`],
    prompt: index === 3 ? nasty : `number ${index}, "quoted"`,
  }));
}
