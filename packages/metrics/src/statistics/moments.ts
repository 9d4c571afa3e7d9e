import { ArgumentError } from "@refadgen/errors";
import { MetricError } from "../metrics/error.js";
import { addScatter, scatterRows } from "./scatter.js";
import type { FeatureStatistics } from "./statistics.js";

/** Plain data of `FeatureMoments`, to be posted or kept. */
export interface MomentsState {
  readonly dimensions: number;
  readonly count: number;
  /** `[count, dimensions]` while there are at most as many rows as dimensions. */
  readonly rows?: Float32Array;
  /** Else the mean, and the upper triangle of Σ (row - mean)ᵀ (row - mean), with the rows that are not in them yet. */
  readonly mean?: Float64Array;
  readonly scatter?: Float64Array;
}

/**
 * Mean and covariance of a stream of feature rows, in float64 and constant memory: blocks are centred on their own mean and joined as
 * Chan, Golub and LeVeque describe, which loses no digits however far from zero the features are.
 *
 * As long as there are at most as many rows as dimensions the rows themselves are kept: they take less room than the covariance, and
 * distances of so few rows can be computed without its rank deficiency.
 */
export class FeatureMoments {
  readonly dimensions: number;
  #count = 0;
  #pending: Float32Array[] = [];
  #pendingRows = 0;
  #mean: Float64Array | undefined;
  #scatter: Float64Array | undefined;
  #flushed = 0;
  #last: Promise<void> = Promise.resolve();
  #working = 0;

  constructor(dimensions: number) {
    if (!Number.isInteger(dimensions) || dimensions < 1)
      throw new ArgumentError(`FeatureMoments: expected dimensions of at least 1, got ${dimensions}`);
    this.dimensions = dimensions;
  }

