import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { cacheFolder } from "@refadgen/graph";
import type { ResizeFilter } from "@refadgen/image";
import type { Accumulator, IntervalOptions, MetricName, MetricResult, SetBatch } from "../metrics/contract.js";
import type { LoadProgress } from "../networks/contract.js";
import { createDriver } from "./drivers.js";
import { EvaluationError } from "./error.js";
import { type EvaluatedMetric, type Evaluation, type Gate, type SkippedFile, tableMetrics } from "./evaluation.js";
import { readEvaluation } from "./evaluation-json.js";
import { type ManifestInput, matchManifest } from "./manifest.js";
import type { MetricDriver, MetricFactory, MetricSettings } from "./metric-driver.js";
import { expectWeights, type NetworkOptions, NetworkPool } from "./networks.js";
import { type FolderInput, type MatchedInput, matchFolders } from "./pairing.js";
import { PictureReader } from "./pictures.js";
import { feeds, metricOptionNames, needSentence, networksOf, orderByCost, pairsFor, quantitiesOf, recipeNames } from "./plan.js";
import { historyAfter, judgeRegression, parseRegression, type RegressionLimit } from "./regression.js";
import { scorePairs } from "./score-pairs.js";
import { scoreSets } from "./score-sets.js";
import { pairedPValue } from "./significance.js";
import { StateCache } from "./state-cache.js";
import { judgeThreshold, parseThreshold, type Threshold } from "./threshold.js";

/** What is to be judged: the path of a JSONL manifest, a manifest with further inputs, or folders. */
export type EvaluationInput = string | ManifestInput | FolderInput;

export interface EvaluateOptions extends Omit<NetworkOptions, "cacheDirectory">, MetricSettings {
  /** Default: the columns of the paper's Table 3. The result keeps this order. */
  readonly metrics?: readonly MetricName[];
  /** By metric; what is not named follows the metric's default. */
  readonly recipes?: Readonly<Partial<Record<MetricName, string>>>;
  /** What has to hold, as in `lpips<0.6`; see `parseThreshold`. */
  readonly thresholds?: readonly (string | Threshold)[];
  /** An earlier evaluation, or the path of its JSON report. */
  readonly baseline?: string | Evaluation;
  /** How much worse than the baseline a metric may be: `2%`, `0.01`, `fid=5%`. Default: nothing is judged. */
  readonly maxRegression?: string | readonly (string | RegressionLimit)[];
  /** With it, a regression counts only when its p-value (paired, two-sided) is below this, for instance 0.05. */
  readonly significance?: number;
  /** Stop after the first metric that misses its threshold or the baseline. Cheap metrics come first. Default false. */
  readonly failFast?: boolean;
  /** Treat unmatched and skipped files as an error. Default false: they are listed. */
  readonly strict?: boolean;
  /** Bring references to the size of their generated picture before they are compared. Default: pairs of two sizes are skipped and listed. */
  readonly resizeReferences?: ResizeFilter;
  /** Intervals of means; `false` leaves them out. */
  readonly interval?: IntervalOptions | false;
  /** Part of the report; default the generated folder or manifest. */
  readonly label?: string;
  /** Where scores and features are kept, and downloads go. Default: the shared cache folder. */
  readonly cacheDirectory?: string;
  /** `false`: nothing is kept between runs. Default true. */
  readonly cache?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Called with every metric's result and gates as soon as they are known. */
  readonly onResult?: (result: EvaluatedMetric, gates: readonly Gate[]) => void;
  /** The time of the report. Default: now. */
  readonly createdAt?: Date;
}

/** How far an evaluation has come. */
export type EvaluationProgress =
  | { readonly stage: "match" }
  | { readonly stage: "load"; readonly metrics: readonly MetricName[]; readonly load?: LoadProgress }
  | {
      readonly stage: "score";
      readonly metrics: readonly MetricName[];
      /** Pictures or pairs. */
      readonly done: number;
      readonly total: number;
    }
  | { readonly stage: "compute"; readonly metrics: readonly MetricName[] };

