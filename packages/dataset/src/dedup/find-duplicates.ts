import { ArgumentError } from "@refadgen/errors";
import type { FingerprintRow } from "../contract.js";
import { type EmbeddingSearch, embeddingSearch, normalised } from "./embeddings.js";
import { hashedParts } from "./fingerprint.js";
import { buildHashIndex } from "./hash-index.js";
import { hashWords } from "./perceptual-hash.js";
import { type LikenessOptions, likeness, readThumbnail, type Thumbnail, thumbnailBytes } from "./thumbnail.js";

export interface FingerprintedItem {
  readonly key: string;
  readonly fingerprint: FingerprintRow;
  /** Of the file's bytes. */
  readonly sha256?: string;
  readonly width?: number;
  readonly height?: number;
  /** Any number; of duplicates the one with more is kept, whatever their sizes. Default 0. */
  readonly quality?: number;
  /** Of a model, any length, the same for all; items without one are found by the rest. */
  readonly embedding?: ArrayLike<number>;
}

export interface DuplicateOptions {
  /** Bits in which hashes may differ without anything else to prove them alike. Default 3. */
  readonly radius?: number;
  /** Bits in which hashes may differ where the thumbnails prove them alike; at most 16. Default 10, of more than 50 000 items 7. */
  readonly wideRadius?: number;
  /** Least correlation of the aligned thumbnails. Default 0.9. */
  readonly correlation?: number;
  /** Least correlation of their details. Default 0.8. */
  readonly detail?: number;
  /** Largest difference of their colours, in levels. Default 40. */
  readonly colour?: number;
  /** Least cosine of embeddings. Default 0.97. */
  readonly cosine?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export type DuplicateReason = "bytes" | "pixels" | "alike" | "mirrored" | "cropped" | "embedding";

export interface DuplicateMember {
  readonly key: string;
  /** Why it repeats the kept one. */
  readonly reason: DuplicateReason;
  /** Bits in which their hashes differ; 0 for the same bytes or pixels; null for embeddings. */
  readonly distance: number | null;
}

export interface DuplicateGroup {
  /** The item that stays. */
  readonly kept: string;
  /** The items that go, in the order of their keys; each repeats the kept one itself, not only another that does. */
  readonly duplicates: readonly DuplicateMember[];
}

const defaults = { radius: 3, correlation: 0.9, detail: 0.8, colour: 40, cosine: 0.97 } as const;

/**
 * Groups of items that show the same picture. Items are taken from the best to the worst (quality, then pixels, then key); each goes to the first kept
 * item that it repeats or is kept itself. So kept items never repeat one another, and no chain of small steps draws unlike pictures into one group. The
 * answer does not depend on the order in which items come. Groups of one are left out; the rest is sorted by the kept key.
 *
 * Same bytes and pixels are found by sha256; nearly the same ones by perceptual hash, where none within the radius is missed, also mirrored and cropped.
 * Thumbnails verify every match that has them; hashes alone only count within `radius`.
 *
 * @throws ArgumentError for options out of range, two items of one key, hashes that are no hashes, embeddings of different lengths
 */
export async function findDuplicates(
  items: Iterable<FingerprintedItem> | AsyncIterable<FingerprintedItem>,
  options: DuplicateOptions = {},
): Promise<readonly DuplicateGroup[]> {
  checkedLimits(options, 0);
  const table = await collect(items, options.signal);
  const limits = checkedLimits(options, table.keys.length);
  const order = ranked(table);
  const total = order.length;
  // 0: not looked at or a duplicate, 1: kept.
  const kept = new Uint8Array(total);
  const groups = new Map<number, { readonly item: number; readonly reason: DuplicateReason; readonly distance: number | null }[]>();
  const files = new Map<string, number>();
  const pixels = new Map<string, number>();
  const search = hashSearch(table, order, kept, limits);
  const byEmbedding = table.dimensions > 0 ? embeddingSearch(table.dimensions, limits.cosine) : undefined;
  let rested = performance.now();
  for (const [place, item] of order.entries()) {
    const match = exact(item) ?? search(place) ?? embedded(byEmbedding, item);
    if (match) {
      const group = groups.get(match.owner);
      const member = { item, reason: match.reason, distance: match.distance };
      if (group) group.push(member);
      else groups.set(match.owner, [member]);
    } else {
      kept[item] = 1;
      const vector = table.embeddings[item];
      if (byEmbedding && vector) byEmbedding.add(vector, item);
    }
    const owner = match?.owner ?? item;
    const file = table.sha256[item];
    if (file !== undefined && !files.has(file)) files.set(file, owner);
    if (!pixels.has(table.pixels[item]!)) pixels.set(table.pixels[item]!, owner);
    if (performance.now() - rested > 30) {
      options.onProgress?.({ done: place + 1, total });
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      rested = performance.now();
    }
  }
  options.onProgress?.({ done: total, total });
  return [...groups]
    .map(([owner, members]) => ({
      kept: table.keys[owner]!,
      duplicates: members
        .map(({ item, reason, distance }) => ({ key: table.keys[item]!, reason, distance }))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
    }))
    .sort((a, b) => (a.kept < b.kept ? -1 : 1));

  /** The same bytes or pixels as an item before: with it, wherever it went. */
  function exact(item: number): Match | undefined {
    const file = table.sha256[item];
    const byFile = file === undefined ? undefined : files.get(file);
    if (byFile !== undefined) return { owner: byFile, reason: "bytes", distance: 0 };
    const byPixels = pixels.get(table.pixels[item]!);
    return byPixels === undefined ? undefined : { owner: byPixels, reason: "pixels", distance: 0 };
  }

  function embedded(index: EmbeddingSearch | undefined, item: number): Match | undefined {
    const vector = table.embeddings[item];
    const found = index && vector ? index.find(vector) : undefined;
    return found && { owner: found.owner, reason: "embedding", distance: null };
  }
}

interface Match {
  readonly owner: number;
  readonly reason: DuplicateReason;
  readonly distance: number | null;
}

type Limits = { readonly [Name in keyof typeof defaults | "wideRadius"]: number };

/** More items than this are searched less widely by default. */
const many = 50_000;

function checkedLimits({ radius, wideRadius, correlation, detail, colour, cosine }: DuplicateOptions, count: number): Limits {
  const usual = count > many ? 7 : 10;
  const limits: Limits = {
    radius: radius ?? defaults.radius,
    wideRadius: wideRadius ?? Math.max(usual, radius ?? 0),
    correlation: correlation ?? defaults.correlation,
    detail: detail ?? defaults.detail,
    colour: colour ?? defaults.colour,
    cosine: cosine ?? defaults.cosine,
  };
  for (const name of ["radius", "wideRadius"] as const)
    if (!Number.isInteger(limits[name]) || limits[name] < 0 || limits[name] > 16)
      throw new ArgumentError(`findDuplicates: expected ${name} to be 0 to 16 bits, got ${limits[name]}`);
  if (limits.wideRadius < limits.radius)
    throw new ArgumentError(`findDuplicates: expected wideRadius to be at least radius, ${limits.radius}, got ${limits.wideRadius}`);
  for (const name of ["correlation", "detail", "cosine"] as const)
    if (!(limits[name] > 0 && limits[name] <= 1))
      throw new ArgumentError(`findDuplicates: expected ${name} to be above 0 and at most 1, got ${limits[name]}`);
  if (!(limits.colour >= 0)) throw new ArgumentError(`findDuplicates: expected colour to be at least 0, got ${limits.colour}`);
  return limits;
}

/** Items in columns. */
interface Table {
  readonly keys: string[];
  readonly pixels: string[];
  readonly sha256: (string | undefined)[];
  readonly areas: number[];
  readonly qualities: number[];
  readonly embeddings: (Float32Array | undefined)[];
  readonly dimensions: number;
  readonly hashes: (readonly string[])[];
  /** Parts of blocks of many. */
  readonly thumbnails: (Uint8Array | undefined)[];
}

async function collect(items: Iterable<FingerprintedItem> | AsyncIterable<FingerprintedItem>, signal: AbortSignal | undefined): Promise<Table> {
  const seen = new Set<string>();
  const table = {
    keys: [] as string[],
    pixels: [] as string[],
    sha256: [] as (string | undefined)[],
    areas: [] as number[],
    qualities: [] as number[],
    embeddings: [] as (Float32Array | undefined)[],
    dimensions: 0,
    hashes: [] as (readonly string[])[],
    thumbnails: [] as (Uint8Array | undefined)[],
  };
  const block = 1024;
  let room: Uint8Array | undefined;
  let used = 0;
  for await (const { key, fingerprint, sha256, width = 0, height = 0, quality = 0, embedding } of items) {
    if (seen.has(key)) throw new ArgumentError(`findDuplicates: expected keys to differ, got ${key} twice`);
    seen.add(key);
    if (seen.size % 1024 === 0) signal?.throwIfAborted();
    if (Number.isNaN(quality)) throw new ArgumentError(`findDuplicates: expected quality of ${key} to be a number, got NaN`);
    const { pixels, hashes, thumbnail } = fingerprint;
    if (hashes.length > hashedParts.length + 1 || !hashes.every((hash) => /^[0-9a-f]{16}$/u.test(hash)))
      throw new ArgumentError(
        `findDuplicates: expected at most ${hashedParts.length + 1} hashes of 16 hexadecimal digits for ${key}, got ${JSON.stringify(hashes)}`,
      );
    table.keys.push(key);
    table.pixels.push(pixels);
    table.sha256.push(sha256);
    table.areas.push(width * height);
    table.qualities.push(quality);
    table.hashes.push(hashes);
    if (embedding) {
      if (table.dimensions === 0) table.dimensions = embedding.length;
      table.embeddings.push(normalised(embedding, table.dimensions, key));
    } else table.embeddings.push(undefined);
    const small = thumbnail === undefined ? undefined : readThumbnail(thumbnail);
    if (thumbnail !== undefined && !small) throw new ArgumentError(`findDuplicates: expected a thumbnail of this version for ${key}`);
    if (small) {
      if (!room || used === block) [room, used] = [new Uint8Array(block * thumbnailBytes), 0];
      const own = room.subarray(used * thumbnailBytes, (used + 1) * thumbnailBytes);
      own.set(small);
      table.thumbnails.push(own);
      used++;
    } else table.thumbnails.push(undefined);
  }
  return table;
}

function ranked({ keys, areas, qualities }: Table): Uint32Array {
  const order = Uint32Array.from(keys, (_, item) => item);
  return order.sort((a, b) => qualities[b]! - qualities[a]! || areas[b]! - areas[a]! || (keys[a]! < keys[b]! ? -1 : 1));
}

/** Kept pictures that are compared closely with one item, nearest first. */
const mostCompared = 64;

/** Place of the mirror image's hash in a row; the picture's own is before it, its parts' after it. */
const mirror = 1;

interface Candidate {
  readonly distance: number;
  readonly mirrored: boolean;
  /** Which part is alike: 0 for all of it. */
  readonly part: number;
  /** Whether it is the part of the item, not of the kept one. */
  readonly own: boolean;
}

/**
 * Finds the kept item that the item at a place of the order repeats: all of it against all and parts of the kept ones, and its parts against all of
 * them, as either may be the cropped one; and the same mirrored.
 */
function hashSearch(table: Table, order: Uint32Array, kept: Uint8Array, limits: Limits): (place: number) => Match | undefined {
  // Parts are never compared with parts.
  const wholes = entriesOf((kind) => kind <= mirror);
  const parts = entriesOf((kind) => kind > mirror);
  return (place) => {
    const item = order[place]!;
    const own = table.thumbnails[item];
    const radius = own ? limits.wideRadius : limits.radius;
    const best = new Map<number, Candidate>();
    for (const [kind, hash] of table.hashes[item]!.entries()) {
      const [high, low] = hashWords(hash);
      for (const { index, items, kinds } of kind === 0 ? [wholes, parts] : kind === mirror ? [parts] : [wholes])
        index.search(high, low, radius, (entry, distance) => {
          // Only what is before it in the order has been kept so far.
          const owner = items[entry]!;
          if (kept[owner] === 0) return undefined;
          const found = pairing(kind, kinds[entry]!, distance);
          const known = best.get(owner);
          if (!known || rank(found) < rank(known)) best.set(owner, found);
          return undefined;
        });
    }
    const candidates = [...best].sort(([a, x], [b, y]) => rank(x) - rank(y) || a - b).slice(0, mostCompared);
    for (const [owner, { distance, mirrored, part, own: ownPart }] of candidates) {
      const other = table.thumbnails[owner];
      const reason = part > 0 ? "cropped" : mirrored ? "mirrored" : "alike";
      if (own && other) {
        // Whichever is whole is looked for in the one whose part is alike.
        if (same(ownPart ? other : own, ownPart ? own : other, { mirrored, start: hashedParts[part]! }, limits)) return { owner, reason, distance };
      } else if (distance <= limits.radius) return { owner, reason, distance };
    }
    return undefined;
  };

  function entriesOf(wanted: (kind: number) => boolean) {
    const count = table.hashes.reduce((sum, hashes) => sum + hashes.filter((_, kind) => wanted(kind)).length, 0);
    const [high, low, items, kinds] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count), new Uint8Array(count)];
    let at = 0;
    for (const item of order)
      for (const [kind, hash] of table.hashes[item]!.entries()) {
        if (!wanted(kind)) continue;
        [high[at], low[at]] = hashWords(hash);
        items[at] = item;
        kinds[at++] = kind;
      }
    return { index: buildHashIndex({ high, low }), items, kinds };
  }
}

/** Nearer is better; of two as near, whole before part and upright before mirrored. */
function rank({ distance, part, mirrored }: Candidate): number {
  return distance * 4 + (part > 0 ? 2 : 0) + (mirrored ? 1 : 0);
}

/** What it means that these two hashes are alike: of the item's row, and of a kept one's. */
function pairing(own: number, other: number, distance: number): Candidate {
  if (own > mirror) return { distance, mirrored: other === mirror, part: own - 1, own: true };
  return { distance, mirrored: own === mirror || other === mirror, part: other > mirror ? other - 1 : 0, own: false };
}

function same(whole: Thumbnail, cropped: Thumbnail, options: LikenessOptions, { correlation, detail, colour }: Limits): boolean {
  const found = likeness(whole, cropped, options);
  return found.correlation >= correlation && found.detail >= detail && found.colour <= colour;
}
