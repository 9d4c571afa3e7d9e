import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Image } from "@refadgen/image";
import { decodeImage } from "@refadgen/image";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { convertCommand } from "../command/convert.js";
import type { Subcommand } from "../command/subcommand.js";
import { turntableCommand } from "../command/turntable.js";
import { viewerCommand } from "../command/viewer.js";
import { cameraCentre } from "../render/camera.js";
import { readSplats } from "../splats/read.js";
import { randomScene } from "../splats/recorded.test.fixture.js";
import { createScene, type SplatScene } from "../splats/scene.js";
import { saveSplats } from "../splats/write.js";
import { encodeAnimation } from "./animation.js";
import { frameScene } from "./framing.js";
import { pictureStrip, turntable, turntableCameras } from "./turntable.js";
import { viewerHtml } from "./viewer.js";

const folder = await mkdtemp(join(tmpdir(), "turntable-"));
afterAll(() => rm(folder, { recursive: true }));

/** A red splat in front (towards -z), a green one to the right (+x), a blue one above (-y). */
function compass(): SplatScene {
  const scene = createScene(3);
  scene.means.set([0, 0, -1, 1, 0, 0, 0, -1, 0]);
  scene.scales.fill(0.15);
  scene.opacities.fill(1);
  scene.sh.set([2, -2, -2, -2, 2, -2, -2, -2, 2]);
  return scene;
}

/** Column and row, as parts of the picture, of the middle of what has a colour. */
function middleOf({ data, width, height }: Image, channel: number): readonly [number, number] {
  let [count, x, y] = [0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const own = data[i * 3 + channel]!;
    if (own < 200 || data[i * 3 + ((channel + 1) % 3)]! > 60) continue;
    count++;
    x += i % width;
    y += Math.floor(i / width);
  }
  return [x / count / width, y / count / height];
}

async function collect(pictures: AsyncIterable<Image>): Promise<Image[]> {
  const all: Image[] = [];
  for await (const picture of pictures) all.push(picture);
  return all;
}

describe("turntable", () => {
  it("goes round: the camera to the right, things to the left", async () => {
    const seen: string[] = [];
    const images = await collect(
      turntable(compass(), { frames: 4, width: 60, height: 50, elevation: 0, onProgress: (done, of) => seen.push(`${done}/${of}`) }),
    );
    expect(seen).toEqual(["1/4", "2/4", "3/4", "4/4"]);
    const [front, right, back] = images as [Image, Image, Image, Image];
    expect([front.width, front.height, front.channels]).toEqual([60, 50, 3]);
    expect(middleOf(front, 1)[0]).toBeGreaterThan(0.6);
    expect(middleOf(front, 2)[1]).toBeLessThan(0.4);
    // From the right, what was in front is on the left; from behind, left and right change places.
    expect(middleOf(right, 0)[0]).toBeLessThan(0.4);
    expect(middleOf(back, 1)[0]).toBeLessThan(0.4);
    expect(middleOf(back, 2)[1]).toBeLessThan(0.4);
  });

  it("swings about the front when the sweep is less than a round", () => {
    const xs = turntableCameras(compass(), { frames: 8, sweep: 40, elevation: 0 }).map((camera) => cameraCentre(camera));
    const target = frameScene(compass()).target;
    const turns = xs.map(([x, , z]) => (Math.atan2(x - target[0], target[2] - z) * 180) / Math.PI);
    expect(turns[0]).toBeCloseTo(0, 6);
    expect(Math.max(...turns)).toBeCloseTo(20, 6);
    expect(Math.min(...turns)).toBeCloseTo(-20, 6);
  });

  it("frames what is seen, strays and invisible splats aside", () => {
    const scene = randomScene(1000, 0, 3);
    scene.means.set([1e6, 0, 0]);
    scene.opacities[1] = 0;
    scene.means.set([0, 1e9, 0], 3);
    const { target, radius } = frameScene(scene);
    expect(Math.hypot(...target)).toBeLessThan(0.1);
    expect(radius).toBeGreaterThan(1.2);
    expect(radius).toBeLessThan(2);
    expect(() => frameScene(createScene(3))).toThrow("frameScene: expected splats that can be seen, got 3");
  });

  it("refuses a round of no pictures and too wide a sweep", () => {
    expect(() => turntableCameras(compass(), { frames: 0 })).toThrow("expected 1 to 720 frames, got 0");
    expect(() => turntableCameras(compass(), { sweep: 361 })).toThrow("expected a sweep of 0 to 360 degrees, got 361");
  });
});

describe("pictureStrip and encodeAnimation", () => {
  const picture = (red: number): Image => ({
    data: Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => (i % 3 === 0 ? red : 40)),
    width: 5,
    height: 3,
    channels: 3,
  });

  it("lays pictures out row by row", () => {
    const strip = pictureStrip([picture(10), picture(20), picture(30)], { columns: 2, gap: 1 });
    expect([strip.width, strip.height]).toEqual([11, 7]);
    const red = (x: number, y: number): number => strip.data[(y * 11 + x) * 3]!;
    expect([red(0, 0), red(5, 0), red(6, 2), red(0, 3), red(4, 4), red(6, 6)]).toEqual([10, 255, 20, 255, 30, 255]);
    expect(() => pictureStrip([])).toThrow("expected at least one picture");
    expect(() => pictureStrip([picture(1), { ...picture(2), width: 3, height: 5 }])).toThrow("expected pictures of 5 × 3 × 3, got 3 × 5 × 3");
  });

  it.each(["gif", "webp"] as const)("writes %s with every picture, its time and no end", async (format) => {
    const bytes = await encodeAnimation([picture(10), picture(130), picture(250)], { format, frameMilliseconds: 120 });
    const { pages, delay, loop, pageHeight, width } = await sharp(bytes, { animated: true }).metadata();
    expect({ pages, delay, loop, pageHeight, width }).toEqual({ pages: 3, delay: [120, 120, 120], loop: 0, pageHeight: 3, width: 5 });
    const { data } = await sharp(bytes, { page: 1 }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(Math.abs(data[0]! - 130)).toBeLessThan(8);
    await expect(encodeAnimation([picture(1)], { format, frameMilliseconds: 5 })).rejects.toThrow("expected frameMilliseconds of 10 to 65535, got 5");
  });
});

