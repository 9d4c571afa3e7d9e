/**
 * - `variants` a row per variant, and one for a product that has none: the authors' rows
 * - `all` the product itself has a row too
 * - `original` the product itself alone
 * - `random` a row per triplet; which of its products, the original among them, is drawn each epoch
 */
export type Products = "variants" | "all" | "original" | "random";

/** What an epoch goes through. */
export interface Rows {
  readonly length: number;
  /** How many lie together, in order. */
  readonly runs: readonly number[];
  /**
   * Which triplet, by its number in the data set and its place among those chosen; and which of its products: 0 the product itself, 1 and on its
   * variants by their order, -1 to be drawn.
   */
  at(row: number): { readonly triplet: number; readonly place: number; readonly product: number };
}

/**
 * Rows of some of a data set's triplets.
 *
 * @param chosen numbers of the triplets, ascending
 * @param runs how many triplets of the whole data set lie together
 * @param counts how many variants each triplet of the whole data set has
 */
export function createRows(chosen: Uint32Array, runs: readonly number[], counts: Uint8Array, products: Products): Rows {
  const rowsOf = (triplet: number): number => {
    const variants = counts[triplet]!;
    return products === "variants" ? Math.max(variants, 1) : products === "all" ? variants + 1 : 1;
  };
  const starts = new Float64Array(chosen.length + 1);
  for (const [at, triplet] of chosen.entries()) starts[at + 1] = starts[at]! + rowsOf(triplet);
  const rowRuns: number[] = [];
  let [end, at] = [0, 0];
  for (const run of runs) {
    end += run;
    const first = at;
    while (at < chosen.length && chosen[at]! < end) at++;
    if (at > first) rowRuns.push(starts[at]! - starts[first]!);
  }
  return {
    length: starts[chosen.length]!,
    runs: rowRuns,
    at(row) {
      let [low, high] = [0, chosen.length - 1];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= row) low = middle;
        else high = middle - 1;
      }
      const triplet = chosen[low]!;
      const local = row - starts[low]!;
      if (products === "random") return { triplet, place: low, product: -1 };
      return { triplet, place: low, product: products === "variants" && counts[triplet]! > 0 ? local + 1 : local };
    },
  };
}
