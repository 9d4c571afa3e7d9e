import { ArgumentError } from "@refadgen/errors";
import { bootstrapInterval } from "../statistics/bootstrap.js";
import {
  type Accumulator,
  type ComputeOptions,
  type ImageScore,
  type Interval,
  type IntervalOptions,
  type MetricName,
  type MetricResult,
  metricDirections,
} from "./contract.js";
import { MetricError } from "./error.js";

/** The state of a metric with one score per picture or pair: plain data. */
export interface ScoreState {
  readonly metric: MetricName;
  readonly recipe: string;
  /** What else must be equal for states to be merged. */
  readonly settings: string;
  /** The networks' contents; empty before the first score. */
  readonly networks: string;
  readonly names: readonly string[];
  readonly values: Float64Array;
  /** Further numbers per row. */
  readonly extras: Readonly<Record<string, Float64Array>>;
}

/** One number per row, and further ones that the result is made of. */
export interface Scores {
  readonly values: Float64Array;
  readonly extras?: Readonly<Record<string, Float64Array>>;
}

/** What tells one metric from another. */
export interface ScoreMetric<Batch> {
  readonly metric: MetricName;
  readonly recipe: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Names the rows in `counts`: `pairs`, `pictures`. */
  readonly unit: string;
  readonly networks: readonly { contentKey(): Promise<string> }[];
  /** How many rows a batch has. Throws an ArgumentError for one that does not fit. */
  count(batch: Batch): number;
  names(batch: Batch): readonly string[] | undefined;
  score(batch: Batch, signal: AbortSignal | undefined): Promise<Scores>;
  /** The metric's value from all scores. Default: their mean. */
  value?(all: Required<Scores>): number;
  /** Its interval. Default: that of the mean. */
  interval?(all: Required<Scores>, options: IntervalOptions & { readonly signal?: AbortSignal }): Promise<Interval | undefined>;
  details?(all: Required<Scores>): Readonly<Record<string, number>>;
  /** Whether scores may be infinite (PSNR of equal pictures) or NaN (not defined). */
  readonly allows?: { readonly infinite?: boolean; readonly undefined?: boolean };
}

/** Rows of one call, in the place that the call has among the others. */
interface Slot {
  readonly names: readonly string[];
  scores?: Scores;
}