describe("viewerHtml", () => {
  it("is one page with the splats inside, that fetches nothing", async () => {
    const html = await viewerHtml(compass(), { title: "Cup & <saucer>", sweep: 40, precision: "ply" });
    expect(html.match(/<title>.*?<\/title>/g)).toEqual(["<title>Cup &amp; &lt;saucer&gt;</title>"]);
    expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)=["']?(?!data:)[^"'> ]/);
    const base64 = /data:application\/octet-stream;base64,([A-Za-z0-9+/=]+)/.exec(html)![1]!;
    expect(Array.from((await readSplats(Buffer.from(base64, "base64"))).means)).toEqual(Array.from(compass().means));
    await expect(viewerHtml(compass(), { background: [2, 0, 0] })).rejects.toThrow("expected a background of three numbers of 0 to 1, got 2, 0, 0");
  });
});

describe("commands", () => {
  const run = async (command: Subcommand, ...args: readonly string[]): Promise<string> => {
    const out: string[] = [];
    const write = (text: string): unknown => out.push(text);
    await command.run(args, { stdout: { write }, stderr: { write: () => undefined }, signal: new AbortController().signal });
    return out.join("");
  };
  const path = (name: string): string => join(folder, name);

  it("convert: by the names, and refuses what it cannot write", async () => {
    await saveSplats(path("a.ply"), randomScene(20, 1, 2));
    expect(await run(convertCommand, path("a.ply"), path("a.spz"), "--spz-version", "3")).toMatch(/a\.spz: 20 splats, \d+ bytes/);
    expect((await readSplats(path("a.spz"))).shDegree).toBe(1);
    expect(await run(convertCommand, path("a.spz"), path("b.bin"), "--to", "splat")).toMatch("20 splats, 640 bytes");
    await expect(run(convertCommand, path("a.ply"), path("a.sog"))).rejects.toThrow("expected an output of ply, compressed-ply, splat, spz");
    await expect(run(convertCommand, path("a.ply"))).rejects.toThrow("expected IN and OUT, got 1 names");
    await expect(run(convertCommand, path("a.ply"), path("c.ply"), "--max-splats", "5")).rejects.toMatchObject({ code: "limit" });
    await expect(run(convertCommand, path("a.ply"), path("c.ply"), "--frames", "5")).rejects.toThrow("convert: Unknown option '--frames'");
    expect((await readdir(folder)).filter((name) => /tmp|^c/.test(name))).toEqual([]);
  });

  it("turntable: strips and animations of splats and of a photo", async () => {
    await saveSplats(path("scene.ply"), compass());
    expect(
      await run(turntableCommand, path("scene.ply"), path("strip.png"), "--frames", "6", "--size", "40x30", "--columns", "3", "--workers", "1"),
    ).toMatch("6 pictures");
    const strip = await decodeImage(path("strip.png"));
    expect([strip.width, strip.height]).toEqual([120, 60]);
    await run(turntableCommand, path("scene.ply"), path("round.webp"), "--frames", "5", "--size", "32x32", "--workers", "1");
    expect((await sharp(await readFile(path("round.webp")), { animated: true }).metadata()).pages).toBe(5);
    await expect(run(turntableCommand, path("scene.ply"), path("round.mp4"))).rejects.toThrow("expected an output in .gif, .webp, .png or .jpg");
    await expect(run(turntableCommand, path("scene.ply"), path("x.png"), "--size", "big")).rejects.toThrow(
      'expected WIDTHxHEIGHT after --size, got "big"',
    );
    const photo = sharp({ create: { width: 48, height: 40, channels: 3, background: "#cc8844" } });
    await photo.png().toFile(path("photo.png"));
    await expect(run(turntableCommand, path("photo.png"), path("x.png"))).rejects.toThrow("expected --mask MASK or a photo with transparency");
    const mask = Buffer.from('<svg width="48" height="40"><ellipse cx="24" cy="20" rx="15" ry="12" fill="white"/></svg>');
    await sharp({ create: { width: 48, height: 40, channels: 3, background: "black" } })
      .composite([{ input: mask }])
      .png()
      .toFile(path("mask.png"));
    expect(
      await run(turntableCommand, path("photo.png"), path("photo-strip.png"), "--mask", path("mask.png"), "--size", "48x40", "--workers", "1"),
    ).toMatch("8 pictures");
    const front = await decodeImage(path("photo-strip.png"));
    expect(
      Array.from(front.data.subarray((20 * front.width + 24) * 3, (20 * front.width + 24) * 3 + 3)).map(
        (v, i) => Math.abs(v - [0xcc, 0x88, 0x44][i]!) < 12,
      ),
    ).toEqual([true, true, true]);
  });

  it("viewer: writes the page", async () => {
    await saveSplats(path("v.ply"), compass());
    expect(await run(viewerCommand, path("v.ply"), path("v.html"), "--title", "Three")).toMatch(/v\.html: 3 splats, \d+ bytes/);
    expect(await readFile(path("v.html"), "utf8")).toContain("<title>Three</title>");
    await expect(run(viewerCommand, path("v.ply"), path("v.pdf"))).rejects.toThrow("expected an output in .html");
  });
});