const chunkOf: Readonly<Partial<Record<MetricName, number>>> = { "mp-lpips": 1, "image-reward": 8 };

/**
 * Judges generated pictures by several metrics: finds what belongs together, loads every network once, keeps scores and features so that a
 * stopped run goes on where it was, and holds the results against thresholds and an earlier report.
 *
 * @throws EvaluationError for inputs; MetricWeightsError and WeightsError for weights; ArgumentError for options, before any work;
 * the signal's reason
 */
export function evaluate(input: EvaluationInput, options: EvaluateOptions = {}): Promise<Evaluation> {
  return evaluateWith(createDriver, input, options);
}

/** `evaluate` with metrics of any making. */
export async function evaluateWith(factory: MetricFactory, input: EvaluationInput, given: EvaluateOptions): Promise<Evaluation> {
  const begin = performance.now();
  // An LPIPS that is given is meant to be used, whatever its backbone.
  const backbone = given.lpips ?? given.networks?.lpips?.backbone;
  const options: EvaluateOptions = { ...given, ...(backbone && { lpips: backbone }) };
  const { signal, onProgress } = options;
  const metrics = options.metrics ?? tableMetrics;
  const order = orderByCost(metrics);
  const thresholds = thresholdsOf(options, metrics);
  const limits = limitsOf(options.maxRegression, options.baseline !== undefined, metrics);
  const { significance } = options;
  if (significance !== undefined && !(significance > 0 && significance < 1))
    throw new ArgumentError(`evaluate: expected significance between 0 and 1, got ${significance}`);
  expectChoices(metrics, options);
  const baseline = typeof options.baseline === "string" ? await readEvaluation(options.baseline, "baseline") : options.baseline;

  signal?.throwIfAborted();
  onProgress?.({ stage: "match" });
  const matched = await match(input);
  expectInputs(order, matched);
  if (options.strict) expectComplete(matched);
  const missing = order.flatMap((metric) => networksOf(metric, options)).filter((network) => !isGiven(network, options));
  await expectWeights([...new Set(missing)], options);

  const warnings: string[] = [];
  const warn = (message: string) => {
    if (!warnings.includes(message)) warnings.push(message);
  };
  const folder = options.cache === false ? undefined : join(options.cacheDirectory ?? cacheFolder(), "metrics");
  // Metrics of one network share its features through files, whether or not these outlive the run.
  const features = folder ?? (await mkdtemp(join(tmpdir(), "refadgen-metrics-")));
  const pool = new NetworkPool({
    ...options,
    store: { folder: features, onFailure: warn },
    signal,
    onProgress: (load) => onProgress?.({ stage: "load", metrics: [], load }),
  });
  const run: Run = { options, factory, matched, pool, reader: new PictureReader(), cache: new StateCache(folder, warn), skipped: new Map() };
  const results = new Map<MetricName, EvaluatedMetric>();
  const gates: Gate[] = [];
  try {
    await pool.locate([...new Set(missing)]);
    for (const [index, group] of groupsOf(order, matched).entries()) {
      signal?.throwIfAborted();
      await pool.keepOnly(
        groupsOf(order, matched)
          .slice(index)
          .flat()
          .flatMap((metric) => networksOf(metric, options)),
      );
      for (const result of await computeGroup(group, run)) {
        results.set(result.metric, result);
        const judged = await judge(result, { thresholds, limits, baseline, significance });
        gates.push(...judged);
        options.onResult?.(result, judged);
      }
      if (options.failFast && gates.some(({ passed }) => !passed)) break;
    }
  } finally {
    await pool.dispose();
    if (folder === undefined) await rm(features, { recursive: true, force: true });
  }

  const skipped = [...run.skipped.values()];
  if (options.strict && skipped.length > 0)
    throw new EvaluationError("input", `${countOf(skipped.length, "file")} cannot be used, and strict is asked for: ${listed(skipped)}`);
  const notRun = metrics.filter((metric) => !results.has(metric));
  if (matched.unmatched.length > 0) warn(`${countOf(matched.unmatched.length, "file")} without a partner: ${listed(matched.unmatched)}`);
  if (skipped.length > 0) warn(`${countOf(skipped.length, "file")} skipped: ${listed(skipped)}`);
  const absent = baseline?.metrics.filter(({ metric }) => !metrics.includes(metric)) ?? [];
  if (absent.length > 0) warn(`the baseline has ${absent.map(({ metric }) => metric).join(", ")} too, which this run did not compute`);
  return {
    format: "refadgen-metrics",
    version: 1,
    createdAt: (options.createdAt ?? new Date()).toISOString(),
    tool: { name: "@refadgen/metrics", version: packageVersion() },
    label: options.label ?? matched.inputs.generated ?? matched.inputs.manifest ?? "evaluation",
    inputs: matched.inputs,
    counts: matched.counts,
    metrics: metrics.flatMap((metric) => results.get(metric) ?? []),
    notRun,
    gates,
    passed: gates.every(({ passed }) => passed),
    unmatched: matched.unmatched,
    skipped,
    items: matched.items,
    history: baseline ? historyAfter(baseline) : [],
    warnings,
    seconds: (performance.now() - begin) / 1000,
  };
}

