import { formatCount, formatShare, formatValue } from "./format.js";
import { type ReportSummary, tableOneShare } from "./summary.js";

const mostListed = 40;

/** The report as GitHub-flavoured Markdown: the counts, without pictures. */
export function reportMarkdown(summary: ReportSummary): string {
  const { title, facts, stages, items, triplets, rows, categories, rejections, failures, scores, passing, duplicates, notes, settings } = summary;
  return [
    `# ${plain(title)}`,
    "",
    `${formatCount(triplets)} triplets (${formatCount(rows)} rows) from ${formatCount(items)} pictures.`,
    "",
    ...Object.entries(facts).map(([name, value]) => `- ${plain(name)}: ${plain(String(value))}`),
    ...(Object.keys(facts).length > 0 ? [""] : []),
    ...notes.flatMap((note) => [`> ${plain(note)}`, ""]),
    "## Stages",
    "",
    ...table(
      ["Stage", "Done", "Rejected", "Failed", "Waiting"],
      stages.map(({ stage, done, rejected, failed, waiting }) => [plain(stage), ...[done, rejected, failed, waiting].map(formatCount)]),
    ),
    "## Categories beside Table 1",
    "",
    ...table(
      ["Category", "Pictures", "Triplets", "Rows", "Share", "Table 1", "Its share", "Train", "Test"],
      categories.map(({ category, items: pictures, triplets: own, rows: ownRows, tableOne, train, test }) => [
        plain(category),
        ...[pictures, own, ownRows].map(formatCount),
        formatShare(ownRows, rows),
        tableOne === undefined ? "" : formatCount(tableOne),
        tableOne === undefined ? "" : formatShare(tableOneShare(tableOne), 1),
        ...[train, test].map((count) => (count === undefined ? "" : formatCount(count))),
      ]),
    ),
    "## Rejections",
    "",
    ...listed(["Stage", "Reason", "Items", "For example"], rejections, ({ stage, code, count, message }) => [
      plain(stage),
      plain(code),
      formatCount(count),
      plain(message),
    ]),
    "## Scores",
    "",
    `${formatCount(passing.items)} of ${formatCount(passing.of)} items are within all thresholds.`,
    "",
    ...listed(
      ["Score", "Least", "Median", "Most", "Threshold", "Rejects", "It alone"],
      scores,
      ({ name, unit, low, median, high, least, most, rejects, rejectsAlone }) => [
        plain(unit === undefined ? name : `${name}, ${unit}`),
        ...[low, median, high].map(formatValue),
        [least !== undefined && `≥ ${formatValue(least)}`, most !== undefined && `≤ ${formatValue(most)}`]
          .filter((part) => part !== false)
          .join(" and "),
        ...[rejects, rejectsAlone].map(formatCount),
      ],
    ),
    "## Duplicates",
    "",
    `${formatCount(duplicates.clusters)} groups of ${formatCount(duplicates.items)} pictures.`,
    "",
    "## Failures",
    "",
    ...listed(["Stage", "Cause", "Items", "Try again", "For example"], failures, ({ stage, code, count, retryable, message }) => [
      plain(stage),
      plain(code),
      formatCount(count),
      retryable ? "yes" : "no",
      plain(message),
    ]),
    "## Settings",
    "",
    ...fenced(JSON.stringify(settings, undefined, 2)),
    "",
  ].join("\n");
}

function listed<T>(header: readonly string[], rows: readonly T[], cells: (row: T) => readonly string[]): string[] {
  if (rows.length === 0) return ["None.", ""];
  const more = rows.length > mostListed ? [`… and ${rows.length - mostListed} more, which the JSON report lists.`, ""] : [];
  return [...table(header, rows.slice(0, mostListed).map(cells)), ...more];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line), ""];
}

/** Text that stays text: no markup, no link, no table, no mention. */
function plain(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]()#|!~>]/g, "\\$&")
    .replaceAll(/(?<=\w):(?=\/\/)|(?<=\bwww)\.|@/gi, (sign) => `${sign}\u2060`);
}

function fenced(text: string): string[] {
  const ticks = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return [`${ticks}json`, text, ticks];
}
