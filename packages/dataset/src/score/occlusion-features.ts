import { ringAround } from "./morphology.js";
import { hullMask, traceOutlines } from "./outline.js";
import { labelled } from "./strokes.js";
import type { WorkingCopy } from "./working-copy.js";

/** What is measured of a product's outline, of what lies in it and around it. Areas are shares of the mask's area, lengths of the outline's. */
export const occlusionFeatures = [
  "area",
  "solidity",
  "roundness",
  "holes",
  "holeArea",
  "parts",
  "secondPart",
  "border",
  "symmetry",
  "boxFill",
  "weak",
  "weakRun",
  "straddlingRun",
  "straddlingRuns",
  "crossings",
  "strongestCrossing",
  "secondCrossing",
  "foreignRun",
  "foreignRuns",
  "biteContrast",
  "concaveCorners",
  "regionStraddle",
  "regionStraddleInside",
  "regionStraddles",
  "skinInside",
  "skinAround",
  "skinStraddle",
  "skinNear",
  "foreignInHull",
  "foreignAround",
  "foreignPart",
  "foreignPartContact",
  "foreignPartBorder",
  "foreignPartInHull",
  "strangeInHull",
  "strangeAround",
  "biggestBite",
  "biteForeign",
  "insideLikeGround",
] as const;

export interface OcclusionEvidence {
  /** In the order of `occlusionFeatures`. */
  readonly values: Float32Array;
  named(feature: (typeof occlusionFeatures)[number]): number;
}

/** @returns undefined for a mask of next to nothing */
export function measureOcclusion(copy: WorkingCopy, mask: Uint8Array): OcclusionEvidence | undefined {
  const { width, height } = copy;
  const shorter = Math.min(width, height);
  let area = 0;
  for (const value of mask) area += value;
  if (area < 40) return undefined;
  const lines = traceOutlines(mask, width, height);
  if (lines.length === 0) return undefined;
  const values = new Map<string, number>();
  const hull = hullMask(mask, width, height);
  shape(
    values,
    mask,
    hull,
    width,
    height,
    area,
    lines.reduce((sum, { length }) => sum + length, 0),
  );
  along(values, copy, mask, hull, lines, shorter);
  regions(values, copy, mask, area);
  skin(values, copy, mask, area, shorter);
  foreign(
    values,
    copy,
    mask,
    hull,
    area,
    lines.reduce((sum, { length }) => sum + length, 0),
    shorter,
  );
  return {
    values: Float32Array.from(occlusionFeatures, (name) => values.get(name) ?? 0),
    named: (feature) => values.get(feature) ?? 0,
  };
}

type Values = Map<string, number>;

function shape(values: Values, mask: Uint8Array, hull: Uint8Array, width: number, height: number, area: number, perimeter: number): void {
  let hullArea = 0;
  for (const value of hull) hullArea += value;
  const parts = sizes(labelled(mask, width, height));
  const outside = new Uint8Array(mask.length);
  for (let pixel = 0; pixel < mask.length; pixel++) outside[pixel] = 1 - mask[pixel]!;
  const gaps = labelled(outside, width, height);
  const open = new Set<number>();
  let contact = 0;
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) edgePixel(y * width + x);
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) edgePixel(y * width + x);
  function edgePixel(pixel: number): void {
    if (mask[pixel]) contact++;
    else open.add(gaps.labels[pixel]!);
  }
  const holes = Array.from(sizes(gaps), (size, index) => ({ size, closed: !open.has(index + 1) })).filter(
    ({ size, closed }) => closed && size > area * 0.002,
  );
  let [left, right, top, bottom, sumX] = [width, 0, height, 0, 0];
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++)
      if (mask[pixel]) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
        sumX += x;
      }
  let symmetric = 0;
  for (const axis of [(left + right) / 2, sumX / area]) {
    let both = 0;
    for (let y = top; y <= bottom; y++)
      for (let x = left; x <= right; x++) {
        const other = Math.round(2 * axis - x);
        if (mask[y * width + x] && other >= 0 && other < width && mask[y * width + other]) both++;
      }
    symmetric = Math.max(symmetric, both / area);
  }
  parts.sort((a, b) => b - a);
  values.set("area", area / mask.length);
  values.set("solidity", area / hullArea);
  values.set("roundness", perimeter / Math.sqrt(area));
  values.set("holes", holes.length);
  values.set("holeArea", holes.reduce((sum, { size }) => sum + size, 0) / area);
  values.set("parts", parts.filter((size) => size > area * 0.01).length);
  values.set("secondPart", (parts[1] ?? 0) / area);
  values.set("border", contact / Math.max(1, perimeter));
  values.set("symmetry", symmetric);
  values.set("boxFill", area / ((right - left + 1) * (bottom - top + 1)));
}

