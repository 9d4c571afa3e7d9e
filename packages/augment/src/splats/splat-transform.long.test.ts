import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { readSplats } from "./read.js";
import { ksplatBytes, randomScene } from "./recorded.test.fixture.js";
import type { SplatScene } from "./scene.js";
import { saveSplats } from "./write.js";

// @playcanvas/splat-transform 2.7.1 reads and writes what is read and written here.
const require = createRequire(import.meta.url);
const program = join(dirname(require.resolve("@playcanvas/splat-transform")), "../bin/cli.mjs");
const folder = await mkdtemp(join(tmpdir(), "splat-transform-"));
afterAll(() => rm(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

async function transform(input: string, output: string): Promise<void> {
  await promisify(execFile)(process.execPath, [program, "-q", "-w", "-g", "cpu", path(input), path(output)]);
}

function expectAlike(own: SplatScene, theirs: SplatScene, degrees: number): void {
  expect([own.count, own.shDegree]).toEqual([theirs.count, theirs.shDegree]);
  for (const field of ["means", "scales", "opacities", "sh"] as const) {
    const worst = own[field].reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[field][i]!)), 0);
    expect(worst, field).toBeLessThan(1e-6);
  }
  for (let i = 0; i < own.count; i++) {
    const [p, q] = [own.quaternions.subarray(i * 4, i * 4 + 4), theirs.quaternions.subarray(i * 4, i * 4 + 4)];
    const dot = Math.abs(p.reduce((sum, value, k) => sum + value * q[k]!, 0));
    expect((2 * Math.acos(Math.min(dot, 1)) * 180) / Math.PI, `rotation ${i}`).toBeLessThan(degrees);
  }
}

describe("splat-transform", () => {
  it.each([
    ["compressed.ply", 3],
    ["spz", 2],
    ["sog", 3],
  ] as const)("what it writes as %s reads alike", async (extension, degree) => {
    const name = `theirs.${extension}`;
    await saveSplats(path(`${extension}.ply`), randomScene(300, degree, 4));
    await transform(`${extension}.ply`, name);
    await transform(name, `${name}.ply`);
    expectAlike(await readSplats(path(name)), await readSplats(path(`${name}.ply`)), 0.06);
  });

  it.each([0, 1, 2] as const)("reads ksplat of compression level %i alike", async (mode) => {
    const name = `own${mode}.ksplat`;
    await writeFile(path(name), ksplatBytes(randomScene(45, mode, 8), mode).bytes);
    await transform(name, `${name}.ply`);
    expectAlike(await readSplats(path(name)), await readSplats(path(`${name}.ply`)), 0.06);
  });

  it("reads splat alike, but for quaternions, whose bytes it takes as b / 255 · 2 - 1", async () => {
    await saveSplats(path("own.splat"), randomScene(100, 0, 6));
    await transform("own.splat", "own.splat.ply");
    expectAlike(await readSplats(path("own.splat")), await readSplats(path("own.splat.ply")), 1);
  });

  it("writes compressed ply of the same bytes", async () => {
    const scene = randomScene(520, 1, 2);
    await saveSplats(path("plain.ply"), scene);
    await saveSplats(path("own.compressed.ply"), scene);
    await transform("plain.ply", "theirs1.compressed.ply");
    const body = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf("end_header"));
    expect(body(await readFile(path("own.compressed.ply"))).equals(body(await readFile(path("theirs1.compressed.ply"))))).toBe(true);
  });
});