interface Run {
  readonly options: EvaluateOptions;
  readonly factory: MetricFactory;
  readonly matched: MatchedInput;
  readonly pool: NetworkPool;
  readonly reader: PictureReader;
  readonly cache: StateCache;
  /** By role and name. */
  readonly skipped: Map<string, SkippedFile>;
}

function match(input: EvaluationInput): Promise<MatchedInput> {
  if (typeof input === "string") return matchManifest({ manifest: input });
  return "manifest" in input ? matchManifest(input) : matchFolders(input);
}

/** Metrics of whole sets are computed together, since they look at the same pictures with the same network; the others one by one. */
function groupsOf(order: readonly MetricName[], { real }: MatchedInput): readonly (readonly MetricName[])[] {
  const sets = order.filter((metric) => feeds[metric] === "sets");
  const first = sets[0];
  if (first === undefined || !real || "statistics" in real) return order.map((metric) => [metric]);
  return order.filter((metric) => feeds[metric] !== "sets" || metric === first).map((metric) => (metric === first ? sets : [metric]));
}

async function computeGroup(group: readonly MetricName[], run: Run): Promise<EvaluatedMetric[]> {
  const { options, factory, matched, pool } = run;
  const begin = performance.now();
  options.onProgress?.({ stage: "load", metrics: group });
  const statistics = matched.real && "statistics" in matched.real ? matched.real.statistics : undefined;
  const drivers: (readonly [MetricName, MetricDriver])[] = [];
  for (const metric of group) {
    drivers.push([metric, await factory({ metric, recipe: options.recipes?.[metric], settings: options, pool, statistics })]);
  }
  const computed = feeds[group[0]!] === "sets" ? await computeSets(drivers, run) : [await computeScores(drivers[0]!, run)];
  const seconds = (performance.now() - begin) / 1000 / group.length;
  return Promise.all(
    computed.map(async ({ result, cached }, index) => {
      const { networks } = drivers[index]![1];
      return { ...result, networks: await pool.describe(networks), seconds, cached };
    }),
  );
}

interface Computed {
  readonly result: MetricResult;
  readonly cached: number;
}

async function computeSets(drivers: readonly (readonly [MetricName, MetricDriver])[], run: Run): Promise<Computed[]> {
  const { options, matched, reader } = run;
  const { signal, onProgress } = options;
  const metrics = drivers.map(([metric]) => metric);
  const accumulators = await Promise.all(drivers.map(([, driver]) => driver.create() as Promise<Accumulator<SetBatch>>));
  const real = matched.real && "files" in matched.real ? matched.real.files : [];
  const generated = matched.items.map((item) => ({ name: item.name, path: item.generated }));
  const skipped = await scoreSets({
    ...{ accumulators, real, generated, reader, signal },
    batch: 16,
    onProgress: (done, total) => onProgress?.({ stage: "score", metrics, done, total }),
  });
  remember(run, skipped);
  const usable = (side: "real" | "generated", count: number) => {
    if (count > 0 && skipped.filter(({ role }) => role === side).length === count)
      throw new EvaluationError("empty", `none of the ${count} ${side} pictures can be read; the first: ${skipped[0]!.name}: ${skipped[0]!.reason}`);
  };
  usable("real", real.length);
  usable("generated", generated.length);
  onProgress?.({ stage: "compute", metrics });
  const results: Computed[] = [];
  for (const accumulator of accumulators)
    results.push({ result: withSkipped(await accumulator.compute(computeOptions(options)), skipped), cached: 0 });
  return results;
}

