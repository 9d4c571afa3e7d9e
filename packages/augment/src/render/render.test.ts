import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type Recorded, randomScene, recorded, recordedScene, testNumbers } from "../splats/recorded.test.fixture.js";
import { createScene, type SplatScene, shC0 } from "../splats/scene.js";
import { type Camera, centredIntrinsics, lookAt, orbitView } from "./camera.js";
import { type RenderOptions, renderSettings } from "./options.js";
import { createRenderPool } from "./pool.js";
import { projectSplats, record, recordLength } from "./project.js";
import { projectSlowly } from "./project.test.support.js";
import { render } from "./render.js";

interface Mode {
  readonly eps2d: number;
  readonly near: number;
  readonly far: number;
  readonly max_alpha: number;
  readonly min_compensation: number;
  readonly antialiased: boolean;
}

function cameraOf(from: Recorded, name: string, mode: Mode): Camera {
  const k = from.of(`camera/${name}/K`);
  const { width, height } = from.settings as { width: number; height: number };
  return { width, height, fx: k[0]!, fy: k[4]!, cx: k[2]!, cy: k[5]!, view: from.of(`camera/${name}/view`), near: mode.near, far: mode.far };
}

function optionsOf(from: Recorded, mode: Mode): RenderOptions {
  return {
    mode: mode.antialiased ? "antialiased" : "classic",
    lowPass: mode.eps2d,
    alphaCap: mode.max_alpha,
    compensationFloor: mode.min_compensation,
    background: from.settings.background as [number, number, number],
  };
}

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

/** The rules once more, without tiles, sorting passes or bounds: every splat at every pixel, float64. */
function slowly(scene: SplatScene, camera: Camera, options: RenderOptions): { rgb: number[]; alpha: number[]; depth: number[] } {
  const settings = renderSettings(options);
  const { records, count } = projectSplats(scene, camera, settings);
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => records[a * recordLength + record.depth]! - records[b * recordLength + record.depth]! || a - b,
  );
  const out = { rgb: [] as number[], alpha: [] as number[], depth: [] as number[] };
  for (let y = 0; y < camera.height; y++) {
    for (let x = 0; x < camera.width; x++) {
      let through = 1;
      const sum = [0, 0, 0, 0];
      for (const splat of order) {
        const at = splat * recordLength;
        const [dx, dy] = [x + 0.5 - records[at]!, y + 0.5 - records[at + 1]!];
        const q = 0.5 * (records[at + 2]! * dx * dx + records[at + 4]! * dy * dy) + records[at + 3]! * dx * dy;
        const alpha = Math.min(settings.alphaCap, records[at + 5]! * Math.exp(-q));
        if (q < 0 || alpha < 1 / 255) continue;
        if (through * (1 - alpha) <= 1e-4) break;
        for (const [c, k] of [record.red, record.green, record.blue, record.depth].entries()) sum[c]! += alpha * through * records[at + k]!;
        through *= 1 - alpha;
      }
      for (let c = 0; c < 3; c++) out.rgb.push(sum[c]! + through * settings.background[c]!);
      out.alpha.push(1 - through);
      out.depth.push(sum[3]! / Math.max(1 - through, 1e-10));
    }
  }
  return out;
}

/** How many differ by more than float32 explains: splats that fall to 1/255 at a pixel, within rounding. */
function outliers(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]! - b[i]!) < 2e-5)) count++;
  return count;
}

const fieldsThatDraw = [
  "meanX",
  "meanY",
  "conicA",
  "conicB",
  "conicC",
  "opacity",
  "red",
  "green",
  "blue",
  "depth",
  "normalX",
  "normalY",
  "normalZ",
  "compensation",
] as const;

const front: Camera = { ...centredIntrinsics({ width: 53, height: 37 }), view: lookAt([0, 0, -4], [0, 0, 0]) };