function sizes({ labels, count }: { readonly labels: Int32Array; readonly count: number }): number[] {
  const out = new Array<number>(count).fill(0);
  for (const label of labels) if (label !== 0) out[label - 1]!++;
  return out;
}

/** Colours just inside and just outside along the outlines. Where something lies across, both change at one place and are alike between. */
function along(
  values: Values,
  copy: WorkingCopy,
  mask: Uint8Array,
  hull: Uint8Array,
  lines: ReturnType<typeof traceOutlines>,
  shorter: number,
): void {
  const { width, height, rgb } = copy;
  const depth = Math.max(2, shorter / 110);
  const total = lines.reduce((sum, { length }) => sum + length, 0);
  const step = Math.max(2, Math.round(shorter / 90));
  let [weak, weakRun, straddlingRun, straddlingRuns, crossings, foreignRun, foreignRuns, biteContrast, corners] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  const strengths: number[] = [];
  for (const { points, normals, length } of lines.slice(0, 12)) {
    const inside = new Float32Array(length * 3);
    const outside = new Float32Array(length * 3);
    const valid = new Uint8Array(length);
    const across = new Float32Array(length);
    for (let at = 0; at < length; at++) {
      const [x, y, nx, ny] = [points[at * 2]!, points[at * 2 + 1]!, normals[at * 2]!, normals[at * 2 + 1]!];
      let ok = 0;
      for (const side of [-1, 1]) {
        const target = side < 0 ? inside : outside;
        let count = 0;
        for (const far of [0.7 * depth, depth, 1.5 * depth]) {
          const px = Math.floor(x + side * far * nx);
          const py = Math.floor(y + side * far * ny);
          if (px < 0 || py < 0 || px >= width || py >= height) continue;
          const pixel = py * width + px;
          if (mask[pixel] !== (side < 0 ? 1 : 0)) continue;
          for (let c = 0; c < 3; c++) target[at * 3 + c]! += rgb[pixel * 3 + c]!;
          count++;
        }
        if (count > 0) {
          for (let c = 0; c < 3; c++) target[at * 3 + c]! /= count;
          ok++;
        }
      }
      valid[at] = ok === 2 ? 1 : 0;
      across[at] = ok === 2 ? distance(inside, at, outside, at) : 255;
      if (across[at]! < 18) weak++;
    }
    // Places where the colours on both sides change together.
    const joint = new Float32Array(length);
    for (let at = 0; at < length; at++) {
      const [before, after] = [(at - step + length) % length, (at + step) % length];
      if (!valid[before] || !valid[after]) continue;
      const both = Math.min(distance(inside, before, inside, after), distance(outside, before, outside, after));
      const alike = Math.min(across[before]!, across[after]!);
      joint[at] = Math.max(0, both - 1.2 * alike);
    }
    for (let at = 0; at < length; at++) {
      if (joint[at]! < 10) continue;
      let peak = true;
      for (let other = 1; other <= 2 * step && peak; other++)
        peak = joint[(at + other) % length]! <= joint[at]! && joint[(at - other + length) % length]! < joint[at]!;
      if (!peak) continue;
      strengths.push(joint[at]!);
      crossings++;
    }
    // Runs where both sides are alike, and different from what flanks them.
    eachRun(
      length,
      (at) => across[at]! < 26,
      2,
      (from, count) => {
        weakRun = Math.max(weakRun, count / total);
        if (count < step || count > 0.9 * length) return;
        const middle = (from + (count >> 1)) % length;
        const flanks = [(from - 2 * step + 2 * length) % length, (from + count + 2 * step) % length].filter((at) => valid[at]);
        if (flanks.length === 0) return;
        const differs = (side: Float32Array) => flanks.reduce((sum, at) => sum + distance(side, at, side, middle), 0) / flanks.length;
        const score = (Math.min(differs(inside), differs(outside)) / 60) * Math.min(1, (6 * count) / shorter);
        straddlingRun = Math.max(straddlingRun, score);
        straddlingRuns += score;
      },
    );
    // Runs of one colour outside that begin and end with a jump, in a bay of the silhouette.
    const jumps = new Float32Array(length);
    for (let at = 0; at < length; at++) {
      const [before, after] = [(at - step + length) % length, (at + step) % length];
      jumps[at] = valid[before] && valid[after] ? distance(outside, before, outside, after) : 0;
    }
    const bay = new Uint8Array(length);
    for (let at = 0; at < length; at++) {
      const px = Math.floor(points[at * 2]! + (depth + 1) * normals[at * 2]!);
      const py = Math.floor(points[at * 2 + 1]! + (depth + 1) * normals[at * 2 + 1]!);
      bay[at] = px >= 0 && py >= 0 && px < width && py < height && hull[py * width + px] === 1 ? 1 : 0;
    }
    eachRun(
      length,
      (at) => jumps[at]! < 24,
      0,
      (from, count) => {
        if (count < 2 * step || count > 0.8 * length) return;
        let [hollow, mean] = [0, 0];
        for (let offset = 0; offset < count; offset++) {
          hollow += bay[(from + offset) % length]!;
          mean += across[(from + offset) % length]!;
        }
        const before = jumps[(from - 1 + length) % length]!;
        const after = jumps[(from + count) % length]!;
        const flanks = [(from - 3 * step + 3 * length) % length, (from + count + 3 * step) % length].filter((at) => valid[at]);
        const middle = (from + (count >> 1)) % length;
        if (flanks.length < 2) return;
        const differs = Math.min(...flanks.map((at) => distance(outside, at, outside, middle)));
        const score = (Math.min(before, after, 60) / 60) * (differs / 60) * (hollow / count) * Math.min(1, (5 * count) / shorter);
        foreignRun = Math.max(foreignRun, score);
        foreignRuns += score;
        biteContrast = Math.max(biteContrast, score * (mean / count / 60));
      },
    );
    for (let at = 0; at < length; at++) {
      const [before, after] = [(at - 2 * step + 2 * length) % length, (at + 2 * step) % length];
      const cross = normals[before * 2]! * normals[after * 2 + 1]! - normals[before * 2 + 1]! * normals[after * 2]!;
      const dot = normals[before * 2]! * normals[after * 2]! + normals[before * 2 + 1]! * normals[after * 2 + 1]!;
      if (cross < -0.6 && dot < 0.6) corners++;
    }
  }
  strengths.sort((a, b) => b - a);
  values.set("weak", weak / total);
  values.set("weakRun", weakRun);
  values.set("straddlingRun", straddlingRun);
  values.set("straddlingRuns", straddlingRuns);
  values.set("crossings", (crossings / total) * shorter);
  values.set("strongestCrossing", strengths[0] ?? 0);
  values.set("secondCrossing", strengths[1] ?? 0);
  values.set("foreignRun", foreignRun);
  values.set("foreignRuns", foreignRuns);
  values.set("biteContrast", biteContrast);
  values.set("concaveCorners", (corners / total) * 10);
}

