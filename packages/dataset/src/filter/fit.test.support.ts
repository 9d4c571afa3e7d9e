// Fits the trees that detectors use: gradient boosting with logistic loss on histograms of the features. Deterministic.
import type { Trees } from "../score/trees.js";

export interface Examples {
  readonly features: readonly string[];
  /** `[N, features]` */
  readonly values: Float32Array;
  readonly labels: Uint8Array;
  readonly weights: Float32Array;
}

export interface FitOptions {
  readonly depth: number;
  readonly trees: number;
  readonly rate: number;
  /** Least sum of p (1 - p) in a leaf. */
  readonly leastWeight: number;
  /** Of the leaves' values, towards 0. */
  readonly shrink: number;
}

const bins = 48;

export function fitTrees({ features, values, labels, weights }: Examples, { depth, trees, rate, leastWeight, shrink }: FitOptions): Trees {
  const f = features.length;
  const n = labels.length;
  const cuts = features.map((_, feature) => quantiles(values, n, f, feature));
  const binned = new Uint8Array(n * f);
  for (let row = 0; row < n; row++)
    for (let feature = 0; feature < f; feature++) {
      const value = values[row * f + feature]!;
      let bin = 0;
      while (bin < cuts[feature]!.length && value > cuts[feature]![bin]!) bin++;
      binned[row * f + feature] = bin;
    }
  let [positive, all] = [0, 0];
  for (let row = 0; row < n; row++) {
    positive += labels[row]! * weights[row]!;
    all += weights[row]!;
  }
  const bias = Math.log(positive / (all - positive));
  const sums = new Float64Array(n).fill(bias);
  const nodes = 2 ** depth - 1;
  const table: number[] = [];
  const slope = new Float64Array(n);
  const curve = new Float64Array(n);
  for (let tree = 0; tree < trees; tree++) {
    for (let row = 0; row < n; row++) {
      const p = 1 / (1 + Math.exp(-sums[row]!));
      slope[row] = weights[row]! * (labels[row]! - p);
      curve[row] = weights[row]! * Math.max(1e-6, p * (1 - p));
    }
    const place = new Uint16Array(n);
    const chosen = new Array<number>(nodes).fill(0);
    const limits = new Array<number>(nodes).fill(Number.MAX_VALUE);
    for (let level = 0; level < depth; level++) {
      const first = 2 ** level - 1;
      const width = 2 ** level;
      const g = new Float64Array(width * f * (bins + 1));
      const h = new Float64Array(width * f * (bins + 1));
      for (let row = 0; row < n; row++) {
        const base = (place[row]! - first) * f;
        for (let feature = 0; feature < f; feature++) {
          const at = (base + feature) * (bins + 1) + binned[row * f + feature]!;
          g[at]! += slope[row]!;
          h[at]! += curve[row]!;
        }
      }
      const bestCut = new Int32Array(width).fill(-1);
      for (let node = 0; node < width; node++) {
        let best = 1e-3;
        for (let feature = 0; feature < f; feature++) {
          const at = (node * f + feature) * (bins + 1);
          let [gAll, hAll] = [0, 0];
          for (let bin = 0; bin <= bins; bin++) {
            gAll += g[at + bin]!;
            hAll += h[at + bin]!;
          }
          let [gLeft, hLeft] = [0, 0];
          for (let bin = 0; bin < cuts[feature]!.length; bin++) {
            gLeft += g[at + bin]!;
            hLeft += h[at + bin]!;
            const [gRight, hRight] = [gAll - gLeft, hAll - hLeft];
            if (hLeft < leastWeight || hRight < leastWeight) continue;
            const gain = gLeft ** 2 / (hLeft + shrink) + gRight ** 2 / (hRight + shrink) - gAll ** 2 / (hAll + shrink);
            if (gain > best) {
              best = gain;
              bestCut[node] = bin;
              chosen[first + node] = feature;
              limits[first + node] = cuts[feature]![bin]!;
            }
          }
        }
      }
      for (let row = 0; row < n; row++) {
        const node = place[row]! - first;
        const right = bestCut[node]! >= 0 && binned[row * f + chosen[first + node]!]! > bestCut[node]!;
        place[row] = 2 * place[row]! + (right ? 2 : 1);
      }
    }
    const leaves = 2 ** depth;
    const g = new Float64Array(leaves);
    const h = new Float64Array(leaves);
    for (let row = 0; row < n; row++) {
      g[place[row]! - nodes]! += slope[row]!;
      h[place[row]! - nodes]! += curve[row]!;
    }
    const values4 = Array.from(g, (sum, leaf) => Number(((rate * sum) / (h[leaf]! + shrink)).toPrecision(4)));
    for (let row = 0; row < n; row++) sums[row]! += values4[place[row]! - nodes]!;
    table.push(...chosen, ...limits.map((limit) => (limit === Number.MAX_VALUE ? 1e9 : limit)), ...values4);
  }
  return { depth, features, bias: Number(bias.toPrecision(5)), table };
}

function quantiles(values: Float32Array, n: number, f: number, feature: number): number[] {
  const sorted = Float32Array.from({ length: n }, (_, row) => values[row * f + feature]!).sort();
  const cuts = new Set<number>();
  for (let bin = 1; bin < bins; bin++) cuts.add(Number(sorted[Math.floor((bin * n) / bins)]!.toPrecision(4)));
  return [...cuts].sort((a, b) => a - b);
}
