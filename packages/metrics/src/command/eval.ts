import { ArgumentError } from "@refadgen/errors";
import type { ResizeFilter } from "@refadgen/image";
import { type EvaluateOptions, type EvaluationInput, evaluate } from "../evaluate/evaluate.js";
import type { Evaluation } from "../evaluate/evaluation.js";
import { evaluationToJson } from "../evaluate/evaluation-json.js";
import { type MetricName, metricNames } from "../metrics/contract.js";
import type { LpipsBackbone } from "../networks/contract.js";
import { evaluationToCsv } from "../report/csv.js";
import { evaluationToHtml } from "../report/html/page.js";
import { evaluationToJunit } from "../report/junit.js";
import { evaluationToMarkdown } from "../report/markdown.js";
import { evaluationToText } from "../report/text.js";
import { appendToStepSummary, expectWritable, writeWhole } from "./outputs.js";
import { createReporter } from "./progress.js";
import { networkOptionsOf, type WeightSettings } from "./weight-settings.js";

/** The options of `refadgen-metrics eval`, as commander gives them. */
export interface EvalSettings extends WeightSettings {
  readonly generated?: string;
  readonly reference?: string;
  readonly prompts?: string;
  readonly masks?: string;
  readonly productMasks?: string;
  readonly manifest?: string;
  readonly real?: string;
  readonly pairing?: "exact" | "variants";
  readonly resizeReferences?: ResizeFilter;
  readonly metrics?: readonly MetricName[];
  readonly recipe?: readonly string[];
  readonly set?: readonly string[];
  readonly lpips?: LpipsBackbone;
  readonly clip?: "b-32" | "b-16" | "l-14";
  readonly dino?: "s-16" | "b-16";
  readonly matching?: "dift" | "dino";
  readonly seed?: number;
  readonly interval: boolean;
  readonly threshold?: readonly string[];
  readonly baseline?: string;
  readonly maxRegression?: readonly string[];
  readonly significance?: number;
  readonly failFast?: boolean;
  readonly strict?: boolean;
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly csv?: string;
  /** `true`: without a file. */
  readonly markdown?: string | true;
  readonly label?: string;
  readonly quiet?: boolean;
}

/** Measures, writes the reports, and says whether every gate holds. */
export async function evalCommand(settings: EvalSettings, signal: AbortSignal): Promise<boolean> {
  const input = inputOf(settings);
  const options = optionsOf(settings);
  const { json, junit, html, csv, markdown } = settings;
  const files = [json === "-" ? undefined : json, junit, html, csv, markdown === true ? undefined : markdown];
  await expectWritable(files.filter((file) => file !== undefined));

  const reporter = createReporter({ quiet: settings.quiet ?? false, stderr: process.stderr });
  let evaluation: Evaluation;
  try {
    evaluation = await evaluate(input, { ...options, signal, onProgress: reporter.progress, onResult: reporter.result });
  } finally {
    reporter.end();
  }
  await writeReports(evaluation, settings, signal);
  print(evaluation, settings);
  return evaluation.passed;
}

