import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { describe, expect, test } from "vitest";
import { LiftError } from "../lift/error.js";
import { lift } from "../lift/lift.js";
import { refine } from "../lift/refine.js";
import { poseCamera } from "./pose.js";
import { renderView } from "./render-view.js";
import { similarViews } from "./similar-views.js";

const [width, height] = [96, 72];

/** A checkered product on grey where `inside` says. */
function photo(inside: (x: number, y: number) => boolean, w = width, h = height): { image: Image; mask: Image } {
  const data = new Uint8Array(w * h * 3).fill(200);
  const maskData = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (!inside(x, y)) continue;
      const i = y * w + x;
      maskData[i] = 255;
      data.set((x >> 3) % 2 === (y >> 3) % 2 ? [180, 40, 30] : [30, 60, 160], i * 3);
    }
  }
  return { image: { width: w, height: h, channels: 3, data }, mask: { width: w, height: h, channels: 1, data: maskData } };
}

const ball = photo((x, y) => (x - 48) ** 2 + (y - 36) ** 2 < 25 ** 2);
const still = { azimuth: 0, elevation: 0, roll: 0, distance: 1, focal: 1 };

function overlap(a: Image, b: Image): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    if (a.data[i]! >= 128 && b.data[i]! >= 128) both++;
    if (a.data[i]! >= 128 || b.data[i]! >= 128) either++;
  }
  return both / either;
}

