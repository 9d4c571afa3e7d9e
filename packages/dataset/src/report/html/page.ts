import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { DatasetReportData, DuplicateCluster, RejectionCounts, ReportTriplet } from "../data.js";
import { countOf, formatCount, formatShare } from "../format.js";
import { type ComparedCategory, type ReportSummary, tableOneShare } from "../summary.js";
import { html, jsonScript, type Markup, raw } from "./markup.js";
import { scoreCard } from "./score-card.js";
import { reportStyle } from "./style.js";
import { type ThresholdData, thresholdData } from "./threshold-data.js";
import { Thumbnails } from "./thumbnails.js";

export interface HtmlOptions {
  /** Pixels of a thumbnail's longer side. Default 224. */
  readonly thumbnail: number;
  /** Pictures in the whole page. */
  readonly mostPictures: number;
  /** Pictures of a reason or of a group of duplicates. */
  readonly picturesEach: number;
  /** Triplets and groups of duplicates. */
  readonly samples: number;
  /** Items whose scores are in the page. */
  readonly mostItems: number;
  readonly signal: AbortSignal | undefined;
}

/** Rows of a table; what is beyond is in the JSON report. */
const mostListed = 200;

/** One page that needs nothing but itself; see `datasetReport`. */
export async function reportHtml(data: DatasetReportData, summary: ReportSummary, options: HtmlOptions): Promise<string> {
  const thumbnails = new Thumbnails(options.thumbnail, options.mostPictures, options.signal);
  const movable = thresholdData(data.scores, summary.scores, options.mostItems);
  const script = await scriptOf("./script.js");
  const live = movable.thresholds.length > 0;
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${live ? hashOf(script) : "'none'"}; base-uri 'none'; form-action 'none'`;
  // Samples come first for the pictures: of a report with too many, these are the last to go.
  const samples = await samplesSection(data.triplets, thumbnails, options);
  const rejections = await rejectionsSection(data.rejections, summary, thumbnails, options);
  const duplicates = await duplicatesSection(data, thumbnails, options);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="@refadgen/dataset">
<meta name="referrer" content="no-referrer">
<title>${summary.title} – dataset report</title>
<style>${raw(reportStyle)}</style>
</head>
<body>
<main>
${header(summary)}
${stagesSection(summary)}
${categoriesSection(summary)}
${samples}
${rejections}
${scoresSection(summary, movable)}
${duplicates}
${failuresSection(summary)}
${settingsSection(summary)}
<footer>Written by @refadgen/dataset; this file needs no network.</footer>
</main>
${
  live &&
  html`<script type="application/json" id="threshold-data">${jsonScript(movable)}</script>
<script type="application/json" id="score-names">${jsonScript(summary.scores.map(({ name }) => name))}</script>
<script type="module">${raw(script)}</script>`
}
</body>
</html>
`;
  return page.text;
}

/** A compiled script that goes into a page. */
export async function scriptOf(name: string, from: string = import.meta.url): Promise<string> {
  const text = await readFile(new URL(name, from), "utf8");
  // The page has no source map, and a browser would look for it.
  return `\n${text.replace(/^\/\/# sourceMappingURL=.*$/m, "").trim()}\n`;
}

/** How a policy names an inline script or style. */
export function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function header({ title, facts, items, triplets, rows, notes }: ReportSummary): Markup {
  return html`<header>
<h1>${title}</h1>
<p class="lead num"><strong>${formatCount(triplets)}</strong> triplets, ${countOf(rows, "row")}, from ${countOf(items, "picture")} <span class="soft">(${formatShare(triplets, items)})</span></p>
${Object.keys(facts).length > 0 && html`<p class="soft small">${Object.entries(facts).map(([name, value], index) => html`${index > 0 && " · "}${name} ${value}`)}</p>`}
${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<nav aria-label="Sections"><a href="#stages">Stages</a> <a href="#categories">Categories</a> <a href="#samples">Samples</a> <a href="#rejections">Rejections</a> <a href="#scores">Scores</a> <a href="#duplicates">Duplicates</a> <a href="#failures">Failures</a> <a href="#settings">Settings</a></nav>
</header>`;
}

