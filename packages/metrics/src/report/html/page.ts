import {
  type EvaluatedItem,
  type EvaluatedMetric,
  type Evaluation,
  type HistoryEntry,
  metricTitles,
  rankedScores,
} from "../../evaluate/evaluation.js";
import { itemNameOf } from "../../evaluate/plan.js";
import type { ImageScore, MetricName } from "../../metrics/contract.js";
import { arrowOf, compareValues, countOf, formatChange, formatInterval, formatSeconds, formatValue } from "../format.js";
import { histogram, sparkline } from "./charts.js";
import { html, type Markup, raw } from "./markup.js";
import { style } from "./style.js";
import { Thumbnails } from "./thumbnails.js";

export interface HtmlOptions {
  /** How many of the worst pictures of each metric, and how many of the best. Default 6. */
  readonly pictures?: number;
  /** Pixels of a thumbnail's longer side. Default 288. */
  readonly thumbnail?: number;
  readonly signal?: AbortSignal;
}

/** Files of a list; a page of a hundred thousand lines helps nobody. */
const mostListed = 500;

/**
 * The evaluation as one HTML page that needs nothing but itself: no script, no font, no picture from elsewhere. It reads the pictures of
 * `items` to make thumbnails; those that are gone are left out.
 */
export async function evaluationToHtml(evaluation: Evaluation, options: HtmlOptions = {}): Promise<string> {
  const thumbnails = new Thumbnails(options.thumbnail ?? 288);
  const sections: Markup[] = [];
  for (const metric of evaluation.metrics) {
    options.signal?.throwIfAborted();
    sections.push(await metricSection(metric, evaluation, thumbnails, options.pictures ?? 6));
  }
  const { label } = evaluation;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="@refadgen/metrics ${evaluation.tool.version}">
<title>${label} – image metrics</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
${header(evaluation)}
${summaryTable(evaluation)}
${historySection(evaluation)}
${sections}
${filesSection(evaluation)}
${methodSection(evaluation)}
<footer>Written by @refadgen/metrics ${evaluation.tool.version} on ${when(evaluation.createdAt)}; this file needs no network.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function header({ label, gates, passed, createdAt, counts, seconds, notRun, warnings, metrics }: Evaluation): Markup {
  const failed = gates.filter((gate) => !gate.passed);
  const state = gates.length === 0 ? "measured" : passed ? "passed" : "failed";
  const verdict = {
    measured: "Measured, no gates set",
    passed: `Passed: ${gates.length === 1 ? "the gate holds" : `all ${gates.length} gates hold`}`,
    failed: `Failed: ${failed.length} of ${countOf(gates.length, "gate")}`,
  }[state];
  const notes = [...warnings, ...metrics.flatMap((metric) => metric.warnings.map((warning) => `${metricTitles[metric.metric]}: ${warning}`))];
  return html`<header>
<h1>${label}</h1>
<p class="soft">${when(createdAt)} · ${Object.entries(counts)
    .map(([what, count]) => `${count} ${words(what)}`)
    .join(", ")} · ${formatSeconds(seconds)}</p>
<p class="verdict ${state}">${verdict}</p>
${(failed.length > 0 || notRun.length > 0) && html`<ul class="alerts">${failed.map(({ message }) => html`<li>${message}</li>`)}${notRun.map((metric) => html`<li>${metricTitles[metric]} was not run: an earlier metric failed</li>`)}</ul>`}
${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<nav aria-label="Sections"><a href="#summary">Summary</a>${metrics.map(({ metric }) => html` <a href="#${metric}">${metricTitles[metric]}</a>`)} <a href="#files">Files</a> <a href="#method">Method</a></nav>
</header>`;
}

function summaryTable(evaluation: Evaluation): Markup {
  const { metrics, gates, history } = evaluation;
  const baseline = history.at(-1);
  const level = metrics.find(({ interval }) => interval)?.interval?.level ?? 0.95;
  const interval = `${Math.round(level * 100)} % interval`;
  return html`<h2 id="summary">Summary</h2>
<table class="cards">
<caption>↑ higher is better, ↓ lower is better.${baseline && ` Baseline: ${baseline.label}, ${when(baseline.createdAt)}.`}</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="right">Value</th><th scope="col" class="right">${interval}</th><th scope="col" class="right">n</th><th scope="col">Recipe</th>${
    baseline && html`<th scope="col" class="right">Baseline</th><th scope="col">History</th>`
  }${gates.length > 0 && html`<th scope="col">Gate</th>`}</tr></thead>
<tbody>
${metrics.map((metric) => summaryRow(metric, evaluation, interval))}
</tbody>
</table>`;
}

function summaryRow(metric: EvaluatedMetric, { gates, history }: Evaluation, interval: string): Markup {
  const baseline = history.at(-1);
  const before = baseline?.values[metric.metric];
  const own = gates.filter((gate) => gate.metric === metric.metric);
  const title = metricTitles[metric.metric];
  const past = history.flatMap(({ values }) => values[metric.metric] ?? []);
  return html`<tr><th scope="row"><a href="#${metric.metric}">${title}</a> <span aria-hidden="true">${arrowOf(metric)}</span></th><td class="value num right">${formatValue(
    metric.value,
  )}</td><td class="num right" data-label="${interval}">${formatInterval(metric)}</td><td class="num right" data-label="n">${metric.n}</td><td data-label="Recipe">${metric.recipe}</td>${
    baseline &&
    html`<td class="num right" data-label="Baseline">${
      before === undefined
        ? "new"
        : html`${formatValue(before)} <span class="${compareValues(metric, metric.value, before)}">${formatChange(metric.value, before)}${changeWord(metric, before)}</span>`
    }</td><td data-label="History">${before === undefined ? "" : sparkline([...past, metric.value], `${title} over time`)}</td>`
  }${gates.length > 0 && html`<td class="wide">${gateTags(own)}</td>`}</tr>
`;
}

function gateTags(gates: Evaluation["gates"]): Markup | "" {
  if (gates.length === 0) return "";
  return html`${gates.map(({ passed, rule, kind }) => html`<span class="tag ${passed ? "passed" : "failed"}"><span aria-hidden="true">${passed ? "✓" : "✗"}</span> ${kind === "regression" ? `regression ≤ ${rule.replace(/^.*[=:]/, "")}` : rule}</span> `)}`;
}

function changeWord(metric: EvaluatedMetric, before: number): string {
  return { better: " better", worse: " worse", same: "" }[compareValues(metric, metric.value, before)];
}

function historySection({ history, metrics, label, createdAt }: Evaluation): Markup {
  if (history.length === 0) return html``;
  const runs: readonly HistoryEntry[] = [
    ...history,
    { label, createdAt, values: Object.fromEntries(metrics.map(({ metric, value }) => [metric, value])) },
  ];
  const names = (Object.keys(metricTitles) as MetricName[]).filter((name) => runs.some(({ values }) => values[name] !== undefined));
  return html`<h2 id="history">History</h2>
<div class="scroll" tabindex="0" role="region" aria-label="History of runs">
<table>
<caption>${countOf(runs.length, "run")}, the latest first.</caption>
<thead><tr><th scope="col">Run</th><th scope="col">When</th>${names.map((name) => html`<th scope="col" class="right">${metricTitles[name]}</th>`)}</tr></thead>
<tbody>${[...runs].reverse().map(
    (run, index) =>
      html`<tr><th scope="row">${run.label}${index === 0 && html` <span class="soft small">this run</span>`}${index === 1 && html` <span class="soft small">baseline</span>`}</th><td class="num">${when(run.createdAt)}</td>${names.map(
        (name) => html`<td class="num right">${run.values[name] === undefined ? "" : formatValue(run.values[name])}</td>`,
      )}</tr>
`,
  )}</tbody>
</table>
</div>`;
}

async function metricSection(metric: EvaluatedMetric, { items, gates }: Evaluation, thumbnails: Thumbnails, most: number): Promise<Markup> {
  const title = metricTitles[metric.metric];
  const ranked = rankedScores(metric);
  const byName = new Map(items.map((item) => [item.name, item]));
  const own = gates.filter((gate) => gate.metric === metric.metric);
  const show = async (scores: readonly ImageScore[]) =>
    html`<ol class="pictures">${await Promise.all(scores.map((score) => picture(score, byName.get(score.name) ?? byName.get(itemNameOf(score.name)), thumbnails)))}</ol>`;
  const details = Object.entries(metric.details);
  const numbers = `${formatValue(metric.value)}${metric.interval ? ` (${Math.round(metric.interval.level * 100)} %: ${formatInterval(metric)})` : ""}, ${Object.entries(
    metric.counts,
  )
    .map(([what, count]) => `${count} ${words(what)}`)
    .join(", ")}`;
  return html`<section aria-labelledby="${metric.metric}">
<h2 id="${metric.metric}">${title} <span aria-hidden="true">${arrowOf(metric)}</span></h2>
<p><span class="num">${numbers}</span> <span class="soft">· recipe ${metric.recipe}${details.length > 0 && ` · ${details.map(([name, value]) => `${words(name)} ${formatValue(value)}`).join(", ")}`}</span></p>
${own.map((gate) => html`<p><span class="tag ${gate.passed ? "passed" : "failed"}">${gate.passed ? "✓ holds" : "✗ missed"}</span> ${gate.message}</p>`)}
${histogram(
  ranked.map(({ value }) => value),
  metric.value,
  `${title} of all pictures`,
)}
${
  ranked.length === 0
    ? html`<p class="soft small">${title} compares whole sets: there are no scores per picture.</p>`
    : ranked.length <= 2 * most
      ? html`<h3>All pictures, worst first</h3>${await show(ranked)}`
      : html`<h3>Worst ${most} of ${ranked.length}</h3>${await show(ranked.slice(0, most))}<h3>Best ${most}</h3>${await show(ranked.slice(-most).reverse())}`
}
</section>
`;
}

async function picture({ name, value }: ImageScore, item: EvaluatedItem | undefined, thumbnails: Thumbnails): Promise<Markup> {
  const number = Number(/ \[(\d+)\]$/.exec(name)?.[1] ?? "1");
  const reference = item?.references[item.name === name ? 0 : number - 1];
  const parts: readonly (readonly [string, string | undefined])[] = [
    ["product", reference],
    ["ad", item?.generated],
    ["mask", item?.mask],
  ];
  const shown = parts.filter((part): part is readonly [string, string] => part[1] !== undefined);
  const captions: Readonly<Record<string, string>> = { product: "reference", ad: "generated", mask: "mask" };
  const figures = await Promise.all(
    shown.map(async ([role, path]) => {
      const thumbnail = await thumbnails.of(path);
      return html`<figure>${
        thumbnail
          ? html`<img src="${thumbnail.source}" width="${thumbnail.width}" height="${thumbnail.height}" alt="${captions[role]} picture of ${name}">`
          : html`<div class="absent">cannot be shown</div>`
      }<figcaption>${captions[role]}</figcaption></figure>`;
    }),
  );
  return html`<li><div class="triplet">${figures}</div><div class="about"><span class="name">${name}</span><strong class="num">${formatValue(value)}</strong></div>${
    item?.prompt !== undefined && html`<p class="prompt">${item.prompt}</p>`
  }</li>`;
}

function filesSection({ unmatched, skipped, inputs }: Evaluation): Markup {
  const list = (files: readonly { readonly role: string; readonly name: string; readonly reason: string }[], title: string) =>
    files.length > 0 &&
    html`<details${files.length <= 10 && raw(" open")}><summary>${title} (${files.length})</summary><ul>${files
      .slice(0, mostListed)
      .map(({ role, name, reason }) => html`<li>${role.replace("-", " ")} <code>${name}</code>: ${reason}</li>`)}${
      files.length > mostListed && html`<li>… and ${files.length - mostListed} more, which the JSON report lists</li>`
    }</ul></details>`;
  return html`<section aria-labelledby="files">
<h2 id="files">Files</h2>
<ul>${Object.entries(inputs).map(([role, path]) => html`<li>${words(role)}: <code>${path}</code></li>`)}</ul>
${unmatched.length + skipped.length === 0 && html`<p>Every file was used.</p>`}
${list(unmatched, "Without a partner")}
${list(skipped, "Skipped")}
</section>`;
}

function methodSection({ metrics }: Evaluation): Markup {
  return html`<section aria-labelledby="method">
<h2 id="method">Method</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Recipes and weights">
<table>
<caption>Values of two recipes, settings or weights must not be compared.</caption>
<thead><tr><th scope="col">Metric</th><th scope="col">Recipe</th><th scope="col">Settings</th><th scope="col">Weights</th><th scope="col" class="right">Time</th></tr></thead>
<tbody>${metrics.map(
    ({ metric, recipe, settings, networks, seconds, cached }) =>
      html`<tr><th scope="row">${metricTitles[metric]}</th><td>${recipe}</td><td class="small">${Object.entries(settings)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(
          ", ",
        )}</td><td class="small">${networks.map(({ name, key }) => html`${name} <code>${key.slice(0, 12)}</code> `)}</td><td class="num right">${formatSeconds(seconds)}${
        cached > 0 && html` <span class="soft small">${cached} from the cache</span>`
      }</td></tr>
`,
  )}</tbody>
</table>
</div>
</section>`;
}

function when(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** `productMasks` → `product masks`. */
function words(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