describe("lift", () => {
  test("a disc becomes a ball: front and back one radius from its middle, less and more by the perspective", () => {
    const lifted = lift(ball.image, ball.mask, { shape: "round", distance: 10 });
    const depths = Array.from({ length: lifted.scene.count }, (_, i) => lifted.scene.means[i * 3 + 2]!);
    const radius = (10 * 25) / Math.hypot(lifted.camera.fx, 25);
    expect(Math.min(...depths)).toBeGreaterThan(10 - radius * 1.05);
    expect(Math.min(...depths)).toBeLessThan(10 - radius * 0.9);
    expect(Math.max(...depths)).toBeGreaterThan(10 + radius * 0.85);
  });

  test("the same photo from the same place has the same outline and colours", () => {
    for (const shape of ["round", "box", "flat"] as const) {
      const lifted = lift(ball.image, ball.mask, { shape });
      const { image, mask } = renderView(lifted, poseCamera(lifted, still));
      expect(overlap(mask, ball.mask)).toBeGreaterThan(0.97);
      let error = 0;
      for (let i = 0; i < image.data.length; i++) error += (image.data[i]! - ball.image.data[i]!) ** 2;
      expect(10 * Math.log10(255 ** 2 / (error / image.data.length))).toBeGreaterThan(25);
    }
  });

  test("a ball keeps its outline when seen from the side", () => {
    const lifted = lift(ball.image, ball.mask, { shape: "round" });
    for (const azimuth of [-20, 20]) {
      expect(overlap(renderView(lifted, poseCamera(lifted, { ...still, azimuth })).mask, ball.mask)).toBeGreaterThan(0.94);
    }
  });

  test("a ring keeps its hole", () => {
    const ring = photo((x, y) => (x - 48) ** 2 + (y - 36) ** 2 < 28 ** 2 && (x - 48) ** 2 + (y - 36) ** 2 > 14 ** 2);
    const lifted = lift(ring.image, ring.mask);
    expect(renderView(lifted, poseCamera(lifted, { ...still, azimuth: 15 })).mask.data[36 * width + 48]).toBe(0);
  });

  test("hostile masks: refused by name or lifted", () => {
    const code = (work: () => unknown): unknown => {
      try {
        work();
        return undefined;
      } catch (error) {
        return LiftError.isInstance(error) ? error.code : error;
      }
    };
    const empty = photo(() => false);
    expect(code(() => lift(empty.image, empty.mask))).toBe("empty-mask");
    for (const inside of [
      (x: number, y: number) => x === 40 && y === 30,
      () => true,
      (x: number) => x < 20,
      (x: number, y: number) => x === y,
      (x: number, y: number) => y === 10 || (x > 50 && y > 40),
      (x: number, y: number) => (x * 7 + y * 3) % 5 === 0,
    ]) {
      const each = photo(inside);
      for (const shape of ["auto", "round", "box", "flat"] as const) {
        const lifted = lift(each.image, each.mask, { shape });
        expect(lifted.scene.means.every(Number.isFinite) && lifted.scene.quaternions.every(Number.isFinite)).toBe(true);
        renderView(lifted, poseCamera(lifted, { ...still, azimuth: 10 }));
      }
    }
    const dot = photo(() => true, 1, 1);
    expect(lift(dot.image, dot.mask).scene.count).toBeGreaterThan(0);
    expect(() => lift(ball.image, dot.mask)).toThrow(ArgumentError);
  });

  test("depth: unknown everywhere is refused, holes are filled, an inverse depth gets the extent of a product", () => {
    const data = new Float32Array(width * height).fill(Number.NaN);
    expect(() => lift(ball.image, ball.mask, { depth: { width, height, data, kind: "depth" } })).toThrow(/no|depth/);
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const square = 25 ** 2 - (x - 48) ** 2 - (y - 36) ** 2;
      if (i % 7 !== 0) data[i] = square > 0 ? 1000 * Math.sqrt(square) : 0;
    }
    const lifted = lift(ball.image, ball.mask, { depth: { width, height, data, kind: "inverse-depth" }, distance: 10 });
    const front = Array.from({ length: lifted.frontCount }, (_, i) => lifted.scene.means[i * 3 + 2]!);
    const extent = Math.max(...front) - Math.min(...front);
    const radius = (10 * 25) / lifted.camera.fx;
    expect(extent).toBeGreaterThan(0.5 * radius);
    expect(extent).toBeLessThan(2 * radius);
  });

  test("a rectangle seen from the side is a box, a disc and a cross are not; a cross is a guess", () => {
    // Its right edge is farther away: shorter.
    const leaning = photo((x, y) => x >= 20 && x < 76 && Math.abs(y - 36) < 26 - (x - 20) / 8);
    expect(lift(leaning.image, leaning.mask)).toMatchObject({ source: "box", certain: true });
    expect(lift(ball.image, ball.mask)).toMatchObject({ source: "round", certain: true });
    const cross = photo((x, y) => (Math.abs(x - 40) < 8 || Math.abs(y - 24) < 8) && Math.abs(x - 48) < 30 && Math.abs(y - 36) < 30);
    expect(lift(cross.image, cross.mask)).toMatchObject({ source: "round", certain: false });
    expect(lift(cross.image, cross.mask, { shape: "flat" })).toMatchObject({ source: "flat", certain: true });
  });

  test("no hole opens where a depth jumps", () => {
    // A post before a board.
    const board = photo((x, y) => Math.abs(x - 48) < 40 && Math.abs(y - 36) < 28);
    const data = Float32Array.from({ length: width * height }, (_, i) => (Math.abs((i % width) - 48) < 8 ? 4 : 4.5));
    const lifted = lift(board.image, board.mask, { depth: { width, height, data, kind: "depth", metric: true } });
    for (const azimuth of [-12, 12]) {
      const { mask } = renderView(lifted, poseCamera(lifted, { ...still, azimuth }));
      for (let y = 14; y < 58; y++) {
        const row = mask.data.subarray(y * width, (y + 1) * width);
        expect(Math.min(...row.subarray(row.indexOf(255), row.lastIndexOf(255)))).toBeGreaterThan(250);
      }
    }
  });

  test("refinement is never worse", () => {
    const lifted = lift(ball.image, ball.mask);
    const { before, after, scene } = refine(lifted.scene, ball.image, ball.mask, lifted.camera, { steps: 3 });
    expect(after).toBeLessThan(before);
    expect(scene.count).toBe(lifted.scene.count);
  });
});

describe("similarViews", () => {
  test("seeded, and the same view whatever the count", async () => {
    const two = await similarViews(ball.image, ball.mask, { seed: 5, count: 2 });
    const three = await similarViews(ball.image, ball.mask, { seed: 5, count: 3 });
    expect(three.slice(0, 2)).toEqual(two);
    expect((await similarViews(ball.image, ball.mask, { seed: 6, count: 1 }))[0]!.pose).not.toEqual(two[0]!.pose);
    for (const { quality, pose } of three) {
      expect(quality.score).toBeGreaterThanOrEqual(0.6);
      expect(Math.abs(pose.azimuth)).toBeLessThanOrEqual(15);
    }
  });

  test("refuses options out of range, and stops when told", async () => {
    await expect(similarViews(ball.image, ball.mask, { seed: 1, count: 0 })).rejects.toThrow(ArgumentError);
    await expect(similarViews(ball.image, ball.mask, { seed: 1, ranges: { azimuth: 90 } })).rejects.toThrow(ArgumentError);
    await expect(similarViews(ball.image, ball.mask, { seed: 1, signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
