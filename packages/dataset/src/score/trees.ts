/**
 * A sum of decision trees of one depth (gradient boosting; J. Friedman, "Greedy function approximation", 2001), as a flat table: per tree, for each
 * inner node in heap order, the number of a feature; then as many thresholds; then the leaves' values. It goes right where feature > threshold.
 */
export interface Trees {
  readonly depth: number;
  /** Names of the features, in the order in which they are given. */
  readonly features: readonly string[];
  /** Log odds before any tree. */
  readonly bias: number;
  readonly table: readonly number[];
}

/** Probability, 0 to 1. */
export function treesProbability({ depth, bias, table }: Trees, features: ArrayLike<number>, offset = 0): number {
  const nodes = 2 ** depth - 1;
  const stride = 3 * nodes + 1;
  let sum = bias;
  for (let tree = 0; tree < table.length; tree += stride) {
    let node = 0;
    while (node < nodes) node = 2 * node + (features[offset + table[tree + node]!]! > table[tree + nodes + node]! ? 2 : 1);
    sum += table[tree + nodes + node]!;
  }
  return 1 / (1 + Math.exp(-sum));
}