describe("render", () => {
  it.each(["random_120_sh3", "saturated", "ties"])("draws %s as gsplat's reference does", (name) => {
    const from = recorded(name);
    const scene = recordedScene(from);
    for (const [mode, settings] of Object.entries(from.settings.modes as Record<string, Mode>)) {
      for (const camera of name === "random_120_sh3" ? ["a", "b"] : ["a"]) {
        const view = render(scene, cameraOf(from, camera, settings), { ...optionsOf(from, settings), depth: true });
        expect(largest(view.rgb, from.of(`${mode}/${camera}/rgb`)), `${mode} ${camera}`).toBeLessThan(2e-5);
        expect(largest(view.alpha, from.of(`${mode}/${camera}/alpha`)), `${mode} ${camera}`).toBeLessThan(2e-5);
        const alpha = from.of(`${mode}/${camera}/alpha`);
        const depth = from.of(`${mode}/${camera}/expected_depth`);
        for (let i = 0; i < alpha.length; i++) if (alpha[i]! > 0.01) expect(Math.abs(view.depth![i]! / depth[i]! - 1)).toBeLessThan(1e-4);
      }
    }
  });

  it("projects as gsplat's reference does", () => {
    const from = recorded("random_120_sh3");
    const modes = from.settings.modes as Record<string, Mode>;
    const camera = cameraOf(from, "b", modes.classic!);
    const { index, records, count } = projectSplats(recordedScene(from), camera, renderSettings({}));
    const columns: Readonly<Record<string, readonly number[]>> = {
      means2d: [0, 1],
      conics: [2, 3, 4],
      depths: [9],
      compensations: [15],
      colors: [6, 7, 8],
    };
    expect(count).toBeGreaterThan(60);
    for (const [name, from2] of Object.entries(columns)) {
      const expected = from.of(`splat2d/b/${name}`);
      for (let m = 0; m < count; m++) {
        for (const [k, column] of from2.entries()) {
          const value = expected[index[m]! * from2.length + k]!;
          expect(Math.abs(records[m * recordLength + column]! - value), `${name} ${m}`).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(value));
        }
      }
    }
  });

  it("projects as a slow version does, two at a time and in chunks: the same bits, and bounds that hold the splat", () => {
    for (const [count, degree, seed] of [
      [1, 0, 1],
      [7, 3, 2],
      [4099, 1, 3],
      [8192, 0, 4],
    ] as const) {
      const scene = randomScene(count, degree, seed);
      const eye = seed === 4 ? ([0.2, 0.1, -0.3] as const) : ([0.3, -0.2, -3] as const);
      const camera: Camera = { ...centredIntrinsics({ width: 71, height: 45 }), view: lookAt(eye, [0, 0, 0.1]) };
      for (const mode of ["classic", "antialiased"] as const) {
        const settings = renderSettings({ mode, normals: true });
        const [fast, slow] = [projectSplats(scene, camera, settings), projectSlowly(scene, camera, settings)];
        expect(fast.count).toBe(slow.count);
        expect(Buffer.from(fast.index.buffer).equals(Buffer.from(slow.index.slice().buffer))).toBe(true);
        for (let m = 0; m < slow.count; m++) {
          const at = m * recordLength;
          for (const field of fieldsThatDraw) expect(fast.records[at + record[field]], `${m} ${field}`).toBe(slow.records[at + record[field]]);
          const [x, y, a, b, c, opacity] = slow.records.subarray(at, at + 6) as unknown as [number, number, number, number, number, number];
          const determinant = a * c - b * b;
          const reach = Math.sqrt(2 * Math.log(255 * opacity));
          const [left, right, top, bottom] = fast.ranges.subarray(m * 4, m * 4 + 4) as unknown as [number, number, number, number];
          for (const [centre, first, last, half, size] of [
            [x, left, right, reach * Math.sqrt(c / determinant), 71],
            [y, top, bottom, reach * Math.sqrt(a / determinant), 45],
          ] as const) {
            expect(first).toBeLessThanOrEqual(Math.max(Math.ceil(centre - half - 0.5), 0));
            expect(last).toBeGreaterThanOrEqual(Math.min(Math.floor(centre + half - 0.5), size - 1));
          }
        }
      }
    }
  });

  it("draws one round splat by the closed form", () => {
    const scene = createScene(1);
    scene.scales.fill(0.2);
    scene.opacities[0] = 0.8;
    scene.sh.set([1, 0.2, -0.7]);
    const view = render(scene, front, { background: [0.2, 0.5, 0.9] });
    const variance = ((front.fx * 0.2) / 4) ** 2 + 0.3;
    for (let y = 0; y < 37; y++) {
      for (let x = 0; x < 53; x++) {
        const r2 = (x + 0.5 - 26.5) ** 2 + (y + 0.5 - 18.5) ** 2;
        const alpha = 0.8 * Math.exp(-r2 / 2 / variance);
        const drawn = alpha < 1 / 255 ? 0 : alpha;
        expect(Math.abs(view.alpha[y * 53 + x]! - drawn)).toBeLessThan(1e-6);
        expect(Math.abs(view.rgb[(y * 53 + x) * 3 + 1]! - (drawn * (0.5 + shC0 * 0.2) + (1 - drawn) * 0.5))).toBeLessThan(1e-6);
      }
    }
  });

  it("draws as a slow double-precision version does: sizes, tiles, wide and slanted splats", () => {
    for (const [seed, width, height, wide] of [
      [1, 53, 37, 1],
      [2, 16, 16, 4],
      [3, 17, 33, 30],
      [4, 130, 3, 12],
    ] as const) {
      const next = testNumbers(seed + 20);
      const scene = randomScene(150, 1, seed);
      for (let i = 0; i < scene.scales.length; i += 3) scene.scales[i]! *= 1 + wide * next();
      const camera: Camera = {
        ...centredIntrinsics({ width, height }),
        view: orbitView({ target: [0, 0, 0], distance: 3, azimuth: 20 * seed, elevation: 10, roll: 5 }),
      };
      for (const mode of ["classic", "antialiased"] as const) {
        const options = { mode, background: [0.1, 0.9, 0.4] as const, depth: true };
        const [view, slow] = [render(scene, camera, options), slowly(scene, camera, options)];
        expect(outliers(view.rgb, slow.rgb), `${width} × ${height} ${mode}`).toBeLessThanOrEqual(3);
        expect(outliers(view.alpha, slow.alpha)).toBeLessThanOrEqual(1);
      }
    }
  });

  it("gives the background where nothing is, depth and normals of 0", () => {
    const view = render(createScene(0), front, { background: [0.25, 0.5, 1], depth: true, normals: true });
    expect(Array.from(view.rgb.subarray(0, 3))).toEqual([0.25, 0.5, 1]);
    for (const values of [view.alpha, view.depth!, view.normals!]) expect(values.every((value) => value === 0)).toBe(true);
  });

  it("gives normals along the shortest axis, towards the camera", () => {
    const scene = createScene(1);
    scene.scales.set([0.5, 0.5, 0.001]);
    scene.opacities[0] = 1;
    // 30° about y: the disc's normal turns from z towards x.
    scene.quaternions.set([Math.cos(Math.PI / 12), 0, Math.sin(Math.PI / 12), 0]);
    const view = render(scene, front, { normals: true });
    const at = (18 * 53 + 26) * 3;
    expect(view.normals![at]).toBeCloseTo(-0.5, 5);
    expect(view.normals![at + 1]).toBeCloseTo(0, 5);
    expect(view.normals![at + 2]).toBeCloseTo(-Math.cos(Math.PI / 6), 5);
  });

  it("draws a picture of one pixel", () => {
    const scene = createScene(1);
    scene.scales.fill(1);
    scene.opacities[0] = 1;
    const camera: Camera = { width: 1, height: 1, fx: 1, fy: 1, cx: 0.5, cy: 0.5, view: lookAt([0, 0, -2], [0, 0, 0]) };
    expect(render(scene, camera).alpha[0]).toBeCloseTo(0.999, 6);
  });

  it("draws from within the scene without a number that is none", () => {
    const scene = randomScene(2000, 3, 12);
    for (const eye of [
      [0, 0, 0],
      [0.3, -0.2, 0.1],
      [scene.means[0]!, scene.means[1]!, scene.means[2]!],
    ] as const) {
      const view = render(scene, { ...front, view: lookAt(eye, [5, 1, 2]) }, { depth: true, normals: true });
      for (const values of [view.rgb, view.alpha, view.depth!, view.normals!]) expect(values.every(Number.isFinite)).toBe(true);
      expect(view.alpha.some((value) => value > 0.1)).toBe(true);
    }
  });

  it("draws huge, tiny, far and needle-like splats without a number that is none", () => {
    const scene = randomScene(60, 0, 2);
    const extremes = [0, 1e-30, 1e-8, 1e4, 1e18, 3e38];
    for (let i = 0; i < scene.scales.length; i++) scene.scales[i] = extremes[(i * 7) % extremes.length]!;
    scene.means.set([1e30, 0, 0, 0, -1e38, 5, 0, 0, 1e37]);
    scene.quaternions.set([1e-30, 0, 0, 0, 1e30, 1e30, 0, 0]);
    const view = render(scene, front, { depth: true, mode: "antialiased" });
    for (const values of [view.rgb, view.alpha]) expect(values.every(Number.isFinite)).toBe(true);
    expect(view.depth!.every((value) => !Number.isNaN(value))).toBe(true);
  });

  it("draws a picture whose tile lists do not fit at once in pieces, to the same bits", async () => {
    // 40 × 40 tiles and 7600 splats that touch all of them: 12 million entries where 8 million are held at once. The pool draws row by row.
    const scene = randomScene(7600, 0, 3);
    scene.scales.fill(3);
    scene.opacities.fill(0.02);
    const camera: Camera = { ...centredIntrinsics({ width: 640, height: 640 }), view: lookAt([0, 0, -4], [0, 0, 0]) };
    const whole = render(scene, camera);
    const pool = createRenderPool({ workers: 2 });
    const byRows = await pool.render(scene, camera);
    await pool.dispose();
    expect(largest(whole.rgb, byRows.rgb)).toBe(0);
    expect(whole.alpha.every((alpha) => alpha > 0.9)).toBe(true);
  });

  it("refuses what cannot be drawn", () => {
    const scene = randomScene(4, 0);
    const bad = (change: (copy: SplatScene) => void): SplatScene => {
      const copy = randomScene(4, 0);
      change(copy);
      return copy;
    };
    expect(() =>
      render(
        bad(({ means }) => means.fill(Number.NaN, 4, 5)),
        front,
      ),
    ).toThrow("render: expected finite means, got NaN in splat 1");
    expect(() =>
      render(
        bad(({ scales }) => scales.fill(-1, 8)),
        front,
      ),
    ).toThrow("render: expected scales of at least 0, got -1 in splat 2");
    expect(() =>
      render(
        bad(({ opacities }) => opacities.fill(1.5, 3)),
        front,
      ),
    ).toThrow("render: expected opacities of 0 to 1, got 1.5 in splat 3");
    expect(() =>
      render(
        bad(({ quaternions }) => quaternions.fill(0, 0, 4)),
        front,
      ),
    ).toThrow("got the zero quaternion in splat 0");
    expect(() => render({ ...scene, sh: new Float32Array(3) }, front)).toThrow("render: expected sh of 4 × 3 numbers, got 3");
    expect(() => render(scene, { ...front, width: 0 })).toThrow("render: expected a width of 1 to 16384, got 0");
    expect(() => render(scene, { ...front, width: 16_000, height: 16_000 })).toThrow("expected at most 67108864 pixels");
    expect(() => render(scene, { ...front, fx: -1 })).toThrow("render: expected fx of more than 0, got -1");
    expect(() => render(scene, { ...front, view: new Float32Array(16) })).toThrow("expected a view that rotates and moves");
    expect(() => render(scene, { ...front, near: 2, far: 1 })).toThrow("expected 0 < near < far");
    expect(() => render(scene, front, { mode: "soft" as "classic" })).toThrow("expected the mode classic or antialiased, got soft");
    expect(() => render(scene, front, { alphaCap: 1 })).toThrow("expected an alphaCap of 0.5 to 0.9999, got 1");
    expect(() => render(scene, front, { lowPass: -0.1 })).toThrow("expected a lowPass of 0 to 10000, got -0.1");
  });
});

