import type { Accumulator, MaskedBatch, MetricName, PairBatch, PromptBatch, SetBatch } from "../metrics/contract.js";
import type { LoadedNetwork } from "../networks/contract.js";
import type { NetworkPool } from "./networks.js";
import type { NetworkChoice } from "./plan.js";

/** Options of the metrics' own functions, by metric; see there. */
export interface MetricSettings extends NetworkChoice {
  /** Options of single metrics, as their own functions take them: `{ kid: { subsets: 50 }, "mp-lpips": { grid: 20 } }`. */
  readonly options?: Readonly<Partial<Record<MetricName, Readonly<Record<string, string | number | boolean>>>>>;
  /** Seeds everything that is drawn: subsets, noise, resamples. Default 0. */
  readonly seed?: number;
}

/** What a metric is to be made of. */
export interface MetricRequest {
  readonly metric: MetricName;
  /** Undefined: the metric's default. */
  readonly recipe: string | undefined;
  readonly settings: MetricSettings;
  readonly pool: NetworkPool;
  /** FID: statistics of the real set, instead of its pictures. */
  readonly statistics: string | undefined;
}

/** A metric that can be fed; `create` gives a fresh accumulator every time. */
export type MetricDriver = {
  readonly recipe: string;
  readonly networks: readonly LoadedNetwork[];
} & (
  | { readonly feed: "sets"; create(): Promise<Accumulator<SetBatch>> }
  | { readonly feed: "pairs"; create(): Promise<Accumulator<PairBatch>> }
  | { readonly feed: "prompts"; create(): Promise<Accumulator<PromptBatch>> }
  | { readonly feed: "masked"; create(): Promise<Accumulator<MaskedBatch>> }
);

export type MetricFactory = (request: MetricRequest) => Promise<MetricDriver>;
