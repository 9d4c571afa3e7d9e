import { type ComparedMetric, type Comparison, compare } from "../evaluate/compare.js";
import { metricTitles } from "../evaluate/evaluation.js";
import { readEvaluation } from "../evaluate/evaluation-json.js";
import { formatChange, formatValue } from "../report/format.js";
import { table } from "../report/text.js";
import { appendToStepSummary, expectWritable, writeWhole } from "./outputs.js";

/** The options of `refadgen-metrics compare`. */
export interface CompareSettings {
  readonly alpha?: number;
  readonly gate?: boolean;
  readonly json?: string;
  /** `true`: without a file. */
  readonly markdown?: string | true;
}

/** Compares two reports, and says whether B is no worse (always, without `gate`). */
export async function compareReports(a: string, b: string, { alpha, gate, json, markdown }: CompareSettings): Promise<boolean> {
  await expectWritable([json === "-" ? undefined : json, markdown === true ? undefined : markdown].filter((path) => path !== undefined));
  const comparison = await compare(await readEvaluation(a, "a"), await readEvaluation(b, "b"), alpha === undefined ? {} : { alpha });
  const text = comparisonToJson(comparison);
  if (json === "-") process.stdout.write(text);
  else if (json !== undefined) await writeWhole(json, text);
  if (markdown !== undefined) {
    const summary = process.env.GITHUB_STEP_SUMMARY;
    const written = comparisonToMarkdown(comparison);
    if (markdown !== true) await writeWhole(markdown, written);
    else if (summary) await appendToStepSummary(summary, written);
    else process.stdout.write(written);
  }
  if (json !== "-" && (markdown !== true || process.env.GITHUB_STEP_SUMMARY)) process.stdout.write(comparisonToText(comparison));
  return !gate || comparison.metrics.every(({ verdict }) => verdict !== "worse");
}

function comparisonToJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value), 2)}\n`;
}

const head = ["metric", "A", "B", "B − A", "interval of the difference", "p", "pairs", ""] as const;

function cells({ metric, direction, a, b, difference, test, verdict }: ComparedMetric): string[] {
  return [
    `${metricTitles[metric]} ${direction === "higher" ? "↑" : "↓"}`,
    formatValue(a),
    formatValue(b),
    `${difference > 0 ? "+" : ""}${formatValue(difference)}${formatChange(b, a) === "" ? "" : ` (${formatChange(b, a)})`}`,
    test ? `${formatValue(test.low)} … ${formatValue(test.high)}` : "",
    test ? formatP(test.adjustedPValue) : "",
    test ? String(test.pairs) : "",
    { better: "B is better", worse: "B is worse", unclear: "no clear difference", untested: "one value each: not tested" }[verdict],
  ];
}

function formatP(value: number): string {
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

function notes({ alpha, metrics, onlyA, onlyB }: Comparison): string[] {
  const unpaired = metrics.filter(({ unpaired: { a, b } }) => a + b > 0);
  return [
    `Paired by picture; p is two-sided and corrected for ${metrics.filter(({ test }) => test).length} tests (Holm); significant below ${alpha}.`,
    ...unpaired.map(
      ({ metric, unpaired: { a, b } }) =>
        `${metricTitles[metric]}: ${a} pictures only in A, ${b} only in B; they are in the values and not in the test.`,
    ),
    ...(onlyA.length > 0 ? [`Only in A: ${onlyA.join(", ")}.`] : []),
    ...(onlyB.length > 0 ? [`Only in B: ${onlyB.join(", ")}.`] : []),
  ];
}

function comparisonToText(comparison: Comparison): string {
  const { a, b, metrics } = comparison;
  return [`A: ${a.label}`, `B: ${b.label}`, "", ...table([head, ...metrics.map(cells)]), "", ...notes(comparison), ""].join("\n");
}

function comparisonToMarkdown(comparison: Comparison): string {
  const { a, b, metrics } = comparison;
  const row = (values: readonly string[]) => `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    "## Image metrics compared",
    "",
    `A: ${a.label}; B: ${b.label}`,
    "",
    row(head),
    row(head.map((_, index) => (index === 0 || index === 7 ? "---" : "---:"))),
    ...metrics.map((metric) => row(cells(metric))),
    "",
    ...notes(comparison).map((note) => `${note}  `),
    "",
  ].join("\n");
}
