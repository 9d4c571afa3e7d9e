import { blurInside } from "./inflate.js";
import type { Silhouette } from "./silhouette.js";
import type { TwoSidedColour } from "./surface.js";

/** Coverage from which a pixel counts as all product. */
const solid = 0.98;
/** A matte with fewer soft pixels among those of the outline than this was cut hard. */
const softShare = 0.1;
/** How far inside a hard outline the background may have bled, pixels. */
const bleed = 1.6;

/**
 * The product's own colours: what the background mixed into the pixels of the outline is taken out.
 *
 * A soft mask says how much that is. A hard one does not: there a pixel on the outline whose colour lies between those of the background and of
 * the product further in is moved to the product's end.
 *
 * @param rgb [H, W, 3] of the whole photo, 0 to 1.
 * @param plate [H, W, 3] of the whole photo without the product; undefined if the colours hold none of the background (straight alpha).
 * @returns [h, w, 3] of the silhouette; what lies outside is not to be looked at.
 */
export function ownColours(rgb: Float32Array, plate: Float32Array | undefined, photoWidth: number, silhouette: Silhouette): Float32Array {
  const { left, top, width, height, inside, coverage, distance } = silhouette;
  const own = new Float32Array(width * height * 3);
  const at = (i: number): number => (Math.floor(i / width) + top) * photoWidth + (i % width) + left;
  let outline = 0;
  let soft = 0;
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    const j = at(i);
    for (let c = 0; c < 3; c++) own[i * 3 + c] = rgb[j * 3 + c]!;
    if (distance[i]! < 1) {
      outline++;
      if (coverage[i]! < solid) soft++;
    }
  }
  if (!plate) return own;
  const hard = soft < softShare * outline;
  const photographed = own.slice();
  const inner = new Float32Array(3);
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    const j = at(i);
    const matte = coverage[i]!;
    if (matte < solid) {
      for (let c = 0; c < 3; c++) {
        const back = plate[j * 3 + c]!;
        own[i * 3 + c] = Math.min(Math.max(back + (photographed[i * 3 + c]! - back) / matte, 0), 1);
      }
      // A matte that is a little wrong gives a colour that is far off: it stays within what lies next to it.
      limitToNeighbours(own, photographed, silhouette, i);
    } else if (hard && distance[i]! < bleed) {
      if (!furtherIn(photographed, silhouette, i, inner)) continue;
      let along = 0;
      let length = 0;
      for (let c = 0; c < 3; c++) {
        const back = plate[j * 3 + c]!;
        along += (photographed[i * 3 + c]! - back) * (inner[c]! - back);
        length += (inner[c]! - back) ** 2;
      }
      const part = Math.min(Math.max(along / Math.max(length, 1e-6), 0), 1);
      let aside = 0;
      for (let c = 0; c < 3; c++) {
        const back = plate[j * 3 + c]!;
        aside += (photographed[i * 3 + c]! - back - part * (inner[c]! - back)) ** 2;
      }
      if (part >= 0.97 || length < 4e-4) continue;
      // Colours beside the line between the two are the product's own; only what lies on it is bleed.
      const trust = Math.max(0, 1 - aside / (0.02 * length + 1e-4));
      for (let c = 0; c < 3; c++) own[i * 3 + c]! += trust * (1 - part) * (inner[c]! - plate[j * 3 + c]!);
    }
  }
  return own;
}