function distance(first: Float32Array, i: number, second: Float32Array, j: number): number {
  const [dr, dg, db] = [first[i * 3]! - second[j * 3]!, first[i * 3 + 1]! - second[j * 3 + 1]!, first[i * 3 + 2]! - second[j * 3 + 2]!];
  return Math.sqrt((dr * dr + dg * dg + db * db) / 2);
}

/** Runs of a closed line that pass a test, with gaps of up to `gap` closed. */
function eachRun(length: number, passes: (at: number) => boolean, gap: number, visit: (from: number, count: number) => void): void {
  const ok = new Uint8Array(length);
  for (let at = 0; at < length; at++) ok[at] = passes(at) ? 1 : 0;
  const start = ok.indexOf(0);
  if (start < 0) {
    visit(0, length);
    return;
  }
  let [from, count, missed] = [-1, 0, 0];
  for (let offset = 1; offset <= length; offset++) {
    const at = (start + offset) % length;
    if (ok[at]) {
      if (from < 0) [from, count] = [at, 0];
      count += missed + 1;
      missed = 0;
    } else if (from >= 0) {
      missed++;
      if (missed > gap || offset === length) {
        visit(from, count);
        [from, count, missed] = [-1, 0, 0];
      }
    }
  }
  if (from >= 0) visit(from, count);
}