async function computeScores([metric, driver]: readonly [MetricName, MetricDriver], run: Run): Promise<Computed> {
  const { options, matched, pool, reader, cache } = run;
  const { signal, onProgress, resizeReferences } = options;
  if (driver.feed === "sets") throw new ArgumentError(`evaluate: expected ${metric} to be fed pairs`);
  const { pairs, lacking } = pairsFor(metric, matched.items);
  const key = [metric, driver.recipe, options.options?.[metric] ?? {}, options.seed ?? 0, await pool.describe(driver.networks)];
  const scored = await scorePairs({
    ...{ driver, pairs, reader, cache, key, resizeReferences, signal },
    chunk: chunkOf[metric] ?? 16,
    onProgress: (done) => onProgress?.({ stage: "score", metrics: [metric], done, total: pairs.length }),
  });
  remember(run, scored.skipped);
  if (scored.counted === 0) {
    const first = scored.skipped[0]!;
    throw new EvaluationError("empty", `${metric}: none of the ${pairs.length} pictures can be judged; the first, ${first.name}: ${first.reason}`);
  }
  onProgress?.({ stage: "compute", metrics: [metric] });
  const result = withSkipped(await scored.accumulator.compute(computeOptions(options)), scored.skipped);
  const left = [...lacking].map(
    ([what, names]) => `${countOf(names.length, "picture")} without a ${what} left out: ${listed(names.map((name) => ({ name })))}`,
  );
  return { result: { ...result, warnings: [...result.warnings, ...left] }, cached: scored.cached };
}

function computeOptions({ interval, signal }: EvaluateOptions): { readonly interval?: IntervalOptions | false; readonly signal?: AbortSignal } {
  return { ...(interval !== undefined && { interval }), ...(signal && { signal }) };
}

function remember({ skipped }: Run, files: readonly SkippedFile[]): void {
  for (const file of files) skipped.set(JSON.stringify([file.role, file.name, file.code]), file);
}

function withSkipped(result: MetricResult, files: readonly SkippedFile[]): MetricResult {
  return { ...result, skipped: [...result.skipped, ...files.map(({ name, code, reason }) => ({ name, code, reason }))] };
}

interface Rules {
  readonly thresholds: readonly Threshold[];
  readonly limits: readonly RegressionLimit[];
  readonly baseline: Evaluation | undefined;
  readonly significance: number | undefined;
}

async function judge(result: EvaluatedMetric, { thresholds, limits, baseline, significance }: Rules): Promise<Gate[]> {
  const gates = thresholds.filter(({ metric }) => metric === result.metric).map((threshold) => judgeThreshold(threshold, result));
  const regression =
    baseline && (await judgeRegression(result, baseline, { limits, test: pairedPValue, ...(significance !== undefined && { significance }) }));
  return regression ? [...gates, regression] : gates;
}

function thresholdsOf({ thresholds = [], interval }: EvaluateOptions, metrics: readonly MetricName[]): readonly Threshold[] {
  return thresholds.map((given) => {
    const threshold = typeof given === "string" ? parseThreshold(given) : given;
    const { metric, quantity, rule } = threshold;
    if (!metrics.includes(metric))
      throw new ArgumentError(`evaluate: the threshold ${rule} is for a metric that is not computed; the metrics are ${metrics.join(", ")}`);
    const quantities = quantitiesOf(metric, { interval: interval !== false });
    if (!quantities.includes(quantity))
      throw new ArgumentError(`evaluate: the threshold ${rule}: expected one of ${quantities.join(", ")} of ${metric}, got "${quantity}"`);
    return threshold;
  });
}

