import { ArgumentError } from "@refadgen/errors";
import { components } from "./components.js";
import { squaredDistance } from "./distance.js";
import { assertMask, type Mask, maskArea } from "./mask.js";

/** Makes the mask larger by a disc of this radius in pixels; fractions count. */
export function dilateMask(mask: Mask, radius: number): Mask {
  assertRadius("dilateMask", radius);
  assertMask("dilateMask", mask);
  const far = squaredDistance(mask, 1);
  return { ...mask, data: Uint8Array.from(far, (distance) => (distance <= radius * radius ? 1 : 0)) };
}

/** Makes the mask smaller by a disc of this radius in pixels. What lies beyond the picture's edge counts as product. */
export function erodeMask(mask: Mask, radius: number): Mask {
  assertRadius("erodeMask", radius);
  assertMask("erodeMask", mask);
  const far = squaredDistance(mask, 0);
  return { ...mask, data: Uint8Array.from(far, (distance) => (distance > radius * radius ? 1 : 0)) };
}

export interface CleanOptions {
  /** Holes of up to this share of the mask's area are filled; 0 none, 1 all. Default 0.002: glare and printed white, not a cup's handle. */
  readonly holes?: number;
  /** Pieces below this share of the largest one are removed; 0 none, 1 all but the largest. Default 0.02. */
  readonly islands?: number;
  /** Threads and spurs thinner than twice this radius are cut off, gaps thinner than that closed. In pixels; default 0. */
  readonly smooth?: number;
}

/**
 * Removes what segmentation leaves behind: pinholes, specks, frayed edges.
 *
 * @throws ArgumentError for a mask of other values than 0 and 1, or options out of range
 */
export function cleanMask(mask: Mask, options: CleanOptions = {}): Mask {
  assertMask("cleanMask", mask);
  const { holes = 0.002, islands = 0.02, smooth = 0 } = options;
  for (const [name, share] of Object.entries({ holes, islands })) {
    if (!(share >= 0 && share <= 1)) throw new ArgumentError(`cleanMask: expected ${name} between 0 and 1, got ${share}`);
  }
  assertRadius("cleanMask", smooth);
  const smoothed = smooth > 0 ? closed(opened(mask, smooth), smooth) : mask;
  return withoutIslands(withoutHoles(smoothed, holes), islands);
}

const opened = (mask: Mask, radius: number): Mask => dilateMask(erodeMask(mask, radius), radius);

/** With room around the picture: a mask that is near its edge must not be drawn to it. */
function closed(mask: Mask, radius: number): Mask {
  const room = Math.ceil(radius) + 1;
  return framed(erodeMask(dilateMask(framed(mask, room), radius), radius), -room);
}

/** With `room` more pixels of 0 on every side, or that many fewer. */
function framed({ width, height, data }: Mask, room: number): Mask {
  const [wide, high] = [width + 2 * room, height + 2 * room];
  const out = new Uint8Array(wide * high);
  for (let y = Math.max(0, -room); y < Math.min(height, height + room); y++) {
    const row = data.subarray(y * width + Math.max(0, -room), (y + 1) * width - Math.max(0, -room));
    out.set(row, (y + room) * wide + Math.max(0, room));
  }
  return { width: wide, height: high, data: out };
}

function withoutHoles(mask: Mask, share: number): Mask {
  const area = maskArea(mask);
  if (share === 0 || area === 0) return mask;
  const { width, height } = mask;
  const { labels, areas } = components(mask, 0, 4);
  const open = new Set<number>([0]);
  for (let x = 0; x < width; x++) open.add(labels[x]!).add(labels[(height - 1) * width + x]!);
  for (let y = 0; y < height; y++) open.add(labels[y * width]!).add(labels[y * width + width - 1]!);
  const filled = areas.map((hole, label) => !open.has(label) && (share === 1 || hole <= share * area));
  return { ...mask, data: mask.data.map((value, index) => (value === 1 || filled[labels[index]!] ? 1 : 0)) };
}

function withoutIslands(mask: Mask, share: number): Mask {
  const { labels, areas } = components(mask, 1, 8);
  if (share === 0 || areas.length <= 2) return mask;
  const largest = areas.slice(1).reduce((most, area) => Math.max(most, area), 0);
  const first = areas.indexOf(largest, 1);
  const kept = areas.map((area, label) => label > 0 && (share === 1 ? label === first : area >= share * largest));
  return { ...mask, data: mask.data.map((_, index) => (kept[labels[index]!] ? 1 : 0)) };
}

/** One mask for each piece of at least `share` of the largest, the largest first: several products on one plain background. */
export function splitMask(mask: Mask, { share = 0.05 }: { readonly share?: number } = {}): Mask[] {
  assertMask("splitMask", mask);
  if (!(share >= 0 && share <= 1)) throw new ArgumentError(`splitMask: expected share between 0 and 1, got ${share}`);
  const { labels, areas } = components(mask, 1, 8);
  const pieces = areas.map((area, label) => ({ area, label })).slice(1);
  const largest = pieces.reduce((most, { area }) => Math.max(most, area), 0);
  return pieces
    .filter(({ area }) => area >= share * largest)
    .sort((a, b) => b.area - a.area)
    .map(({ label }) => ({ ...mask, data: mask.data.map((_, index) => (labels[index] === label ? 1 : 0)) }));
}

function assertRadius(name: string, radius: number): void {
  if (!(radius >= 0 && Number.isFinite(radius))) throw new ArgumentError(`${name}: expected a radius of at least 0, got ${radius}`);
}