/** Areas of smooth colour that lie on both sides of the outline. */
function regions(values: Values, { width, height, rgb }: WorkingCopy, mask: Uint8Array, area: number): void {
  let [straddle, insidePart, straddles] = [0, 0, 0];
  const labels = smoothRegions(rgb, width, height, 9);
  const inside = new Float64Array(labels.count + 1);
  const outside = new Float64Array(labels.count + 1);
  for (let pixel = 0; pixel < mask.length; pixel++) (mask[pixel] ? inside : outside)[labels.labels[pixel]!]!++;
  for (let label = 1; label <= labels.count; label++) {
    const [within, beyond] = [inside[label]! / area, outside[label]! / area];
    const both = Math.min(within, beyond);
    if (both < 0.004) continue;
    straddles++;
    if (both > straddle) {
      straddle = both;
      insidePart = within / (within + beyond);
    }
  }
  values.set("regionStraddle", straddle);
  values.set("regionStraddleInside", insidePart);
  values.set("regionStraddles", straddles);
}

/** 4-connected pixels whose neighbours differ by less than `limit` in every channel. */
function smoothRegions(rgb: Uint8Array, width: number, height: number, limit: number): { readonly labels: Int32Array; readonly count: number } {
  const parent = new Int32Array(width * height);
  for (let pixel = 0; pixel < parent.length; pixel++) parent[pixel] = pixel;
  const root = (pixel: number) => {
    let at = pixel;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const near = (a: number, b: number) =>
    Math.abs(rgb[a * 3]! - rgb[b * 3]!) < limit &&
    Math.abs(rgb[a * 3 + 1]! - rgb[b * 3 + 1]!) < limit &&
    Math.abs(rgb[a * 3 + 2]! - rgb[b * 3 + 2]!) < limit;
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      if (x > 0 && near(pixel, pixel - 1)) parent[root(pixel)] = root(pixel - 1);
      if (y > 0 && near(pixel, pixel - width)) {
        const [a, b] = [root(pixel), root(pixel - width)];
        if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
  const labels = new Int32Array(parent.length);
  let count = 0;
  for (let pixel = 0; pixel < labels.length; pixel++) if (root(pixel) === pixel) labels[pixel] = ++count;
  for (let pixel = 0; pixel < labels.length; pixel++) if (labels[pixel] === 0) labels[pixel] = labels[root(pixel)]!;
  return { labels, count };
}

/** Skin by its place in YCbCr, of all tones (D. Chai and K. Ngan, "Face segmentation using skin-color map", 1999). */
function skin(values: Values, { width, height, rgb }: WorkingCopy, mask: Uint8Array, area: number, shorter: number): void {
  const is = new Uint8Array(mask.length);
  for (let pixel = 0, at = 0; pixel < is.length; pixel++, at += 3) {
    const [r, g, b] = [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!];
    const cb = 128 - 0.1687 * r - 0.3313 * g + 0.5 * b;
    const cr = 128 + 0.5 * r - 0.4187 * g - 0.0813 * b;
    is[pixel] = cb >= 88 && cb <= 126 && cr >= 134 && cr <= 168 && r > g && g > b * 0.95 && r > 50 ? 1 : 0;
  }
  const near = ringAround(mask, width, height, Math.round(shorter * 0.05));
  let [within, around, ringArea] = [0, 0, 0];
  for (let pixel = 0; pixel < is.length; pixel++) {
    if (mask[pixel]) within += is[pixel]!;
    else if (near[pixel]) {
      around += is[pixel]!;
      ringArea++;
    }
  }
  // A hand is smooth: its region ends where the colour jumps, also against wood.
  const parts = smoothRegions(rgb, width, height, 14);
  const inside = new Float64Array(parts.count + 1);
  const outside = new Float64Array(parts.count + 1);
  const skinned = new Float64Array(parts.count + 1);
  const nearby = new Float64Array(parts.count + 1);
  for (let pixel = 0; pixel < is.length; pixel++) {
    const label = parts.labels[pixel]!;
    (mask[pixel] ? inside : outside)[label]!++;
    skinned[label]! += is[pixel]!;
    if (near[pixel] && !mask[pixel]) nearby[label]!++;
  }
  let [straddle, beside] = [0, 0];
  for (let label = 1; label <= parts.count; label++) {
    const all = inside[label]! + outside[label]!;
    if (skinned[label]! < 0.6 * all || all > 0.35 * mask.length) continue;
    straddle = Math.max(straddle, Math.min(inside[label]!, outside[label]!) / area);
    beside = Math.max(beside, nearby[label]! / area);
  }
  values.set("skinInside", within / area);
  values.set("skinAround", around / Math.max(1, ringArea));
  values.set("skinStraddle", straddle);
  values.set("skinNear", beside);
}

/** Colours beside the product that its surroundings further away do not have: something stands between product and camera, or beside it. */
function foreign(
  values: Values,
  { width, height, rgb }: WorkingCopy,
  mask: Uint8Array,
  hull: Uint8Array,
  area: number,
  perimeter: number,
  shorter: number,
): void {
  const far = ringAround(hull, width, height, Math.round(shorter * 0.14));
  const near = ringAround(mask, width, height, Math.round(shorter * 0.05));
  const touching = ringAround(mask, width, height, 2);
  const colours = new Float32Array(4096);
  const tints = new Float32Array(1024);
  let count = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (!far[pixel]) continue;
    colours[colourBin(rgb, pixel)]!++;
    tints[tintBin(rgb, pixel)]!++;
    count++;
  }
  const known = spreadColours(colours, count * 0.006);
  const knownTints = spreadTints(tints, count * 0.006);
  const flags = new Uint8Array(mask.length);
  let [inHull, hollow, around, ringArea, strangeHull, strangeRing, insideKnown] = [0, 0, 0, 0, 0, 0, 0];
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const familiar = known[colourBin(rgb, pixel)] === 1;
    if (mask[pixel]) {
      if (familiar) insideKnown++;
      continue;
    }
    const tint = knownTints[tintBin(rgb, pixel)] === 1;
    if (!familiar) flags[pixel] = 1;
    if (hull[pixel]) {
      hollow++;
      if (!familiar) inHull++;
      if (!tint && !familiar) strangeHull++;
    }
    if (near[pixel]) {
      ringArea++;
      if (!familiar) around++;
      if (!tint && !familiar) strangeRing++;
    }
  }
  const parts = labelled(flags, width, height);
  const size = new Float64Array(parts.count + 1);
  const contact = new Float64Array(parts.count + 1);
  const inside = new Float64Array(parts.count + 1);
  const frame = new Float64Array(parts.count + 1);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      const label = parts.labels[pixel]!;
      if (label === 0) continue;
      size[label]!++;
      contact[label]! += touching[pixel]!;
      inside[label]! += hull[pixel]!;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) frame[label]!++;
    }
  let best = 0;
  for (let label = 1; label <= parts.count; label++) if (contact[label]! > contact[best]!) best = label;
  const open = new Uint8Array(mask.length);
  for (let pixel = 0; pixel < open.length; pixel++) open[pixel] = hull[pixel]! & (1 - mask[pixel]!);
  const bites = labelled(open, width, height);
  const biteSize = new Float64Array(bites.count + 1);
  const biteForeign = new Float64Array(bites.count + 1);
  for (let pixel = 0; pixel < mask.length; pixel++) {
    biteSize[bites.labels[pixel]!]!++;
    biteForeign[bites.labels[pixel]!]! += flags[pixel]!;
  }
  let biggest = 0;
  let strangest = 0;
  for (let label = 1; label <= bites.count; label++) {
    biggest = Math.max(biggest, biteSize[label]!);
    if (biteSize[label]! > 0.01 * area)
      strangest = Math.max(strangest, (biteForeign[label]! / biteSize[label]!) * Math.min(1, biteSize[label]! / (0.06 * area)));
  }
  values.set("foreignInHull", inHull / area);
  values.set("foreignAround", around / Math.max(1, ringArea));
  values.set("foreignPart", size[best]! / area);
  values.set("foreignPartContact", (2 * contact[best]!) / Math.max(1, perimeter));
  values.set("foreignPartBorder", frame[best]! / shorter);
  values.set("foreignPartInHull", inside[best]! / area);
  values.set("strangeInHull", strangeHull / area);
  values.set("strangeAround", strangeRing / Math.max(1, ringArea));
  values.set("biggestBite", biggest / area);
  values.set("biteForeign", strangest);
  values.set("insideLikeGround", insideKnown / area);
  if (hollow === 0) values.set("foreignInHull", 0);
}