function stagesSection({ stages, items }: ReportSummary): Markup {
  const part = (count: number, kind: string) =>
    count > 0 && html`<i class="${kind}" style="width:${((100 * count) / Math.max(1, items)).toFixed(2)}%"></i>`;
  return html`<section aria-labelledby="stages">
<h2 id="stages">Stages</h2>
<ul class="key"><li><i class="done"></i>done</li><li><i class="rejected"></i>rejected</li><li><i class="failed"></i>failed</li></ul>
<table class="cards four">
<thead><tr><th scope="col">Stage</th><th scope="col">Of all pictures</th><th scope="col" class="right">Done</th><th scope="col" class="right">Rejected</th><th scope="col" class="right">Failed</th><th scope="col" class="right">Waiting</th></tr></thead>
<tbody>${stages.map(
    ({ stage, done, rejected, failed, waiting }) =>
      html`<tr><th scope="row">${stage}</th><td class="wide"><div class="meter" aria-hidden="true">${part(done, "done")}${part(rejected, "rejected")}${part(failed, "failed")}</div></td><td class="right" data-label="Done">${formatCount(done)}</td><td class="right" data-label="Rejected">${formatCount(rejected)}</td><td class="right${failed > 0 && " bad"}" data-label="Failed">${formatCount(failed)}</td><td class="right" data-label="Waiting">${formatCount(waiting)}</td></tr>
`,
  )}</tbody>
</table>
</section>`;
}

function categoriesSection({ categories, rows }: ReportSummary): Markup {
  const present = categories.filter(({ items, rows: own }) => items + own > 0);
  const absent = categories.filter((category) => !present.includes(category));
  const widest = Math.max(...categories.map(({ rows: own, tableOne = 0 }) => Math.max(rows === 0 ? 0 : own / rows, tableOneShare(tableOne))), 1e-9);
  const split = present.some(({ train, test }) => train !== undefined || test !== undefined);
  const bar = (share: number, kind: string) =>
    html`<div class="meter"><i class="${kind}" style="width:${((100 * share) / widest).toFixed(1)}%"></i></div>`;
  const paper = ({ tableOne }: ComparedCategory) =>
    tableOne === undefined ? "" : html`${formatCount(tableOne)} <span class="soft">${formatShare(tableOneShare(tableOne), 1)}</span>`;
  const line = (category: ComparedCategory) =>
    html`<tr><th scope="row">${category.category}</th><td class="wide"><div class="pair" aria-hidden="true">${bar(rows === 0 ? 0 : category.rows / rows, "done")}${bar(tableOneShare(category.tableOne ?? 0), "paper")}</div></td><td class="right" data-label="Pictures">${formatCount(category.items)}</td><td class="right" data-label="Triplets">${formatCount(category.triplets)}</td><td class="right" data-label="Rows, share">${formatCount(category.rows)} <span class="soft">${formatShare(category.rows, rows)}</span></td><td class="right" data-label="Table 1, share">${paper(category)}</td>${split && html`<td class="right" data-label="Train / test">${formatCount(category.train ?? 0)} / ${formatCount(category.test ?? 0)}</td>`}</tr>
`;
  return html`<section aria-labelledby="categories">
<h2 id="categories">Categories beside Table 1</h2>
<p class="soft small">Table 1 of the paper counts the rows of AdProd-100K; a row is one variant of a triplet.</p>
<ul class="key"><li><i class="done"></i>share of these rows</li><li><i class="paper"></i>share in Table 1</li></ul>
${
  present.length > 0 &&
  html`<table class="cards">
<thead><tr><th scope="col">Category</th><th scope="col">Share</th><th scope="col" class="right">Pictures</th><th scope="col" class="right">Triplets</th><th scope="col" class="right">Rows</th><th scope="col" class="right">Table 1</th>${split && html`<th scope="col" class="right">Train / test</th>`}</tr></thead>
<tbody>${present.slice(0, mostListed).map(line)}</tbody>
</table>`
}
${present.length > mostListed && html`<p class="soft small">… and ${formatCount(present.length - mostListed)} more, which the JSON report lists</p>`}
${
  absent.length > 0 &&
  html`<details${present.length === 0 && raw(" open")}><summary>${formatCount(absent.length)} of Table 1 that this set does not have</summary><ul class="columns">${absent.slice(0, mostListed).map((category) => html`<li>${category.category} <span class="num">${paper(category)}</span></li>`)}</ul></details>`
}
</section>`;
}

