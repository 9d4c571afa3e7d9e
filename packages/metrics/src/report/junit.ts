import { type EvaluatedMetric, type Evaluation, type Gate, metricTitles } from "../evaluate/evaluation.js";
import { countOf, formatValue } from "./format.js";
import { printable } from "./printable.js";

/**
 * The evaluation as JUnit XML, in the form that both Ant's schema and Jenkins' junit-10.xsd allow: one suite, a test case per gate,
 * and one for every metric without a gate, so that a run without gates is not an empty suite. Metrics that were not run are skipped.
 */
export function evaluationToJunit(evaluation: Evaluation): string {
  const { metrics, gates, notRun, createdAt, seconds } = evaluation;
  const ungated = metrics.filter(({ metric }) => !gates.some((gate) => gate.metric === metric));
  const failures = gates.filter(({ passed }) => !passed).length;
  const cases = [
    ...gates.map((gate) =>
      gateCase(
        gate,
        metrics.find(({ metric }) => metric === gate.metric),
      ),
    ),
    ...ungated.map((metric) => testCase({ name: metricTitles[metric.metric], classname: metric.metric, seconds: metric.seconds })),
    ...notRun.map((metric) => testCase({ name: metricTitles[metric], classname: metric, seconds: 0, content: "      <skipped/>\n" })),
  ];
  const suite = {
    package: "refadgen-metrics",
    id: "0",
    name: "refadgen-metrics",
    // Ant's schema takes no time zone; it is UTC.
    timestamp: createdAt.slice(0, 19),
    hostname: "localhost",
    tests: String(cases.length),
    failures: String(failures),
    errors: "0",
    skipped: String(notRun.length),
    time: seconds.toFixed(3),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    "<testsuites>\n",
    `  <testsuite${attributes(suite)}>\n`,
    "    <properties>\n",
    ...properties(evaluation).map(([name, value]) => `      <property${attributes({ name, value })}/>\n`),
    "    </properties>\n",
    ...cases,
    `    <system-out>${xmlText(summary(evaluation))}</system-out>\n`,
    `    <system-err>${xmlText(complaints(evaluation))}</system-err>\n`,
    "  </testsuite>\n",
    "</testsuites>\n",
  ].join("");
}

interface Case {
  readonly name: string;
  readonly classname: string;
  readonly seconds: number;
  readonly content?: string;
}

function testCase({ name, classname, seconds, content }: Case): string {
  const opening = `    <testcase${attributes({ name, classname: `refadgen-metrics.${classname}`, time: seconds.toFixed(3) })}`;
  return content === undefined ? `${opening}/>\n` : `${opening}>\n${content}    </testcase>\n`;
}

function gateCase(gate: Gate, result: EvaluatedMetric | undefined): string {
  const name = gate.kind === "threshold" ? gate.rule : `${gate.metric} against the baseline (${gate.rule})`;
  const base = { name, classname: gate.metric, seconds: result?.seconds ?? 0 };
  if (gate.passed) return testCase(base);
  const type = gate.kind === "threshold" ? "ThresholdMissed" : "Regression";
  const text = result ? `${gate.message}\nrecipe ${result.recipe}, n = ${result.n}` : gate.message;
  return testCase({ ...base, content: `      <failure${attributes({ message: gate.message, type })}>${xmlText(text)}</failure>\n` });
}

function properties({ label, metrics, inputs }: Evaluation): [string, string][] {
  return [
    ["label", label],
    ...Object.entries(inputs).map(([role, path]): [string, string] => [`input.${role}`, path]),
    ...metrics.flatMap(({ metric, value, recipe, n }): [string, string][] => [
      [metric, String(value)],
      [`${metric}.recipe`, recipe],
      [`${metric}.n`, String(n)],
    ]),
  ];
}

function summary({ metrics }: Evaluation): string {
  return metrics.map(({ metric, value, n, recipe }) => `${metricTitles[metric]} ${formatValue(value)} (n = ${n}, ${recipe})`).join("\n");
}

/** Files of a list; the JSON report has all. */
const mostListed = 500;

function complaints({ warnings, unmatched, skipped, metrics }: Evaluation): string {
  const list = (files: readonly { readonly role: string; readonly name: string; readonly reason: string }[], what: string) =>
    files.length === 0
      ? []
      : [
          `${countOf(files.length, "file")} ${what}:`,
          ...files.slice(0, mostListed).map(({ role, name, reason }) => `  ${role} ${name}: ${reason}`),
          ...(files.length > mostListed ? [`  … and ${files.length - mostListed} more, which the JSON report lists`] : []),
        ];
  return [
    ...warnings,
    ...metrics.flatMap(({ metric, warnings: own }) => own.map((warning) => `${metric}: ${warning}`)),
    ...list(unmatched, "without a partner"),
    ...list(skipped, "skipped"),
  ].join("\n");
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(value).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`)
    .join("");
}

function xmlText(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