function colourBin(rgb: Uint8Array, pixel: number): number {
  return ((rgb[pixel * 3]! >> 4) << 8) | ((rgb[pixel * 3 + 1]! >> 4) << 4) | (rgb[pixel * 3 + 2]! >> 4);
}

function tintBin(rgb: Uint8Array, pixel: number): number {
  const [r, g, b] = [rgb[pixel * 3]!, rgb[pixel * 3 + 1]!, rgb[pixel * 3 + 2]!];
  const sum = r + g + b + 24;
  return (Math.floor(((r + 8) / sum) * 31.99) << 5) | Math.floor(((g + 8) / sum) * 31.99);
}

function spreadColours(counts: Float32Array, least: number): Uint8Array {
  const out = new Uint8Array(counts.length);
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin]! < least) continue;
    const [r, g, b] = [bin >> 8, (bin >> 4) & 15, bin & 15];
    for (let dr = -1; dr <= 1; dr++)
      for (let dg = -1; dg <= 1; dg++)
        for (let db = -1; db <= 1; db++) {
          const [nr, ng, nb] = [r + dr, g + dg, b + db];
          if (nr >= 0 && ng >= 0 && nb >= 0 && nr < 16 && ng < 16 && nb < 16) out[(nr << 8) | (ng << 4) | nb] = 1;
        }
  }
  return out;
}

function spreadTints(counts: Float32Array, least: number): Uint8Array {
  const out = new Uint8Array(counts.length);
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin]! < least) continue;
    const [r, g] = [bin >> 5, bin & 31];
    for (let dr = -1; dr <= 1; dr++)
      for (let dg = -1; dg <= 1; dg++) if (r + dr >= 0 && g + dg >= 0 && r + dr < 32 && g + dg < 32) out[((r + dr) << 5) | (g + dg)] = 1;
  }
  return out;
}
