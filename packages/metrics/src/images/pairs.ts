import { ArgumentError } from "@refadgen/errors";
import type { SkippedImage } from "../metrics/contract.js";
import { MetricError } from "../metrics/error.js";
import type { Picture } from "../networks/contract.js";
import { type ReadImage, type ReadOptions, readOne } from "./read.js";
import { type ImageSource, openSource, type UnreadImage } from "./source.js";

export interface PairOptions extends ReadOptions {
  /**
   * `name`: pictures belong together whose names are equal up to their extension; `order`: the first to the first, and so on.
   * Default: `name` for paths, `order` for lists.
   */
  readonly match?: "name" | "order";
  /** Pictures without a partner end the run (`error`, the default), or are listed in the result (`skip`). */
  readonly onUnmatched?: "error" | "skip";
}

/** Pictures that belong together, by role; or why a row cannot be used. */
export type ReadRow<Role extends string> =
  | { readonly name: string; readonly pictures: Readonly<Record<Role, Picture>> }
  | { readonly name: string; readonly skipped: SkippedImage };

export interface RowStream<Role extends string> extends AsyncIterable<ReadRow<Role>> {
  readonly count: number;
  /** Pictures without a partner. */
  readonly unmatched: readonly SkippedImage[];
}

/**
 * Reads sources side by side; rows are named after the first one's pictures.
 *
 * @throws ArgumentError for lists of unequal lengths; MetricError `no-images`, `bad-image` when pictures have no partner
 */
export async function readRows<Role extends string>(
  sources: Readonly<Record<Role, ImageSource>>,
  options: PairOptions = {},
): Promise<RowStream<Role>> {
  const roles = Object.keys(sources) as Role[];
  const lists = new Map<Role, readonly UnreadImage[]>();
  for (const role of roles) lists.set(role, await collected((await openSource(role, sources[role], options)).images));
  const { match = roles.every((role) => typeof sources[role] === "string") ? "name" : "order", onUnmatched = "error" } = options;
  if (match !== "name" && match !== "order") throw new ArgumentError(`match: expected "name" or "order", got "${String(match)}"`);
  const { rows, unmatched } = match === "order" ? byOrder(roles, lists) : byName(roles, lists);
  if (unmatched.length > 0 && onUnmatched === "error") {
    const shown = unmatched.slice(0, 10).map(({ name, reason }) => `${name} (${reason})`);
    const more = unmatched.length > 10 ? ` and ${unmatched.length - 10} more` : "";
    throw new MetricError(
      "bad-image",
      `${unmatched.length} pictures have no partner: ${shown.join(", ")}${more}. onUnmatched: "skip" leaves them out`,
    );
  }
  if (rows.length === 0) throw new MetricError("no-images", `no picture of ${roles.join(" and ")} has a partner`);
  return { count: rows.length, unmatched, [Symbol.asyncIterator]: () => readAhead(roles, rows, options) };
}

type Row<Role extends string> = Readonly<Record<Role, UnreadImage>>;

interface Matched<Role extends string> {
  readonly rows: readonly Row<Role>[];
  readonly unmatched: readonly SkippedImage[];
}

function byOrder<Role extends string>(roles: readonly Role[], lists: ReadonlyMap<Role, readonly UnreadImage[]>): Matched<Role> {
  const counts = roles.map((role) => lists.get(role)!.length);
  if (counts.some((count) => count !== counts[0]))
    throw new ArgumentError(`expected equally many pictures, got ${roles.map((role, index) => `${counts[index]} ${role}`).join(", ")}`);
  const rows = Array.from({ length: counts[0]! }, (_, index) => rowOf(roles, (role) => lists.get(role)![index]!));
  return { rows, unmatched: [] };
}

function byName<Role extends string>(roles: readonly Role[], lists: ReadonlyMap<Role, readonly UnreadImage[]>): Matched<Role> {
  const tables = new Map(roles.map((role) => [role, byStem(role, lists.get(role)!)]));
  const [first] = roles as [Role, ...Role[]];
  const stems = [...tables.get(first)!.keys()].filter((stem) => roles.every((role) => tables.get(role)!.has(stem)));
  const matched = new Set(stems);
  const unmatched = roles.flatMap((role) =>
    [...tables.get(role)!].flatMap(([stem, { name }]) => {
      if (matched.has(stem)) return [];
      const lacking = roles.filter((other) => !tables.get(other)!.has(stem));
      return [{ name, code: "unmatched", reason: `${role} without ${lacking.join(" and ")}` }];
    }),
  );
  return { rows: stems.map((stem) => rowOf(roles, (role) => tables.get(role)!.get(stem)!)), unmatched };
}

function byStem(role: string, images: readonly UnreadImage[]): ReadonlyMap<string, UnreadImage> {
  const table = new Map<string, UnreadImage>();
  for (const image of images) {
    const stem = image.name.replace(/\.[^./\\]*$/, "");
    const other = table.get(stem);
    if (other) throw new ArgumentError(`${role}: ${other.name} and ${image.name} have the same stem, so it is not clear which of them to pair`);
    table.set(stem, image);
  }
  return table;
}

function rowOf<Role extends string>(roles: readonly Role[], image: (role: Role) => UnreadImage): Row<Role> {
  return Object.fromEntries(roles.map((role) => [role, image(role)])) as Record<Role, UnreadImage>;
}

async function* readAhead<Role extends string>(
  roles: readonly Role[],
  rows: readonly Row<Role>[],
  options: ReadOptions,
): AsyncGenerator<ReadRow<Role>> {
  const { decodeAhead = 4, signal } = options;
  const coming: Promise<ReadRow<Role>>[] = [];
  for (const row of rows) {
    signal?.throwIfAborted();
    const reading = readRow(roles, row, options);
    reading.catch(() => undefined);
    coming.push(reading);
    if (coming.length >= decodeAhead) yield await coming.shift()!;
  }
  for (const reading of coming) yield await reading;
}

async function readRow<Role extends string>(roles: readonly Role[], row: Row<Role>, options: ReadOptions): Promise<ReadRow<Role>> {
  const { name } = row[roles[0]!];
  const read = await Promise.all(roles.map((role) => readOne(role, row[role], options)));
  const bad = read.find((one): one is Extract<ReadImage, { readonly skipped: SkippedImage }> => "skipped" in one);
  if (bad) return { name, skipped: bad.skipped };
  const pictures = Object.fromEntries(roles.map((role, index) => [role, (read[index] as { readonly picture: Picture }).picture]));
  return { name, pictures: pictures as Record<Role, Picture> };
}

async function collected(images: AsyncIterable<UnreadImage> | Iterable<UnreadImage>): Promise<readonly UnreadImage[]> {
  const all: UnreadImage[] = [];
  for await (const image of images) all.push(image);
  return all;
}
