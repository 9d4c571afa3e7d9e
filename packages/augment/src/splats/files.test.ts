import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, describe, expect, it } from "vitest";
import { SplatFileError } from "./error.js";
import { detectSplatFormat, readSplats } from "./read.js";
import { ksplatBytes, randomScene, recorded, testNumbers } from "./recorded.test.fixture.js";
import { checkScene, createScene, type SplatScene } from "./scene.js";
import { saveSplats, type WriteSplatsOptions, writeSplats } from "./write.js";

const fixture = (name: string): Promise<Buffer> => readFile(new URL(`../../fixtures/splats/${name}`, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "splats-"));
afterAll(() => rm(folder, { recursive: true }));

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

/** Degrees between rotations, whichever the sign. */
function largestAngle(a: Float32Array, b: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < a.length; i += 4) {
    const [p, q] = [a.subarray(i, i + 4), b.subarray(i, i + 4)];
    const dot = p.reduce((sum, value, k) => sum + value * q[k]!, 0) / Math.hypot(...p) / Math.hypot(...q);
    worst = Math.max(worst, Math.acos(Math.min(Math.abs(dot), 1)));
  }
  return (2 * worst * 180) / Math.PI;
}

describe("readSplats", () => {
  const decoded = recorded("decoded");

  it.each(["splats.splat", "splats_v2_sh2.spz", "splats_v3_sh2.spz", "splats_v4_sh1.spz"])("reads %s as the reference does", async (name) => {
    const scene = await readSplats(await fixture(name));
    expect(largest(scene.means, decoded.of(`${name}/positions`))).toBeLessThan(2e-6);
    expect(largest(scene.scales.map(Math.log), decoded.of(`${name}/log_scales`))).toBeLessThan(2e-6);
    expect(largest(scene.opacities, decoded.of(`${name}/opacities`))).toBeLessThan(2e-6);
    expect(largest(scene.sh, decoded.of(`${name}/sh`))).toBeLessThan(2e-6);
    expect(largestAngle(scene.quaternions, decoded.of(`${name}/quats`))).toBeLessThan(0.06);
  });

  it("reads a ply whose properties are in no order, with more elements behind", async () => {
    const scene = await readSplats(await fixture("splats_shuffled.ply"));
    expect(scene.shDegree).toBe(3);
    expect(largest(scene.means, decoded.of("truth/positions"))).toBe(0);
    expect(largest(scene.sh, decoded.of("truth/sh"))).toBe(0);
    expect(largest(scene.scales.map(Math.log), decoded.of("truth/log_scales"))).toBeLessThan(2e-6);
    expect(
      largest(
        scene.opacities,
        decoded.of("truth/opacity_logits").map((logit) => 1 / (1 + Math.exp(-logit))),
      ),
    ).toBeLessThan(1e-7);
  });

  it.each(["scene.sog", "scene.compressed.ply"])("reads %s as splat-transform 2.7.1 does, which wrote it", async (name) => {
    const scene = await readSplats(await fixture(name));
    const theirs = await readSplats(await fixture(`${name}.ply`));
    expect([scene.count, scene.shDegree]).toEqual([40, 2]);
    for (const field of ["means", "scales", "opacities", "sh"] as const) expect(largest(scene[field], theirs[field])).toBeLessThan(1e-6);
    expect(largestAngle(scene.quaternions, theirs.quaternions)).toBeLessThan(0.06);
    // And about what went into it, in whatever order: the sums.
    const sum = (values: Float32Array): number => values.reduce((all, value) => all + value, 0);
    expect(sum(scene.means)).toBeCloseTo(sum(randomScene(40, 2, 3).means), 1);
  });

  it.each([0, 1, 2] as const)("reads ksplat of compression level %i", async (mode) => {
    for (const degree of [0, 1, 2, 3] as const) {
      const { bytes, expected } = ksplatBytes(randomScene(37, degree, 5), mode);
      expect(detectSplatFormat(bytes)).toBe("ksplat");
      const scene = await readSplats(bytes);
      expect(scene.shDegree).toBe(degree);
      expect(largest(scene.means, expected.means)).toBeLessThan(1e-6);
      expect(largest(scene.scales, expected.scales)).toBe(0);
      expect(largest(scene.sh, expected.sh)).toBeLessThan(1e-6);
      expect(largest(scene.opacities, expected.opacities)).toBeLessThan(1e-7);
      expect(largestAngle(scene.quaternions, expected.quaternions)).toBeLessThan(0.06);
    }
  });

  it("gives an empty scene for a ply of no splats, and refuses an empty splat file", async () => {
    expect((await readSplats(await writeSplats(createScene(0), { format: "ply" }))).count).toBe(0);
    await expect(readSplats(new Uint8Array(0))).rejects.toThrow(/expected .*, got a file of 0 bytes/);
    await expect(readSplats(new Uint8Array(0), { format: "splat" })).rejects.toThrow(/expected a multiple of 32 bytes, at least one, got 0/);
  });

  it("takes a zero quaternion as the identity", async () => {
    const bytes = await writeSplats(randomScene(3, 0), { format: "splat" });
    bytes.fill(128, 32 + 28, 64);
    expect(Array.from((await readSplats(bytes)).quaternions.subarray(4, 8))).toEqual([1, 0, 0, 0]);
  });

  it("refuses a name that says something else than the content", async () => {
    const path = join(folder, "wrong.ply");
    await writeFile(path, await fixture("splats_v4_sh1.spz"));
    await expect(readSplats(path)).rejects.toThrow("expected the content of a .ply file, got that of .spz");
    await expect(readSplats(path, { format: "obj" as "ply" })).rejects.toThrow(ArgumentError);
  });

  it("names the splat and the field of a number that is none", async () => {
    const ply = Buffer.from(await writeSplats(randomScene(9, 0), { format: "ply" }));
    ply.writeFloatLE(Number.NaN, ply.length - 68 * 2 + 4);
    await expect(readSplats(ply)).rejects.toThrow("ply: expected a finite y, got NaN in splat 7");
    const splat = Buffer.from(await writeSplats(randomScene(9, 0), { format: "splat" }));
    splat.writeFloatLE(Number.POSITIVE_INFINITY, 5 * 32 + 12);
    await expect(readSplats(splat)).rejects.toThrow("splat: expected a finite scale_0, got Infinity in splat 5");
  });
});

