import { stripVTControlCharacters } from "node:util";
import { type Evaluation, metricTitles } from "../evaluate/evaluation.js";
import { arrowOf, countOf, formatChange, formatInterval, formatSeconds, formatValue, statusOf } from "./format.js";

export interface TextOptions {
  /** Colours and weights of a terminal. */
  readonly colour: boolean;
}

/** The evaluation as a table of a terminal, gates and notes below it. */
export function evaluationToText(evaluation: Evaluation, { colour }: TextOptions): string {
  const { metrics, gates, notRun, warnings, unmatched, skipped, seconds, counts } = evaluation;
  const paint = (code: number, text: string) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  const baseline = evaluation.history.at(-1);
  const head = ["metric", "value", "interval", "n", "recipe", ...(baseline ? ["baseline"] : []), ""];
  const rows = metrics.map((metric) => {
    const before = baseline?.values[metric.metric];
    const status = statusOf(gates.filter((gate) => gate.metric === metric.metric));
    return [
      `${metricTitles[metric.metric]} ${arrowOf(metric)}`,
      formatValue(metric.value),
      formatInterval(metric),
      String(metric.n),
      metric.recipe,
      ...(baseline ? [before === undefined ? "new" : `${formatValue(before)} (${formatChange(metric.value, before)})`] : []),
      { passed: paint(32, "pass"), failed: paint(31, "FAIL"), none: "" }[status],
    ];
  });
  const lines = table([head, ...rows]);
  const files = (list: readonly { readonly role: string; readonly name: string; readonly reason: string }[], what: string) =>
    list.length === 0
      ? []
      : [
          `${countOf(list.length, "file")} ${what}:`,
          ...list.slice(0, 10).map(({ role, name, reason }) => `  ${role} ${name}: ${reason}`),
          ...(list.length > 10 ? [`  … and ${list.length - 10} more; --json and --html list all`] : []),
        ];
  const told = [
    ...warnings.filter((warning) => !/ (without a partner|skipped): /.test(warning)),
    ...metrics.flatMap(({ metric, warnings: own }) => own.map((warning) => `${metricTitles[metric]}: ${warning}`)),
  ];
  return [
    paint(1, lines[0]!),
    ...lines.slice(1),
    "",
    ...gates.filter(({ passed }) => !passed).map(({ message }) => paint(31, `FAIL ${message}`)),
    ...notRun.map((metric) => `${metricTitles[metric]} was not run: an earlier metric failed`),
    ...files(unmatched, "without a partner"),
    ...files(skipped, "skipped"),
    ...told.map((warning) => paint(33, `warning: ${warning}`)),
    `${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(", ")}; ${formatSeconds(seconds)}`,
    "",
  ].join("\n");
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const bare = stripVTControlCharacters;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => [...bare(row[column]!)].length)));
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const space = " ".repeat(widths[column]! - [...bare(cell)].length);
        const numeric = rows.slice(1).every((other) => /^[−\d∞n]?[\d.]*/.exec(bare(other[column]!))![0] === bare(other[column]!)) && rows.length > 1;
        return numeric && (index > 0 || cell !== "") ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}