/** An accumulator of scores: every metric that judges picture by picture. */
export function scoreAccumulator<Batch>(metric: ScoreMetric<Batch>): Accumulator<Batch, ScoreState> {
  const slots: Slot[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let running = 0;
  const settings = JSON.stringify(metric.settings);
  let networks = "";
  let counted = 0;

  const identify = async () => {
    const keys = JSON.stringify(await Promise.all(metric.networks.map((network) => network.contentKey())));
    if (networks !== "" && networks !== keys)
      throw new ArgumentError(`${metric.metric}: expected the weights of the scores that were merged before, got others`);
    networks = keys;
  };

  const finished = (): Required<Scores> & { readonly names: readonly string[] } => {
    const done = slots.filter((slot): slot is Required<Slot> => slot.scores !== undefined);
    const keys = Object.keys(done[0]?.scores.extras ?? {});
    return {
      names: done.flatMap(({ names }) => names),
      values: joined(done.map(({ scores }) => scores.values)),
      extras: Object.fromEntries(keys.map((key) => [key, joined(done.map(({ scores }) => scores.extras![key]!))])),
    };
  };

  return {
    metric: metric.metric,
    recipe: metric.recipe,
    update: (batch, { signal } = {}) => {
      let slot: Slot;
      try {
        signal?.throwIfAborted();
        slot = { names: checkedNames(metric, batch, counted) };
      } catch (error) {
        return Promise.reject(error);
      }
      counted += slot.names.length;
      slots.push(slot);
      running++;
      const work = (async () => {
        try {
          await identify();
          const scores = await metric.score(batch, signal);
          expectFinite(metric, scores, slot.names);
          slot.scores = scores;
        } catch (error) {
          slots.splice(slots.indexOf(slot), 1);
          throw error;
        } finally {
          running--;
        }
      })();
      last = Promise.allSettled([last, work]);
      return work;
    },
    compute: async ({ interval, signal }: ComputeOptions = {}) => {
      await last;
      const all = finished();
      if (all.values.length === 0) throw new MetricError("too-few", `${metric.metric}: expected at least one ${metric.unit}, got none`);
      const defined = definedOnly(all);
      const missing = all.values.length - defined.values.length;
      const found =
        interval === false || defined.values.length < 2
          ? undefined
          : await (metric.interval ?? meanInterval)(defined, { ...interval, ...(signal && { signal }) });
      const perImage: ImageScore[] = all.names.map((name, index) => ({ name, value: all.values[index]! }));
      const result: MetricResult = {
        metric: metric.metric,
        recipe: metric.recipe,
        settings: metric.settings,
        value: (metric.value ?? meanOf)(defined),
        direction: metricDirections[metric.metric],
        n: defined.values.length,
        counts: { [metric.unit]: all.values.length },
        details: metric.details?.(defined) ?? {},
        perImage,
        ...(found && { interval: found }),
        skipped: [],
        warnings: missing === 0 ? [] : [`${missing} of ${all.values.length} ${metric.unit} have no score that is defined, and do not count`],
      };
      return result;
    },
    state: () => {
      if (running > 0) throw new ArgumentError("state: expected earlier updates to have ended; wait for them first");
      return { metric: metric.metric, recipe: metric.recipe, settings, networks, ...finished() };
    },
    merge: (state) => {
      expectSame(metric.metric, "metric", metric.metric, state.metric);
      expectSame(metric.metric, "recipe", metric.recipe, state.recipe);
      expectSame(metric.metric, "settings", settings, state.settings);
      if (networks !== "" && state.networks !== "") expectSame(metric.metric, "weights", networks, state.networks);
      if (networks === "") networks = state.networks;
      counted += state.names.length;
      if (state.names.length > 0) slots.push({ names: state.names, scores: { values: state.values, extras: state.extras } });
    },
  };
}

/** @throws ArgumentError `merge: expected …` */
export function expectSame(metric: MetricName, what: string, expected: unknown, got: unknown): void {
  if (expected !== got) throw new ArgumentError(`merge: ${metric} expected ${what} ${String(expected)}, got ${String(got)}`);
}

function checkedNames<Batch>(metric: ScoreMetric<Batch>, batch: Batch, before: number): readonly string[] {
  const count = metric.count(batch);
  if (!(count > 0)) throw new ArgumentError(`${metric.metric}: expected at least one of ${metric.unit}, got none`);
  const names = metric.names(batch) ?? Array.from({ length: count }, (_, index) => String(before + index));
  if (names.length !== count) throw new ArgumentError(`${metric.metric}: expected ${count} names, got ${names.length}`);
  return names;
}

function expectFinite<Batch>({ metric, allows = {} }: ScoreMetric<Batch>, { values }: Scores, names: readonly string[]): void {
  const wrong = values.findIndex((value) => (Number.isNaN(value) ? !allows.undefined : !Number.isFinite(value) && !allows.infinite));
  if (wrong >= 0) throw new MetricError("not-finite", `${metric}: expected finite scores, got ${values[wrong]} for ${names[wrong]}`);
}

function definedOnly({ values, extras }: Required<Scores>): Required<Scores> {
  const keep = (_: number, index: number) => !Number.isNaN(values[index]!);
  return { values: values.filter(keep), extras: Object.fromEntries(Object.entries(extras).map(([key, all]) => [key, all.filter(keep)])) };
}

function meanOf({ values }: Scores): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanInterval({ values }: Scores, options: IntervalOptions & { readonly signal?: AbortSignal }): Promise<Interval | undefined> {
  return bootstrapInterval(values, options);
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