describe("hostile files", () => {
  const scene = randomScene(40, 2, 3);
  const written = (options: WriteSplatsOptions): Promise<Uint8Array> => writeSplats(scene, options);
  const files: Readonly<Record<string, Promise<Uint8Array>>> = {
    ply: written({ format: "ply" }),
    "compressed ply": written({ format: "compressed-ply" }),
    splat: written({ format: "splat" }),
    "spz 3": written({ format: "spz", version: 3 }),
    "spz 4": written({ format: "spz" }),
    ksplat: Promise.resolve(ksplatBytes(scene, 1).bytes),
    sog: fixture("scene.sog"),
  };

  /** Either a scene that can be drawn, or a typed error; nothing else, and soon. */
  async function outcome(bytes: Uint8Array, format?: "splat" | "ksplat"): Promise<SplatScene | SplatFileError> {
    const started = performance.now();
    try {
      const read = await readSplats(bytes, format ? { format } : {});
      checkScene(read);
      return read;
    } catch (error) {
      if (!SplatFileError.isInstance(error)) throw error;
      expect(error.message).toMatch(/expected .*got/);
      return error;
    } finally {
      expect(performance.now() - started).toBeLessThan(2000);
    }
  }

  it.each(Object.keys(files))("%s cut anywhere is refused", async (name) => {
    const bytes = await files[name]!;
    const format = name === "splat" ? "splat" : name === "ksplat" ? "ksplat" : undefined;
    for (let n = 0; n < 40; n++) {
      // Never a whole number of records of the format without a header.
      const length = Math.floor((bytes.length * n) / 40 / 32) * 32 + 17;
      if (length >= bytes.length) break;
      expect(await outcome(bytes.subarray(0, length), format)).toBeInstanceOf(SplatFileError);
    }
  });

  it.each(Object.keys(files))("%s with bytes changed is read or refused", async (name) => {
    const bytes = await files[name]!;
    const next = testNumbers(11);
    for (let n = 0; n < 150; n++) {
      const changed = Uint8Array.from(bytes);
      // Mostly in the header, where sizes stand.
      for (let k = 0; k < 1 + (n % 4); k++) changed[Math.floor((n % 3 === 0 ? next() : next() ** 6) * changed.length)] = Math.floor(next() * 256);
      await outcome(changed, name === "splat" ? "splat" : name === "ksplat" ? "ksplat" : undefined);
    }
  });

  it("does not inflate what lies behind the splats", async () => {
    const payload = Buffer.concat([
      await (await import("node:util")).promisify((await import("node:zlib")).gunzip)(await files["spz 3"]!),
      Buffer.alloc(1 << 26),
    ]);
    const bomb = gzipSync(payload);
    const before = process.memoryUsage().arrayBuffers;
    expect(await outcome(bomb)).toMatchObject({ code: "damaged" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 23);
  });

  it.each([0xffff_ffff, 20_000_000, 1_000_000])("takes no memory for %i splats that are not there", async (count) => {
    const four = Buffer.from(await files["spz 4"]!);
    four.writeUInt32LE(count, 8);
    const header = Buffer.alloc(16);
    header.writeUInt32LE(0x5053474e, 0);
    header.writeUInt32LE(3, 4);
    header.writeUInt32LE(count, 8);
    const ply = Buffer.from(
      Buffer.from(await files.ply!)
        .toString("latin1")
        .replace("vertex 40", `vertex ${count}`),
      "latin1",
    );
    const ksplat = Buffer.from(await files.ksplat!);
    ksplat.writeUInt32LE(count, 16);
    ksplat.writeUInt32LE(count, 4096);
    ksplat.writeUInt32LE(count, 4100);
    const before = process.memoryUsage().arrayBuffers;
    for (const bytes of [four, gzipSync(header), ply, ksplat]) expect(await outcome(bytes)).toBeInstanceOf(SplatFileError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 22);
  });

  it("keeps to the limits given", async () => {
    for (const bytes of Object.values(files)) {
      const format = bytes === files.splat ? { format: "splat" as const } : {};
      await expect(readSplats(await bytes, { maxSplats: 10, ...format })).rejects.toMatchObject({ code: "limit" });
      await expect(readSplats(await bytes, { maxBytes: 10, ...format })).rejects.toMatchObject({ code: "limit" });
    }
  });
});

describe("writeSplats", () => {
  const scene = randomScene(300, 3, 9);

  it("keeps every number in ply", async () => {
    const again = await readSplats(await writeSplats(scene, { format: "ply" }));
    expect(largest(again.means, scene.means)).toBe(0);
    expect(largest(again.sh, scene.sh)).toBe(0);
    // The logarithm, about -5, is rounded to float32.
    expect(largest(again.scales, scene.scales)).toBeLessThan(5e-8);
    expect(largest(again.opacities, scene.opacities)).toBeLessThan(2e-7);
    expect(largestAngle(again.quaternions, scene.quaternions)).toBeLessThan(0.06);
  });

  it.each([3, 4] as const)("writes spz version %i within its steps", async (version) => {
    const again = await readSplats(await writeSplats(scene, { format: "spz", version }));
    expect(largest(again.means, scene.means)).toBeLessThanOrEqual(0.5 / 4096);
    expect(largest(again.scales.map(Math.log), scene.scales.map(Math.log))).toBeLessThan(1 / 32 + 1e-5);
    expect(largest(again.opacities, scene.opacities)).toBeLessThan(0.5 / 255 + 1e-6);
    expect(largestAngle(again.quaternions, scene.quaternions)).toBeLessThan(0.2);
  });

  it("writes spz as the reference library does, to the byte", async () => {
    const truth = recorded("decoded");
    const opacities = truth.of("truth/opacity_logits").map((logit) => 1 / (1 + Math.exp(-logit)));
    const sh = truth.of("truth/sh");
    const cut = Float32Array.from({ length: opacities.length * 12 }, (_, i) => sh[Math.floor(i / 12) * 48 + (i % 12)]!);
    const scales = truth.of("truth/log_scales").map(Math.exp);
    const cloud = {
      count: opacities.length,
      shDegree: 1 as const,
      means: truth.of("truth/positions"),
      scales,
      quaternions: truth.of("truth/quats"),
      opacities,
      sh: cut,
    };
    expect(Buffer.from(await writeSplats(cloud, { format: "spz" })).equals(await fixture("splats_v4_sh1.spz"))).toBe(true);
    expect(Buffer.from(await writeSplats(cloud, { format: "splat" })).equals(await fixture("splats.splat"))).toBe(true);
  });

  it("gives far scenes coarser positions in spz, and refuses those beyond", async () => {
    const far = createScene(2);
    far.scales.fill(0.1);
    far.means.set([5000.25, -3, 2]);
    expect(Array.from((await readSplats(await writeSplats(far, { format: "spz" }))).means.subarray(0, 3))).toEqual([5000.25, -3, 2]);
    far.means[0] = 1e7;
    await expect(writeSplats(far, { format: "spz" })).rejects.toMatchObject({ code: "bad-value" });
  });

  it("writes opacities of 0 and 1 and scales of 0 as finite numbers", async () => {
    const edge = createScene(2);
    edge.opacities.set([0, 1]);
    for (const format of ["ply", "compressed-ply", "splat", "spz"] as const) {
      const again = await readSplats(await writeSplats(edge, { format }), format === "splat" ? { format } : {});
      expect(largest(again.opacities, [0, 1])).toBeLessThan(1e-6);
      expect(again.scales.every((scale) => scale >= 0 && scale < 5e-5)).toBe(true);
    }
  });

  it("writes by the name, whole or not at all", async () => {
    await saveSplats(join(folder, "a.compressed.ply"), scene);
    await saveSplats(join(folder, "a.SPZ"), scene);
    expect((await readSplats(join(folder, "a.compressed.ply"))).count).toBe(300);
    expect((await readFile(join(folder, "a.SPZ"))).readUInt32LE(4)).toBe(4);
    await expect(saveSplats(join(folder, "a.sog"), scene)).rejects.toThrow(ArgumentError);
    await expect(saveSplats(join(folder, "missing", "a.ply"), scene)).rejects.toThrow();
    const broken = { ...scene, means: scene.means.map((value, i) => (i === 10 ? Number.NaN : value)) };
    await expect(saveSplats(join(folder, "b.ply"), broken)).rejects.toThrow("writeSplats: expected finite means, got NaN in splat 3");
    expect((await readdir(folder)).filter((name) => /tmp|^b/.test(name))).toEqual([]);
  });
});