async function picture(thumbnails: Thumbnails, source: Parameters<Thumbnails["of"]>[0], alt: string, caption: Markup | string): Promise<Markup> {
  return figure(await thumbnails.of(source), alt, caption);
}

function figure(thumbnail: Awaited<ReturnType<Thumbnails["of"]>>, alt: string, caption: Markup | string): Markup {
  return html`<figure>${
    thumbnail
      ? html`<img src="${thumbnail.source}" width="${thumbnail.width}" height="${thumbnail.height}" alt="${alt}" loading="lazy">`
      : html`<div class="absent">cannot be shown</div>`
  }<figcaption>${caption}</figcaption></figure>`;
}

async function samplesSection(triplets: readonly ReportTriplet[], thumbnails: Thumbnails, { samples }: HtmlOptions): Promise<Markup> {
  const cards: Markup[] = [];
  for (const triplet of triplets.slice(0, samples)) {
    const { key, category, split, captions } = triplet;
    const shown = [
      await picture(thumbnails, triplet.ad, `ad ${key}`, "ad"),
      figure(await thumbnails.overlay(triplet.ad, triplet.mask), `ad ${key}, all but the product dimmed`, "mask"),
      await picture(thumbnails, triplet.product, `product of ${key}`, "product"),
    ];
    const variants: Markup[] = [];
    for (const variant of triplet.variants.slice(0, 5)) {
      variants.push(
        await picture(
          thumbnails,
          variant.product,
          `variant ${variant.index} of ${key}`,
          `_${String(variant.index).padStart(2, "0")} ${variant.kind}`,
        ),
      );
    }
    cards.push(html`<li class="card"><div class="head"><h3>${category}</h3><span class="soft small">${key}${split !== undefined && ` · ${split}`}</span></div>
<div class="triplet">${shown}</div>
${variants.length > 0 && html`<div class="triplet variants">${variants}</div>`}
<ol class="captions">${captions.slice(0, 16).map((caption) => html`<li>${caption.slice(0, 1000)}</li>`)}</ol></li>
`);
  }
  return html`<section aria-labelledby="samples">
<h2 id="samples">Sample triplets</h2>
${cards.length === 0 ? html`<p class="soft">None.</p>` : html`<ul class="triplets">${cards}</ul>`}
</section>`;
}

async function rejectionsSection(
  groups: readonly RejectionCounts[],
  summary: ReportSummary,
  thumbnails: Thumbnails,
  { picturesEach }: HtmlOptions,
): Promise<Markup> {
  const ordered = summary.rejections.map(({ stage, code }) => groups.find((group) => group.stage === stage && group.code === code)!);
  const cards: Markup[] = [];
  for (const { stage, code, message, count, samples } of ordered.slice(0, mostListed)) {
    const shown: Markup[] = [];
    for (const sample of samples.slice(0, picturesEach))
      shown.push(html`<li>${await picture(thumbnails, sample.picture, `rejected: ${code}`, sample.key)}</li>`);
    cards.push(html`<div class="card"><div class="head"><h3>${code}</h3><span class="soft small num">${countOf(count, "item")} · ${formatShare(count, summary.items)} of all · ${stage}</span></div>
<p class="small">${message}</p>${shown.length > 0 && html`<ul class="thumbs">${shown}</ul>`}</div>
`);
  }
  return html`<section aria-labelledby="rejections">
<h2 id="rejections">Why pictures were rejected</h2>
${cards.length === 0 ? html`<p class="soft">None was.</p>` : html`<div class="reasons">${cards}</div>`}
</section>`;
}

