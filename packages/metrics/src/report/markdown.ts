import { type EvaluatedMetric, type Evaluation, metricTitles, rankedScores } from "../evaluate/evaluation.js";
import { arrowOf, compareValues, countOf, formatChange, formatInterval, formatSeconds, formatValue, statusOf } from "./format.js";

const mostListed = 20;

/** The evaluation as GitHub-flavoured Markdown, for a step summary or a comment. */
export function evaluationToMarkdown(evaluation: Evaluation): string {
  const { metrics, gates, passed, label, counts, notRun, seconds } = evaluation;
  const baseline = evaluation.history.at(-1);
  const columns = ["Metric", "Value", "95 % interval", "n", "Recipe", ...(baseline ? ["Baseline"] : []), ...(gates.length > 0 ? ["Gate"] : [])];
  const level = metrics.find(({ interval }) => interval)?.interval?.level;
  if (level !== undefined) columns[2] = `${Math.round(level * 100)} % interval`;
  const rows = metrics.map((metric) => {
    const before = baseline?.values[metric.metric];
    const own = gates.filter((gate) => gate.metric === metric.metric);
    return [
      `${metricTitles[metric.metric]} ${arrowOf(metric)}`,
      `**${formatValue(metric.value)}**${detailOf(metric)}`,
      formatInterval(metric),
      String(metric.n),
      metric.recipe,
      ...(baseline ? [before === undefined ? "new" : `${formatValue(before)} (${formatChange(metric.value, before)}${mark(metric, before)})`] : []),
      ...(gates.length > 0 ? [{ passed: "✅", failed: "❌", none: "" }[statusOf(own)] + own.map(({ rule }) => ` \`${rule}\``).join("")] : []),
    ];
  });
  const failed = gates.filter((gate) => !gate.passed);
  const verdict = gates.length === 0 ? "measured" : passed ? "passed" : "failed";
  return [
    `## ${{ measured: "📏", passed: "✅", failed: "❌" }[verdict]} Image metrics ${verdict}: ${plain(label)}`,
    "",
    row(columns),
    row(columns.map((_, index) => (index === 0 || index >= 4 ? "---" : "---:"))),
    ...rows.map(row),
    "",
    ...failed.map(({ message }) => `- ❌ ${plain(message)}`),
    ...notRun.map((metric) => `- ⏭️ ${metricTitles[metric]} was not run: an earlier metric failed`),
    ...(failed.length + notRun.length > 0 ? [""] : []),
    `${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(", ")}; ${formatSeconds(seconds)}.`,
    "",
    ...notes(evaluation),
    ...worst(evaluation),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function detailOf({ metric, details }: EvaluatedMetric): string {
  if (metric === "precision-recall" && details.precision !== undefined && details.recall !== undefined)
    return ` (precision ${formatValue(details.precision)}, recall ${formatValue(details.recall)})`;
  return metric === "kid" && details.std !== undefined ? ` ± ${formatValue(details.std)}` : "";
}

function mark(metric: EvaluatedMetric, before: number): string {
  return { better: " better", worse: " worse", same: "" }[compareValues(metric, metric.value, before)];
}

function notes({ warnings, metrics, unmatched, skipped }: Evaluation): string[] {
  const own = metrics.flatMap(({ metric, warnings: sentences }) => sentences.map((sentence) => `${metricTitles[metric]}: ${sentence}`));
  const all = [...warnings, ...own].map((sentence) => `> ⚠️ ${plain(sentence)}`);
  const files = [
    ...unmatched.map(({ role, name, reason }) => `- ${role} \`${code(name)}\`: ${plain(reason)}`),
    ...skipped.map(({ role, name, reason }) => `- ${role} \`${code(name)}\`: ${plain(reason)}`),
  ];
  return [
    ...all.flatMap((line, index) => (index === 0 ? [line] : [">", line])),
    ...(all.length > 0 ? [""] : []),
    ...(files.length > 0 ? details(`${countOf(files.length, "file")} not used`, files) : []),
  ];
}

function worst({ metrics }: Evaluation): string[] {
  const scored = metrics.filter(({ perImage = [] }) => perImage.length > 1);
  if (scored.length === 0) return [];
  const lines = scored.map((metric) => {
    const names = rankedScores(metric)
      .slice(0, 3)
      .map(({ name, value }) => `\`${code(name)}\` ${formatValue(value)}`);
    return `- ${metricTitles[metric.metric]}: ${names.join(", ")}`;
  });
  return details("Worst pictures", lines);
}

function details(title: string, lines: readonly string[]): string[] {
  const more = lines.length > mostListed ? [`- … and ${lines.length - mostListed} more`] : [];
  return ["<details>", `<summary>${title}</summary>`, "", ...lines.slice(0, mostListed), ...more, "", "</details>", ""];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\r?\n/g, " ")).join(" | ")} |`;
}

function plain(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|]/g, "\\$&").replaceAll(/\r?\n/g, " ");
}

function code(text: string): string {
  return text.replaceAll("`", "ˋ").replaceAll(/\r?\n/g, " ");
}