describe("createRenderPool", () => {
  const scene = randomScene(900, 1, 6);
  const camera: Camera = {
    ...centredIntrinsics({ width: 75, height: 66 }),
    view: orbitView({ target: [0, 0, 0], distance: 3, azimuth: 30, elevation: 20 }),
  };
  const options = { background: [1, 0, 0.5], depth: true, normals: true } as const;

  it("gives the bits of render, whatever the number of workers", async () => {
    const expected = render(scene, camera, options);
    for (const workers of [1, 2, 3]) {
      const pool = createRenderPool({ workers });
      try {
        const views = [await pool.render(scene, camera, options)];
        for await (const view of pool.renderAll(scene, Array(7).fill(camera), options)) views.push(view);
        expect(views.length).toBe(8);
        for (const view of views) {
          for (const field of ["rgb", "alpha", "depth", "normals"] as const) {
            expect(Buffer.from(view[field]!.buffer).equals(Buffer.from(expected[field]!.buffer)), `${workers} ${field}`).toBe(true);
          }
        }
      } finally {
        await pool.dispose();
      }
    }
  });

  it("gives the pictures in the order of the cameras", async () => {
    const cameras = [0, 40, 80, 120, 160].map((azimuth) => ({
      ...camera,
      view: orbitView({ target: [0, 0, 0], distance: 3, azimuth, elevation: 0 }),
    }));
    const pool = createRenderPool({ workers: 2 });
    let i = 0;
    for await (const view of pool.renderAll(scene, cameras)) expect(largest(view.rgb, render(scene, cameras[i++]!).rgb)).toBe(0);
    expect(i).toBe(5);
    await pool.dispose();
  });

  it("stops by signal, refuses bad input before work, and is gone after dispose", async () => {
    const pool = createRenderPool({ workers: 1 });
    const abort = new AbortController();
    const reason = new Error("enough");
    const running = pool.render(scene, camera, { signal: abort.signal });
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(pool.render({ ...scene, count: 3 }, camera)).rejects.toThrow("render: expected means of 3 × 3 numbers");
    const left = pool.render(scene, camera);
    const refused = expect(left).rejects.toThrow("got dispose()");
    await pool.dispose();
    await refused;
    await expect(pool.render(scene, camera)).rejects.toThrow("got one that was disposed of");
    expect(() => createRenderPool({ workers: 0 })).toThrow("expected 1 to 256 workers, got 0");
  });
});

describe("the kernel", () => {
  it("is what its source compiles to", async () => {
    const { compileKernel } = (await import(new URL("../../kernel/build.mjs", import.meta.url).href)) as { compileKernel: () => Promise<Buffer> };
    const kept = await readFile(new URL("../../src/render/kernel-binary.ts", import.meta.url), "utf8");
    expect(kept).toContain(`"${(await compileKernel()).toString("base64")}"`);
  });
});