function limitsOf(given: EvaluateOptions["maxRegression"], hasBaseline: boolean, metrics: readonly MetricName[]): readonly RegressionLimit[] {
  if (given === undefined) return [];
  if (!hasBaseline) throw new ArgumentError("evaluate: expected a baseline beside maxRegression, got none");
  const limits = (typeof given === "string" ? [given] : given).map((limit) => (typeof limit === "string" ? parseRegression(limit) : limit));
  const stray = limits.find(({ metric }) => metric !== undefined && !metrics.includes(metric));
  if (stray) throw new ArgumentError(`evaluate: the limit ${stray.rule} is for a metric that is not computed; the metrics are ${metrics.join(", ")}`);
  return limits;
}

/** Refuses recipes and options that are for no metric, or that the metric does not have, before anything is read. */
function expectChoices(metrics: readonly MetricName[], { recipes = {}, options = {} }: EvaluateOptions): void {
  for (const [metric, recipe] of Object.entries(recipes) as [MetricName, string][]) {
    if (!metrics.includes(metric)) throw new ArgumentError(`evaluate: a recipe is given for ${metric}, which is not among the metrics`);
    const names = recipeNames[metric];
    if (!names.includes(recipe)) throw new ArgumentError(`evaluate: expected a recipe of ${metric}: ${names.join(", ")}, got "${recipe}"`);
  }
  for (const [metric, given] of Object.entries(options) as [MetricName, object][]) {
    if (!metrics.includes(metric)) throw new ArgumentError(`evaluate: options are given for ${metric}, which is not among the metrics`);
    const names = metricOptionNames[metric];
    const unknown = Object.keys(given).filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      const expected = names.length === 0 ? "it has none" : `expected ${names.join(", ")}`;
      throw new ArgumentError(`evaluate: unknown option ${unknown.join(", ")} of ${metric}; ${expected}`);
    }
  }
}

function expectInputs(metrics: readonly MetricName[], { items, real }: MatchedInput): void {
  const lacking = metrics.filter((metric) => (feeds[metric] === "sets" ? !real : pairsFor(metric, items).pairs.length === 0));
  if (lacking.length > 0)
    throw new EvaluationError("input", `${lacking.map(needSentence).join("; ")}; no picture has them. Give them, or leave the metric out`);
  if (!real || !("statistics" in real)) return;
  const others = metrics.filter((metric) => feeds[metric] === "sets" && metric !== "fid");
  if (others.length > 0)
    throw new EvaluationError(
      "input",
      `${others.join(", ")}: the real pictures are needed, statistics such as ${real.statistics} are enough for fid only`,
    );
}

function expectComplete({ unmatched }: MatchedInput): void {
  if (unmatched.length > 0)
    throw new EvaluationError("input", `${countOf(unmatched.length, "file")} without a partner, and strict is asked for: ${listed(unmatched)}`);
}

function isGiven(network: string, { networks = {}, lpips = "alex" }: EvaluateOptions): boolean {
  if (network === "inception") return networks.inception !== undefined;
  if (network.startsWith("clip-")) return networks.clip !== undefined;
  if (network === "image-reward") return networks.imageReward !== undefined;
  if (network === "dift") return networks.dense !== undefined;
  if (network.startsWith("dino-")) return networks.dino !== undefined || networks.dense !== undefined;
  return (
    networks.lpips !== undefined && network === `lpips-${networks.lpips.backbone}` && (lpips === networks.lpips.backbone || network === "lpips-alex")
  );
}

function listed(files: readonly { readonly name: string; readonly reason?: string }[], most = 3): string {
  const names = files.slice(0, most).map(({ name, reason }) => (reason === undefined ? name : `${name} (${reason})`));
  return `${names.join(", ")}${files.length > most ? ` and ${files.length - most} more` : ""}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }).version;
}