  /** How many rows were added. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds rows `[count, dimensions]`; they are copied.
   *
   * @throws ArgumentError for another width; MetricError `not-finite`, before anything is counted
   */
  add(rows: Float32Array, signal?: AbortSignal): Promise<void> {
    expectRows("FeatureMoments", rows, this.dimensions);
    this.#pending.push(rows.slice());
    this.#pendingRows += rows.length / this.dimensions;
    this.#count += rows.length / this.dimensions;
    const limit = this.#mean ? scatterRows : Math.max(this.dimensions, 1);
    if (this.#pendingRows <= limit) return Promise.resolve();
    return this.#flush(signal);
  }

  /** Takes in what another one has seen. */
  merge(other: FeatureMoments | MomentsState): Promise<void> {
    const state = other instanceof FeatureMoments ? other.state() : other;
    if (state.dimensions !== this.dimensions)
      throw new ArgumentError(`merge: expected features of ${this.dimensions} dimensions, got ${state.dimensions}`);
    if (state.count === 0) return Promise.resolve();
    const kept = state.rows?.length ?? 0;
    const { mean, scatter } = state;
    let joining: Promise<void> = Promise.resolve();
    if (mean && scatter) {
      const count = state.count - kept / this.dimensions;
      this.#count += count;
      this.#begin();
      joining = this.#queue(async () => this.#join(mean, count, scatter));
    }
    const adding = kept > 0 ? this.add(state.rows!) : undefined;
    return adding ? joining.then(() => adding) : joining;
  }

  /** @throws ArgumentError while rows that were added are still being taken in: wait for `add` first */
  state(): MomentsState {
    if (this.#working > 0) throw new ArgumentError("state: expected earlier updates to have ended; wait for them first");
    const rows = joined(this.#pending, this.#pendingRows * this.dimensions);
    return {
      dimensions: this.dimensions,
      count: this.#count,
      ...(rows.length > 0 && { rows }),
      ...(this.#mean && { mean: this.#mean.slice(), scatter: this.#scatter!.slice() }),
    };
  }

  /**
   * Mean, and rows or covariance.
   *
   * @throws MetricError `too-few` below two rows
   */
  async statistics(signal?: AbortSignal): Promise<FeatureStatistics> {
    const { dimensions } = this;
    if (this.#count < 2) throw new MetricError("too-few", `expected at least 2 pictures for a covariance, got ${this.#count}`);
    if (!this.#mean && this.#count <= dimensions) {
      const rows = joined(this.#pending, this.#pendingRows * dimensions);
      return { dimensions, count: this.#count, mean: meanOf(rows, dimensions), rows };
    }
    await this.#flush(signal);
    const covariance = new Float64Array(dimensions * dimensions);
    const scatter = this.#scatter!;
    for (let i = 0; i < dimensions; i++) {
      for (let j = i; j < dimensions; j++) {
        const value = scatter[i * dimensions + j]! / (this.#count - 1);
        covariance[i * dimensions + j] = value;
        covariance[j * dimensions + i] = value;
      }
    }
    return { dimensions, count: this.#count, mean: this.#mean!.slice(), covariance };
  }

  #begin(): void {
    this.#mean ??= new Float64Array(this.dimensions);
    this.#scatter ??= new Float64Array(this.dimensions * this.dimensions);
  }

  /** One piece of work after the other. */
  #queue(work: () => Promise<void>): Promise<void> {
    this.#working++;
    const done = this.#last.then(work).finally(() => this.#working--);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Moves pending rows into mean and scatter. Those that an abort leaves over are pending again. */
  #flush(signal: AbortSignal | undefined): Promise<void> {
    const { dimensions } = this;
    const rows = joined(this.#pending, this.#pendingRows * dimensions);
    this.#pending = [];
    this.#pendingRows = 0;
    this.#begin();
    return this.#queue(async () => {
      for (let from = 0; from < rows.length; from += scatterRows * dimensions) {
        const block = rows.subarray(from, from + scatterRows * dimensions);
        const mean = meanOf(block, dimensions);
        const scatter = new Float64Array(dimensions * dimensions);
        try {
          await addScatter(block, block.length / dimensions, mean, scatter, signal);
        } catch (error) {
          this.#pending.unshift(rows.slice(from));
          this.#pendingRows += (rows.length - from) / dimensions;
          throw error;
        }
        this.#join(mean, block.length / dimensions, scatter);
      }
    });
  }

  /** Joins mean and scatter of further rows. */
  #join(mean: Float64Array, count: number, scatter: Float64Array): void {
    const { dimensions } = this;
    const [own, total] = [this.#mean!, this.#scatter!];
    const all = this.#flushed + count;
    const weight = (this.#flushed * count) / all;
    const difference = own.map((value, index) => mean[index]! - value);
    for (let i = 0; i < dimensions; i++) {
      const scaled = weight * difference[i]!;
      for (let j = i; j < dimensions; j++) {
        const at = i * dimensions + j;
        total[at] = total[at]! + scatter[at]! + scaled * difference[j]!;
      }
    }
    for (let i = 0; i < dimensions; i++) own[i] = own[i]! + (difference[i]! * count) / all;
    this.#flushed = all;
  }
}

/** Column means in float64. */
export function meanOf(rows: Float32Array, dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  for (let from = 0; from < rows.length; from += dimensions) for (let k = 0; k < dimensions; k++) mean[k] = mean[k]! + rows[from + k]!;
  return mean.map((sum) => (sum * dimensions) / rows.length);
}

/** Throws for rows of another width and for values that are not finite. */
export function expectRows(where: string, rows: Float32Array, dimensions: number): void {
  if (!(rows instanceof Float32Array) || rows.length === 0 || rows.length % dimensions !== 0)
    throw new ArgumentError(`${where}: expected rows of ${dimensions} values, got ${rows?.length ?? String(rows)} values`);
  for (let index = 0; index < rows.length; index++) {
    if (!Number.isFinite(rows[index]!)) {
      const row = Math.floor(index / dimensions);
      throw new MetricError("not-finite", `${where}: expected finite features, got ${rows[index]} in row ${row}, column ${index % dimensions}`);
    }
  }
}

function joined(parts: readonly Float32Array[], length: number): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