function limitToNeighbours(own: Float32Array, photographed: Float32Array, { width, height, coverage }: Silhouette, i: number): void {
  const [x, y] = [i % width, Math.floor(i / width)];
  for (let c = 0; c < 3; c++) {
    let [least, most] = [Infinity, -Infinity];
    for (let v = Math.max(y - 2, 0); v <= Math.min(y + 2, height - 1); v++) {
      for (let u = Math.max(x - 2, 0); u <= Math.min(x + 2, width - 1); u++) {
        const k = v * width + u;
        if (coverage[k]! < solid) continue;
        const value = photographed[k * 3 + c]!;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    if (least > most) continue;
    const slack = 0.02 + 0.25 * (most - least);
    own[i * 3 + c] = Math.min(Math.max(own[i * 3 + c]!, least - slack, 0), most + slack, 1);
  }
}

/** Mean colour about two pixels further from the outline; false where the product is too thin to have an inside. */
function furtherIn(colours: Float32Array, silhouette: Silhouette, i: number, into: Float32Array): boolean {
  return meanNearby(colours, silhouette, i, { from: silhouette.distance[i]! + 1.5, to: Infinity }, into);
}

/** Mean colour within three pixels of those that lie so far from the outline; false if there are none. */
function meanNearby(
  colours: Float32Array,
  { width, height, inside, distance }: Silhouette,
  i: number,
  { from, to }: { readonly from: number; readonly to: number },
  into: Float32Array,
): boolean {
  const [x, y] = [i % width, Math.floor(i / width)];
  into.fill(0);
  let weights = 0;
  for (let v = Math.max(y - 3, 0); v <= Math.min(y + 3, height - 1); v++) {
    for (let u = Math.max(x - 3, 0); u <= Math.min(x + 3, width - 1); u++) {
      const k = v * width + u;
      if (!inside[k] || distance[k]! < from || distance[k]! > to) continue;
      const weight = 1 / (1 + (u - x) ** 2 + (v - y) ** 2);
      weights += weight;
      for (let c = 0; c < 3; c++) into[c]! += weight * colours[k * 3 + c]!;
    }
  }
  if (weights === 0) return false;
  for (let c = 0; c < 3; c++) into[c]! /= weights;
  return true;
}

/** Pixels from the outline within which what runs into the depth takes its colour from further in. */
const rim = 2;
/** Differences between a colour of the outline and those further in: up to the first it is shading, from the second on another thing. */
const alike = 0.08;
const unlike = 0.25;

/**
 * Colours for both sides. The back mirrors the front, so that what a turn uncovers carries the pattern on past the outline; but the pixels of the
 * outline themselves, of which a turn makes a broad band each, hold a reflection, a shadow or what is left of the background.
 *
 * @param front [H, W, 3] from `ownColours`.
 * @param slab whether the sides are walls: those take the colours of the outline, evened out along it.
 */
export function bothSides(front: Float32Array, silhouette: Silhouette, slab: boolean): TwoSidedColour {
  const { width, height, inside, distance } = silhouette;
  const deep = front.slice();
  const inner = new Float32Array(3);
  const beside = new Float32Array(3);
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i] || distance[i]! >= rim || !furtherIn(front, silhouette, i, inner)) continue;
    // Evened out along the outline, whose steps are a pixel long and show all the way down.
    meanNearby(front, silhouette, i, { from: 0, to: rim }, beside);
    const apart = Math.max(...beside.map((value, c) => Math.abs(value - inner[c]!)));
    const other = Math.min(Math.max((apart - alike) / (unlike - alike), 0), 1);
    const part = Math.min(rim - distance[i]!, 1);
    for (let c = 0; c < 3; c++) deep[i * 3 + c]! += part * (beside[c]! + other * (inner[c]! - beside[c]!) - deep[i * 3 + c]!);
  }
  const back = deep.slice();
  for (let y = 0; y + 1 < height; y += 2) {
    for (let x = 0; x + 1 < width; x += 2) {
      const i = y * width + x;
      if (!inside[i] || !inside[i + 1] || !inside[i + width] || !inside[i + width + 1]) continue;
      if (distance[i]! <= 4) continue;
      for (let c = 0; c < 3; c++) {
        const [a, b] = [i * 3 + c, (i + width) * 3 + c];
        back[a] = (front[a]! + front[a + 3]! + front[b]! + front[b + 3]!) / 4;
      }
    }
  }
  return { front, back, deep: slab ? wallColours(deep, silhouette) : deep };
}

/** How much of the blur of drawing is taken out beforehand, 0 to 1. */
const sharpening = 0.6;

/** Colours that come out as they were when drawn with splats, which blur them: the difference to their own blur is added. */
export function sharpened(colours: Float32Array, { width, inside }: Silhouette): Float32Array {
  const sharp = colours.slice();
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    for (let c = 0; c < 3; c++) {
      const own = colours[i * 3 + c]!;
      const left = inside[i - 1] ? colours[(i - 1) * 3 + c]! : own;
      const right = inside[i + 1] ? colours[(i + 1) * 3 + c]! : own;
      const above = inside[i - width] ? colours[(i - width) * 3 + c]! : own;
      const below = inside[i + width] ? colours[(i + width) * 3 + c]! : own;
      sharp[i * 3 + c] = own + sharpening * (own - (left + right + above + below) / 4);
    }
  }
  return sharp;
}

/** Walls turn away from the light that falls on the face. */
const wallShade = 0.88;

function wallColours(front: Float32Array, { width, height, inside, distance, area }: Silhouette): Float32Array {
  const rim = inside.map((value, i) => (value && distance[i]! < 3 ? 1 : 0));
  const radius = Math.max(2, Math.round(Math.sqrt(area) * 0.02));
  const wall = new Float32Array(front.length);
  const plane = new Float32Array(inside.length);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane.length; i++) plane[i] = front[i * 3 + c]!;
    blurInside(plane, rim, width, height, radius);
    for (let i = 0; i < plane.length; i++) wall[i * 3 + c] = (rim[i] ? plane[i]! : front[i * 3 + c]!) * wallShade;
  }
  return wall;
}
