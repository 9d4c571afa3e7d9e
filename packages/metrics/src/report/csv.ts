import type { Evaluation } from "../evaluate/evaluation.js";
import { itemNameOf } from "../evaluate/plan.js";

/**
 * Scores per picture as CSV (RFC 4180, UTF-8): a row per picture or pair with its name, prompt and reference, and a column per metric that
 * has scores per picture. Empty where a metric has none for it; `NaN`, `Infinity` as words.
 */
export function evaluationToCsv({ metrics, items }: Evaluation): string {
  const scored = metrics.filter(({ perImage }) => perImage !== undefined);
  const byName = scored.map(({ perImage = [] }) => new Map(perImage.map(({ name, value }) => [name, value])));
  const details = new Map(items.map((item) => [item.name, item]));
  const names = [...new Set([...items.map(({ name }) => name), ...scored.flatMap(({ perImage = [] }) => perImage.map(({ name }) => name))])];
  // A picture with several references stands there once per pair, and once more only when some metric scores it by itself.
  const paired = new Set(names.filter((name) => itemNameOf(name) !== name).map(itemNameOf));
  const rows = names
    .filter((name) => !paired.has(name) || byName.some((scores) => scores.has(name)))
    .map((name) => {
      const item = details.get(name) ?? details.get(itemNameOf(name));
      const number = / \[(\d+)\]$/.exec(name)?.[1];
      const reference = item && (details.has(name) ? item.references[0] : item.references[Number(number) - 1]);
      return [name, item?.prompt ?? "", reference ?? "", ...byName.map((scores) => (scores.has(name) ? String(scores.get(name)) : ""))];
    });
  return [["name", "prompt", "reference", ...scored.map(({ metric }) => metric)], ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
