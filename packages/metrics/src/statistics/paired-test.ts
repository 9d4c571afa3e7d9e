import { ArgumentError } from "@refadgen/errors";
import { bootstrapOf } from "./bootstrap.js";
import { drawFrom } from "./random.js";

export type PairedMethod = "permutation" | "bootstrap" | "wilcoxon";

export interface PairedTestOptions {
  /**
   * `permutation` (default): signs of the differences are flipped at random, all 2ⁿ ways where that are no more than `resamples`;
   * `bootstrap`: resampled differences shifted to mean 0; `wilcoxon`: signed ranks, exact up to 50 pairs without ties or zeros, else normal.
   */
  readonly method?: PairedMethod;
  /** Default 10 000. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Of the interval. Default 0.95. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

export interface PairedTest {
  readonly method: PairedMethod;
  readonly pairs: number;
  /** Mean of second - first. */
  readonly meanDifference: number;
  /** Bootstrap interval of the mean difference. */
  readonly low: number;
  readonly high: number;
  /** Two-sided: how often chance alone would give a difference at least this large. */
  readonly pValue: number;
}

/**
 * Compares two models by the scores of the same pictures or prompts. Each pair's difference counts, so that hard prompts do not hide a
 * small but steady lead.
 *
 * @throws ArgumentError for unequal counts, fewer than two pairs, or scores that are not finite
 */
export async function pairedTest(first: ArrayLike<number>, second: ArrayLike<number>, options: PairedTestOptions = {}): Promise<PairedTest> {
  const { method = "permutation", resamples = 10_000, seed = 0, level = 0.95, signal } = options;
  if (first.length !== second.length)
    throw new ArgumentError(`pairedTest: expected as many scores of both, got ${first.length} and ${second.length}`);
  if (first.length < 2) throw new ArgumentError(`pairedTest: expected at least 2 pairs, got ${first.length}`);
  if (!["permutation", "bootstrap", "wilcoxon"].includes(method))
    throw new ArgumentError(`pairedTest: expected method permutation, bootstrap or wilcoxon, got "${String(method)}"`);
  const differences = Float64Array.from(first, (value, index) => second[index]! - value);
  const wrong = differences.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new ArgumentError(`pairedTest: expected finite scores, got ${first[wrong]} and ${second[wrong]} in pair ${wrong}`);
  const mean = sum(differences) / differences.length;
  const interval = await bootstrapOf(differences.length, { level, resamples, seed, ...(signal && { signal }) }, (indices) => {
    let total = 0;
    for (const index of indices) total += differences[index]!;
    return total / indices.length;
  });
  const pValue =
    method === "wilcoxon"
      ? wilcoxonSignedRank(differences)
      : method === "permutation"
        ? await signFlips(differences, resamples, seed, signal)
        : await shiftedBootstrap(differences, resamples, seed, signal);
  return { method, pairs: differences.length, meanDifference: mean, low: interval!.low, high: interval!.high, pValue };
}

/** Sums that differ by rounding only count as equal. */
const slack = 1e-12;

async function signFlips(differences: Float64Array, resamples: number, seed: number, signal: AbortSignal | undefined): Promise<number> {
  const observed = Math.abs(sum(differences));
  const limit = observed - slack * differences.reduce((total, value) => total + Math.abs(value), 0);
  const count = differences.length;
  if (2 ** count <= resamples) {
    let extreme = 0;
    for (let signs = 0; signs < 2 ** count; signs++) {
      let total = 0;
      for (let index = 0; index < count; index++) total += (signs >>> index) & 1 ? -differences[index]! : differences[index]!;
      if (Math.abs(total) >= limit) extreme++;
    }
    return extreme / 2 ** count;
  }
  const draw = drawFrom(seed);
  return resampled(resamples, count, signal, limit, () => {
    let total = 0;
    for (let index = 0; index < count; index++) total += draw(2) === 0 ? differences[index]! : -differences[index]!;
    return total;
  });
}

async function shiftedBootstrap(differences: Float64Array, resamples: number, seed: number, signal: AbortSignal | undefined): Promise<number> {
  const count = differences.length;
  const total = sum(differences);
  const draw = drawFrom(seed);
  const limit = Math.abs(total) - slack * differences.reduce((all, value) => all + Math.abs(value), 0);
  return resampled(resamples, count, signal, limit, () => {
    let drawn = -total;
    for (let index = 0; index < count; index++) drawn += differences[draw(count)]!;
    return drawn;
  });
}

/** Share of resamples at least as extreme; the observed one counts as one of them, so that no p-value is 0. */
async function resampled(resamples: number, count: number, signal: AbortSignal | undefined, limit: number, sample: () => number): Promise<number> {
  let extreme = 1;
  const perTurn = Math.max(1, Math.floor(500_000 / count));
  for (let index = 0; index < resamples; index++) {
    if (Math.abs(sample()) >= limit) extreme++;
    if (index % perTurn === perTurn - 1) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return extreme / (resamples + 1);
}

/** Two-sided p-value as `scipy.stats.wilcoxon` gives it: zeros are dropped, ties share their ranks, no continuity correction. */
function wilcoxonSignedRank(differences: Float64Array): number {
  const nonZero = differences.filter((value) => value !== 0);
  const count = nonZero.length;
  if (count === 0) return 1;
  const order = [...nonZero.keys()].sort((i, j) => Math.abs(nonZero[i]!) - Math.abs(nonZero[j]!));
  let [positive, tieCorrection] = [0, 0];
  let tied = false;
  for (let from = 0; from < count; ) {
    let to = from + 1;
    while (to < count && Math.abs(nonZero[order[to]!]!) === Math.abs(nonZero[order[from]!]!)) to++;
    const rank = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) if (nonZero[order[at]!]! > 0) positive += rank;
    const group = to - from;
    tieCorrection += group ** 3 - group;
    tied ||= group > 1;
    from = to;
  }
  const all = (count * (count + 1)) / 2;
  if (count <= 50 && !tied && count === differences.length) return exactSignedRank(Math.min(positive, all - positive), count);
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - tieCorrection / 48;
  const z = Math.abs(positive - all / 2) / Math.sqrt(variance);
  return Math.min(1, normalTail(z) * 2);
}

/** Twice the share of sign patterns whose rank sum is at most `smaller`. */
function exactSignedRank(smaller: number, count: number): number {
  const most = (count * (count + 1)) / 2;
  let ways = new Float64Array(most + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= count; rank++) {
    const next = ways.slice();
    for (let total = rank; total <= most; total++) next[total] = next[total]! + ways[total - rank]!;
    ways = next;
  }
  let below = 0;
  for (let total = 0; total <= smaller; total++) below += ways[total]!;
  return Math.min(1, (2 * below) / 2 ** count);
}

/** P(Z > z) for z ≥ 0, to about 1e-15 relative: the series of the error function near zero, its continued fraction beyond. */
function normalTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let [term, total] = [z, z];
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(total); k++) {
      term *= (z * z) / (2 * k + 1);
      total += term;
    }
    return 0.5 - density * total;
  }
  let fraction = 0;
  for (let k = 100; k > 0; k--) fraction = k / (z + fraction);
  return density / (z + fraction);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
