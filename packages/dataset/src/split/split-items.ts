import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";

export interface SplitItem {
  readonly key: string;
  readonly category: string;
  /** Items of a cluster go to the same side. */
  readonly cluster: string;
}

export interface SplitOptions {
  /** Share of the items that are kept for tests, 0 to 1. Default 0.1, as the paper's 9:1. */
  readonly test?: number;
  /** Default 0. */
  readonly seed?: number | string;
  /** Sides that items were given before: they keep them, and new ones bring each category nearer to its share. Default none. */
  readonly earlier?: ReadonlyMap<string, "train" | "test">;
}

interface Group {
  readonly name: string;
  readonly keys: readonly string[];
  /** From 0 to 1, drawn from seed and name. */
  readonly draw: number;
  readonly fixed?: "train" | "test";
}

/**
 * Divides items into training and test: whole clusters of near-duplicates, so that nothing of a test ad is trained on; in each category the same share, in
 * all the share asked for. Which clusters are tests depends on the seed and their names only, not on the order of items.
 *
 * An item that has a side keeps it. Where two clusters of different sides have become one, all of it goes to training: what was trained on must not become a test.
 *
 * @returns the side of each item
 * @throws ArgumentError for a share out of range or a key that comes twice
 */
export function splitItems(items: Iterable<SplitItem>, options: SplitOptions = {}): Map<string, "train" | "test"> {
  const { test = 0.1, seed = 0, earlier = new Map() } = options;
  if (!(test >= 0 && test <= 1)) throw new ArgumentError(`splitItems: expected a share of tests from 0 to 1, got ${test}`);
  const clusters = new Map<string, { category: string; first: string; keys: string[] }>();
  const seen = new Set<string>();
  for (const { key, category, cluster } of items) {
    if (seen.has(key)) throw new ArgumentError(`splitItems: expected each key once, got ${JSON.stringify(key)} twice`);
    seen.add(key);
    const group = clusters.get(cluster);
    if (!group) clusters.set(cluster, { category, first: key, keys: [key] });
    else {
      group.keys.push(key);
      if (key < group.first) [group.first, group.category] = [key, category];
    }
  }
  const strata = new Map<string, Group[]>();
  for (const [name, { category, keys }] of clusters) {
    const sides = new Set(keys.map((key) => earlier.get(key)).filter((side) => side !== undefined));
    const fixed = sides.size === 0 ? undefined : sides.has("train") ? "train" : "test";
    const group: Group = { name, keys, draw: draw(seed, name), ...(fixed && { fixed }) };
    const stratum = strata.get(category);
    if (stratum) stratum.push(group);
    else strata.set(category, [group]);
  }
  const result = new Map<string, "train" | "test">();
  const targets = apportion(strata, test, seed);
  for (const [category, groups] of strata) {
    let wanted = targets.get(category)!;
    const give = (group: Group, side: "train" | "test") => {
      for (const key of group.keys) result.set(key, side);
      if (side === "test") wanted -= group.keys.length;
    };
    for (const group of groups) if (group.fixed) give(group, group.fixed);
    const free = groups.filter(({ fixed }) => !fixed).sort((a, b) => a.draw - b.draw || (a.name < b.name ? -1 : 1));
    // A cluster that is larger than what is left to fill is trained on.
    for (const group of free) give(group, group.keys.length <= wanted ? "test" : "train");
  }
  return result;
}

/** How many tests each category gets: its share rounded down, and what is then left of the whole to those that lost most by it. */
function apportion(strata: ReadonlyMap<string, readonly Group[]>, test: number, seed: number | string): Map<string, number> {
  const sizes = [...strata].map(([category, groups]) => {
    const size = groups.reduce((sum, { keys }) => sum + keys.length, 0);
    return { category, size, least: Math.floor(size * test + 1e-9) };
  });
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  let left = Math.round(all * test) - sizes.reduce((sum, { least }) => sum + least, 0);
  const byLoss = [...sizes].sort(
    (a, b) => b.size * test - b.least - (a.size * test - a.least) || draw(seed, `category ${a.category}`) - draw(seed, `category ${b.category}`),
  );
  const targets = new Map(sizes.map(({ category, least }) => [category, least]));
  for (const { category, size, least } of byLoss) {
    if (left <= 0) break;
    if (least >= size) continue;
    targets.set(category, least + 1);
    left--;
  }
  return targets;
}

function draw(seed: number | string, name: string): number {
  return (
    createHash("sha256")
      .update(JSON.stringify([seed, "split", name]))
      .digest()
      .readUIntBE(0, 6) /
    2 ** 48
  );
}