function scoresSection({ scores, passing }: ReportSummary, movable: ThresholdData): Markup {
  const numbered = movable.thresholds.map((threshold, index) => ({ ...threshold, index }));
  return html`<section aria-labelledby="scores">
<h2 id="scores">Scores and thresholds</h2>
${
  scores.length === 0
    ? html`<p class="soft">No scores.</p>`
    : html`<div class="whatif"><span><strong class="num" id="passing" aria-live="polite">${formatCount(passing.items)} of ${formatCount(passing.of)}</strong> pass all thresholds (<span class="num" id="passing-share">${formatShare(passing.items, passing.of)}</span>)</span><button type="button" id="reset" data-live hidden>As in the run</button></div>
<p class="soft small" data-live hidden>Move a threshold to see what it would do; nothing is changed. Arrow keys take one step, Page Up and Page Down ten.${
        movable.shown < movable.of &&
        ` Counts are estimated from ${formatCount(movable.shown)} of ${formatCount(movable.of)} items; those without script were counted on all.`
      }</p>
<div class="scores">${scores.map((score, index) =>
        scoreCard(
          score,
          index,
          numbered.filter((threshold) => threshold.score === index),
          passing.of,
        ),
      )}</div>
<details data-live hidden><summary>Thresholds as they stand, for the configuration</summary><pre id="chosen"></pre></details>`
}
</section>`;
}

async function duplicatesSection({ duplicates }: DatasetReportData, thumbnails: Thumbnails, { samples, picturesEach }: HtmlOptions): Promise<Markup> {
  const groups: Markup[] = [];
  for (const { members, size } of duplicates.samples.slice(0, samples))
    groups.push(await groupCard(members, size, groups.length + 1, thumbnails, picturesEach));
  return html`<section aria-labelledby="duplicates">
<h2 id="duplicates">Near-duplicates</h2>
<p>${countOf(duplicates.clusters, "group")} of ${countOf(duplicates.items, "picture")}${duplicates.clusters > groups.length && groups.length > 0 && `; the first ${groups.length === 1 ? "is" : `${groups.length} are`} shown`}.</p>
${groups.length > 0 && html`<div class="groups">${groups}</div>`}
</section>`;
}

async function groupCard(members: DuplicateCluster["members"], size: number, number: number, thumbnails: Thumbnails, most: number): Promise<Markup> {
  const shown: Markup[] = [];
  for (const { key, kept, note, picture: source } of members.slice(0, most)) {
    shown.push(
      html`<li>${await picture(thumbnails, source, `${kept ? "kept" : "left out"}: ${key}`, html`${kept && html`<strong class="good">kept</strong> `}${key}${note !== undefined && html`<br>${note}`}`)}</li>`,
    );
  }
  return html`<div class="card"><div class="head"><h3>Group ${number}</h3><span class="soft small num">${countOf(size, "picture")}</span></div><ul class="thumbs">${shown}</ul></div>
`;
}

function failuresSection({ failures }: ReportSummary): Markup {
  return html`<section aria-labelledby="failures">
<h2 id="failures">Failures</h2>
${
  failures.length === 0
    ? html`<p class="soft">None.</p>`
    : html`<table class="cards">
<thead><tr><th scope="col">Cause</th><th scope="col">Stage</th><th scope="col" class="right">Items</th><th scope="col">Try again</th><th scope="col">For example</th></tr></thead>
<tbody>${failures.slice(0, mostListed).map(
        ({ stage, code, message, count, keys, retryable }) =>
          html`<tr><th scope="row">${code}</th><td data-label="Stage">${stage}</td><td class="right" data-label="Items">${formatCount(count)}</td><td data-label="Try again">${retryable ? "may help" : "no use"}</td><td class="wide small" data-label="For example">${message.slice(0, 500)}${keys.length > 0 && html`<br><span class="soft">${keys.slice(0, 5).join(", ")}${count > keys.slice(0, 5).length && " …"}</span>`}</td></tr>
`,
      )}</tbody>
</table>`
}
</section>`;
}

function settingsSection({ settings }: ReportSummary): Markup {
  return html`<section aria-labelledby="settings">
<h2 id="settings">Settings</h2>
<details><summary>Everything that the result depends on</summary><pre>${JSON.stringify(settings, undefined, 2)}</pre></details>
</section>`;
}
