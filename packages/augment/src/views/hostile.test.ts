import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { describe, expect, test } from "vitest";
import { gaussianBlur } from "../degradations/blur.js";
import { LiftError } from "../lift/error.js";
import { lift, maxLiftedPixels } from "../lift/lift.js";
import type { Camera } from "../render/camera.js";
import { poseCamera } from "./pose.js";
import { renderView } from "./render-view.js";
import { similarViews } from "./similar-views.js";

const [width, height] = [64, 48];

function picture(channels: Image["channels"], value: (x: number, y: number, c: number) => number, w = width, h = height): Image {
  const data = Uint8Array.from({ length: w * h * channels }, (_, i) => {
    const pixel = Math.trunc(i / channels);
    return value(pixel % w, Math.trunc(pixel / w), i % channels);
  });
  return { width: w, height: h, channels, data };
}

const inDisk = (x: number, y: number): boolean => (x - 32) ** 2 + (y - 24) ** 2 < 15 ** 2;
const image = picture(3, (x, y, c) => (inDisk(x, y) ? 60 + 3 * x + 10 * c : 230));
const mask = picture(1, (x, y) => (inDisk(x, y) ? 255 : 0));
const still = { azimuth: 0, elevation: 0, roll: 0, distance: 1, focal: 1 };

/** All that can be drawn of it is drawn, and every byte follows from numbers that are numbers. */
function survives(lifted: ReturnType<typeof lift>, camera: Camera): Image {
  for (const values of [lifted.scene.means, lifted.scene.scales, lifted.scene.quaternions, lifted.scene.sh])
    expect(values.every(Number.isFinite)).toBe(true);
  const { mask: seen, leak } = renderView(lifted, camera, { background: [255, 255, 255] });
  expect(leak).toBeGreaterThanOrEqual(0);
  return seen;
}

describe("hostile pictures", () => {
  test("a picture that is transparent where its mask is not holds nothing", () => {
    const clear = picture(4, (_x, _y, c) => (c === 3 ? 0 : 90));
    expect(() => lift(clear, mask)).toThrow(LiftError);
    const half = picture(4, (x, y, c) => (c === 3 ? (inDisk(x, y) && x < 32 ? 255 : 0) : 90));
    const seen = survives(lift(half, mask), lift(half, mask).camera);
    expect(seen.data[24 * width + 25]).toBe(255);
    expect(seen.data[24 * width + 40]).toBe(0);
  });

  test.each([
    ["touching all borders", () => true],
    ["in three pieces", (x: number) => x % 20 < 9],
    ["single pixels", (x: number, y: number) => x % 9 === 0 && y % 9 === 0],
    ["one pixel in a corner", (x: number, y: number) => x + y === 0],
  ])("a product %s", (_, inside) => {
    const own = picture(1, (x, y) => (inside(x, y) ? 255 : 0));
    const lifted = lift(image, own);
    for (const azimuth of [0, 15]) survives(lifted, poseCamera(lifted, { ...still, azimuth }));
  });

  test("a picture of one pixel", async () => {
    const dot = picture(3, () => 80, 1, 1);
    const all = picture(1, () => 255, 1, 1);
    const lifted = lift(dot, all);
    survives(lifted, lifted.camera);
    await expect(similarViews(dot, all, { seed: 1, count: 1 }).catch((error: unknown) => LiftError.isInstance(error))).resolves.toBeTruthy();
  });

  test("NaN and infinity in options, cameras and depths are refused or filled in", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 0, -1]) expect(() => lift(image, mask, { distance: bad })).toThrow(ArgumentError);
    expect(() => lift(image, mask, { fieldOfView: Number.NaN })).toThrow(ArgumentError);
    const lifted = lift(image, mask);
    expect(() => renderView(lifted, { ...lifted.camera, fx: Number.NaN })).toThrow(ArgumentError);
    expect(() => renderView(lifted, poseCamera(lifted, { ...still, azimuth: Number.NaN }))).toThrow(ArgumentError);
    const data = Float32Array.from({ length: width * height }, (_, i) => [Number.NaN, Number.POSITIVE_INFINITY, -3, 0, 4][i % 5]!);
    survives(lift(image, mask, { depth: { width, height, data, kind: "depth", metric: true } }), lifted.camera);
    const wild = Float32Array.from({ length: width * height }, (_, i) => 10 ** ((i % 13) - 4));
    survives(lift(image, mask, { depth: { width, height, data: wild, kind: "depth", metric: true } }), lifted.camera);
  });

  test("a camera inside the product, behind it, or far away sees something or nothing, in bounded time", () => {
    const lifted = lift(image, mask, { distance: 4 });
    for (const z of [-3.5, -4, -4.2, -8, 1e5, -1e5]) {
      const view = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, z, 0, 0, 0, 1];
      const started = performance.now();
      survives(lifted, { ...lifted.camera, view });
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });

  test("more pixels than a lift takes are refused before any work; so are sizes that data do not have", () => {
    const side = Math.ceil(Math.sqrt(maxLiftedPixels)) + 1;
    const huge = picture(1, () => 255, 1, 1);
    const large: Image = { width: side, height: side, channels: 1, data: new Uint8Array(side * side) };
    expect(() => lift(large, large)).toThrow(/at most \d+ pixels/);
    expect(() => lift({ ...huge, width: 1e9, height: 1e9 }, huge)).toThrow(ArgumentError);
    expect(() => gaussianBlur({ ...huge, width: 1e9, height: 1e9 }, { sigma: 2 })).toThrow(ArgumentError);
  });

  test("views of a large photo have the size to which it is scaled down", async () => {
    const [w, h] = [3000, 1600];
    const photo: Image = { width: w, height: h, channels: 1, data: new Uint8Array(w * h).fill(200) };
    const small: Image = { width: w, height: h, channels: 1, data: new Uint8Array(w * h) };
    for (let y = 700; y < 900; y++) small.data.fill(255, y * w + 1400, y * w + 1600);
    const [view] = await similarViews(photo, small, { seed: 1, count: 1 });
    expect(view!.image.width * view!.image.height).toBeLessThanOrEqual(1 << 22);
    expect(view!.image.width / view!.image.height).toBeCloseTo(w / h, 2);
  });
});