function inputOf({ generated, manifest, reference, prompts, masks, productMasks, real, pairing }: EvalSettings): EvaluationInput {
  if (manifest !== undefined) {
    const others = Object.entries({ generated, reference, prompts, masks, productMasks, pairing }).filter(([, value]) => value !== undefined);
    if (others.length > 0)
      throw new ArgumentError(`--manifest says what belongs together: leave out --${others.map(([name]) => name.replace("M", "-m")).join(", --")}`);
    return { manifest, ...(real !== undefined && { real }) };
  }
  if (generated === undefined) throw new ArgumentError("eval: expected --generated FOLDER or --manifest FILE, got neither");
  const given = { reference, prompts, masks, productMasks, real, pairing };
  return { generated, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function optionsOf(settings: EvalSettings): EvaluateOptions {
  const { metrics, threshold, baseline, maxRegression, significance, failFast, strict, resizeReferences, label, seed, cache } = settings;
  const { lpips, clip, dino, matching } = settings;
  const recipes = Object.fromEntries((settings.recipe ?? []).map(recipeOf));
  const options = metricOptions(settings.set ?? []);
  return {
    ...networkOptionsOf(settings),
    ...(metrics && { metrics }),
    recipes,
    options,
    ...(threshold && { thresholds: threshold }),
    ...(baseline !== undefined && { baseline }),
    ...(maxRegression && { maxRegression }),
    ...(significance !== undefined && { significance }),
    ...(failFast && { failFast }),
    ...(strict && { strict }),
    ...(resizeReferences && { resizeReferences }),
    ...(label !== undefined && { label }),
    ...(seed !== undefined && { seed }),
    ...(settings.interval ? {} : { interval: false as const }),
    ...(cache === false && { cache: false }),
    ...(lpips && { lpips }),
    ...(clip && { clip: `clip-vit-${clip}` as const }),
    ...(dino && { dino: `dino-vit-${dino}` as const }),
    ...(matching && { matching }),
  };
}

function recipeOf(text: string): [string, string] {
  const [metric = "", recipe = ""] = text.split("=");
  if (!(metricNames as readonly string[]).includes(metric) || recipe === "")
    throw new ArgumentError(`--recipe: expected METRIC=RECIPE, as in fid=clean-fid, got "${text}"`);
  return [metric, recipe];
}

function metricOptions(settings: readonly string[]): NonNullable<EvaluateOptions["options"]> {
  const options: Record<string, Record<string, string | number | boolean>> = {};
  for (const text of settings) {
    const [, metric = "", option = "", value = ""] = /^([a-z-]+)\.([A-Za-z]\w*)=(.+)$/.exec(text) ?? [];
    if (!(metricNames as readonly string[]).includes(metric))
      throw new ArgumentError(`--set: expected METRIC.OPTION=VALUE, as in kid.subsets=50, got "${text}"`);
    const number = Number(value);
    options[metric] = { ...options[metric], [option]: value === "true" ? true : value === "false" ? false : Number.isNaN(number) ? value : number };
  }
  return options;
}

async function writeReports(evaluation: Evaluation, { json, junit, html, csv, markdown }: EvalSettings, signal: AbortSignal): Promise<void> {
  if (json === "-") process.stdout.write(evaluationToJson(evaluation));
  else if (json !== undefined) await writeWhole(json, evaluationToJson(evaluation));
  if (junit !== undefined) await writeWhole(junit, evaluationToJunit(evaluation));
  if (csv !== undefined) await writeWhole(csv, evaluationToCsv(evaluation));
  if (html !== undefined) await writeWhole(html, await evaluationToHtml(evaluation, { signal }));
  if (markdown === undefined) return;
  const summary = process.env.GITHUB_STEP_SUMMARY;
  const text = evaluationToMarkdown(evaluation);
  if (markdown !== true) await writeWhole(markdown, text);
  else if (summary) await appendToStepSummary(summary, text);
  else process.stdout.write(text);
}

function print(evaluation: Evaluation, { json, markdown, quiet }: EvalSettings): void {
  const failed = evaluation.gates.filter(({ passed }) => !passed);
  // Messages of this form stand beside the job and in the pull request.
  if (process.env.GITHUB_ACTIONS === "true" && json !== "-") {
    for (const { message } of failed) process.stdout.write(`::error title=refadgen-metrics::${message.replaceAll("%", "%25")}\n`);
  }
  if (quiet) {
    for (const { message } of failed) process.stderr.write(`FAIL ${message}\n`);
    return;
  }
  // Standard output belongs to the report that was asked for there.
  const taken = json === "-" || (markdown === true && !process.env.GITHUB_STEP_SUMMARY);
  const stream = taken ? process.stderr : process.stdout;
  stream.write(evaluationToText(evaluation, { colour: Boolean(stream.isTTY) && process.env.NO_COLOR === undefined }));
}
