import { readFile } from "node:fs/promises";
import { metricNames } from "../metrics/contract.js";
import { EvaluationError } from "./error.js";
import type { Evaluation } from "./evaluation.js";

/** JSON has no word for what is not a finite number: these stand for them, as the schema says. */
const notFinite: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** The JSON report. Numbers that are not finite become `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export function evaluationToJson(evaluation: Evaluation): string {
  return `${JSON.stringify(evaluation, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value), 2)}\n`;
}

/**
 * Reads a JSON report.
 *
 * @param role for messages: what the file was given as
 * @throws EvaluationError `report` when it cannot be read, is no report, or one of a newer version
 */
export async function readEvaluation(path: string, role = "report"): Promise<Evaluation> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new EvaluationError("report", `${role}: ${path} cannot be read`, { cause });
  });
  return evaluationFromJson(text, `${role} ${path}`);
}

/** `readEvaluation` of a text. */
export function evaluationFromJson(text: string, where = "report"): Evaluation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EvaluationError("report", `${where}: not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
  const report = new Checked(where, value, "");
  if (report.record().format !== "refadgen-metrics") throw report.wrong("a report of refadgen-metrics eval --json");
  if (report.record().version !== 1) {
    throw new EvaluationError(
      "report",
      `${where}: expected version 1, got ${String(report.record().version)}; it was written by another version of this command`,
    );
  }
  for (const field of ["createdAt", "label"]) report.at(field).text();
  for (const field of ["inputs", "counts"]) report.at(field).record();
  for (const field of ["notRun", "unmatched", "skipped", "warnings"]) report.at(field).list();
  for (const item of report.at("items").list()) {
    for (const field of ["name", "generated"]) item.at(field).text();
    for (const reference of item.at("references").list()) reference.text();
  }
  for (const metric of report.at("metrics").list()) checkMetric(metric);
  for (const gate of report.at("gates").list()) {
    for (const field of ["actual", "limit", "baseline", "pValue"]) gate.at(field).optionalNumber();
  }
  for (const entry of report.at("history").list()) {
    for (const field of ["label", "createdAt"]) entry.at(field).text();
    for (const name of Object.keys(entry.at("values").record())) entry.at("values").at(name).number();
  }
  return value as Evaluation;
}

function checkMetric(metric: Checked): void {
  const name = metric.at("metric").text();
  if (!(metricNames as readonly string[]).includes(name)) throw metric.at("metric").wrong(`one of ${metricNames.join(", ")}`);
  metric.at("recipe").text();
  metric.at("settings").record();
  metric.at("value").number();
  metric.at("n").number();
  const direction = metric.at("direction").text();
  if (direction !== "lower" && direction !== "higher") throw metric.at("direction").wrong('"lower" or "higher"');
  for (const field of ["counts", "details"]) for (const key of Object.keys(metric.at(field).record())) metric.at(field).at(key).number();
  for (const field of ["warnings", "skipped"]) metric.at(field).list();
  for (const network of metric.at("networks").list()) for (const field of ["name", "key"]) network.at(field).text();
  if ("interval" in metric.record()) for (const field of ["low", "high", "level"]) metric.at("interval").at(field).number();
  if (!("perImage" in metric.record())) return;
  for (const score of metric.at("perImage").list()) {
    score.at("name").text();
    score.at("value").number();
  }
}

/** A part of a report, with its place for messages. Numbers are put back where a word stands for them. */
class Checked {
  readonly #where: string;
  readonly #path: string;
  readonly #value: unknown;
  readonly #replace: (value: number) => void;

  constructor(where: string, value: unknown, path: string, replace: (value: number) => void = () => undefined) {
    this.#where = where;
    this.#value = value;
    this.#path = path;
    this.#replace = replace;
  }

  at(key: string): Checked {
    const record = this.record() as Record<string, unknown>;
    return new Checked(this.#where, record[key], this.#path === "" ? key : `${this.#path}.${key}`, (value) => {
      record[key] = value;
    });
  }

  record(): Readonly<Record<string, unknown>> {
    if (typeof this.#value !== "object" || this.#value === null || Array.isArray(this.#value)) throw this.wrong("an object");
    return this.#value as Readonly<Record<string, unknown>>;
  }

  list(): Checked[] {
    if (!Array.isArray(this.#value)) throw this.wrong("a list");
    return this.#value.map((value: unknown, index) => new Checked(this.#where, value, `${this.#path}[${index}]`));
  }

  text(): string {
    if (typeof this.#value !== "string") throw this.wrong("a text");
    return this.#value;
  }

  number(): void {
    if (typeof this.#value === "number") return;
    const value = typeof this.#value === "string" ? notFinite.get(this.#value) : undefined;
    if (value === undefined) throw this.wrong("a number");
    this.#replace(value);
  }

  optionalNumber(): void {
    if (this.#value !== undefined) this.number();
  }

  wrong(expected: string): EvaluationError {
    const got = JSON.stringify(this.#value)?.slice(0, 60) ?? "nothing";
    return new EvaluationError("report", `${this.#where}: expected ${this.#path === "" ? expected : `${this.#path} to be ${expected}`}, got ${got}`);
  }
}
