import { ArgumentError } from "@refadgen/errors";
import type { Inception, InceptionInput, InceptionLevel } from "../networks/contract.js";
import { expectRows } from "../statistics/moments.js";
import { type Accumulator, type ComputeOptions, type MetricName, type MetricResult, metricDirections, type SetBatch } from "./contract.js";
import { expectSame } from "./score-accumulator.js";

export type Side = SetBatch["side"];

/** The state of a metric that compares two sets: plain data. */
export interface SetState<SideState> {
  readonly metric: MetricName;
  readonly recipe: string;
  readonly settings: string;
  /** The network's content; empty before the first picture. */
  readonly network: string;
  readonly real: SideState;
  readonly generated: SideState;
}

/** What collects the features of one side. */
export interface FeatureSink<SideState> {
  readonly count: number;
  add(rows: Float32Array, width: number, signal?: AbortSignal): Promise<void>;
  state(): SideState;
  merge(state: SideState): Promise<void>;
}

/** What a distance of two sets comes to. */
export interface SetResult {
  readonly value: number;
  readonly details?: Readonly<Record<string, number>>;
  readonly warnings?: readonly string[];
}

export interface SetMetric<SideState, Sink extends FeatureSink<SideState>> {
  readonly metric: MetricName;
  readonly recipe: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly features: Inception;
  readonly input: InceptionInput;
  readonly level: InceptionLevel;
  readonly sinks: Readonly<Record<Side, Sink>>;
  /** The side that is given, and takes no pictures; with its count if that is known. */
  readonly given?: { readonly side: Side; readonly count: number | undefined };
  result(signal: AbortSignal | undefined): Promise<SetResult>;
}

/** Pictures per set below which FID, and what is reported beside it, is hardly meaningful: the covariance has 2048 dimensions. */
const enoughPictures = 2048;

export interface SetAccumulator<SideState> extends Accumulator<SetBatch, SetState<SideState>> {
  /** Waits until everything that was added is taken in. Throws what merging met. */
  settled(): Promise<void>;
}

/** An accumulator of two sets of features. */
export function setAccumulator<SideState, Sink extends FeatureSink<SideState>>(metric: SetMetric<SideState, Sink>): SetAccumulator<SideState> {
  const settings = JSON.stringify(metric.settings);
  let network = "";
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let failure: unknown;

  const expectNetwork = async () => {
    const key = await metric.features.contentKey();
    if (network !== "" && network !== key)
      throw new ArgumentError(`${metric.metric}: expected the weights of the features that were merged before, got others`);
    network = key;
  };

  const update = async ({ side, pictures }: SetBatch, signal: AbortSignal | undefined, before: Promise<unknown>): Promise<void> => {
    const run = { input: metric.input, levels: [metric.level], ...(signal && { signal }) };
    const computing = metric.features.features(pictures, run);
    // Features are taken in in the order of the calls, whichever are there first.
    await Promise.allSettled([computing, before]);
    const { data, dims } = (await computing).get(metric.level)!;
    await expectNetwork();
    expectRows(metric.metric, data, dims[1]!);
    await metric.sinks[side].add(data, dims[1]!, signal);
  };

  const settled = async () => {
    await last;
    if (failure) throw failure;
  };

  return {
    metric: metric.metric,
    recipe: metric.recipe,
    settled,
    update: (batch, { signal } = {}) => {
      try {
        checkBatch(metric.metric, batch, metric.given?.side);
        signal?.throwIfAborted();
      } catch (error) {
        return Promise.reject(error);
      }
      pending++;
      const work = update(batch, signal, last).finally(() => pending--);
      last = work.catch(() => undefined);
      return work;
    },
    compute: async ({ signal }: ComputeOptions = {}) => {
      await settled();
      const { value, details = {}, warnings = [] } = await metric.result(signal);
      const counts = countsOf(metric);
      const known = Object.values(counts);
      const result: MetricResult = {
        metric: metric.metric,
        recipe: metric.recipe,
        settings: metric.settings,
        value,
        direction: metricDirections[metric.metric],
        n: Math.min(...known),
        counts,
        details,
        skipped: [],
        warnings: [...smallSets(metric.metric, counts), ...warnings],
      };
      return result;
    },
    state: () => {
      if (pending > 0) throw new ArgumentError("state: expected earlier updates to have ended; wait for them first");
      const { real, generated } = metric.sinks;
      return { metric: metric.metric, recipe: metric.recipe, settings, network, real: real.state(), generated: generated.state() };
    },
    merge: (state) => {
      expectSame(metric.metric, "metric", metric.metric, state.metric);
      expectSame(metric.metric, "recipe", metric.recipe, state.recipe);
      expectSame(metric.metric, "settings", settings, state.settings);
      if (network !== "" && state.network !== "") expectSame(metric.metric, "weights", network, state.network);
      if (network === "") network = state.network;
      pending++;
      last = last
        .then(async () => {
          await metric.sinks.real.merge(state.real);
          await metric.sinks.generated.merge(state.generated);
        })
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => pending--);
    },
  };
}

function checkBatch(metric: MetricName, { side, pictures }: SetBatch, given: Side | undefined): void {
  if (side !== "real" && side !== "generated") throw new ArgumentError(`${metric}: expected side "real" or "generated", got "${String(side)}"`);
  if (side === given) throw new ArgumentError(`${metric}: the ${side} set is given as statistics and takes no pictures`);
  if (pictures.length === 0) throw new ArgumentError(`${metric}: expected at least one picture, got none`);
}

function countsOf<S, K extends FeatureSink<S>>({ sinks, given }: SetMetric<S, K>): Readonly<Record<string, number>> {
  const count = (side: Side) => (given?.side === side ? given.count : sinks[side].count);
  const counts = { real: count("real"), generated: count("generated") };
  return Object.fromEntries(Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function smallSets(metric: MetricName, counts: Readonly<Record<string, number>>): string[] {
  const small = Object.entries(counts).filter(([, count]) => count < enoughPictures);
  if (small.length === 0) return [];
  const which = small.map(([side, count]) => `${count} ${side}`).join(" and ");
  return [
    metric === "fid"
      ? `only ${which} pictures: FID of fewer than ${enoughPictures} is biased upwards and depends on their number; compare it with values of equally many only`
      : `only ${which} pictures, fewer than ${enoughPictures}: the value varies much with the choice of pictures`,
  ];
}
