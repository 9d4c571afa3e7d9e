import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  type Camera,
  createRenderPool,
  depthOrder,
  projectSplats,
  record,
  recordLength,
  render,
  renderSettings,
  type SplatScene,
} from "@refadgen/augment";
import { cloudCamera, liftedCamera, liftedEllipsoid, randomCloud } from "./splat-scenes.js";
import { median } from "./statistics.js";

// The renderer of @refadgen/augment: pictures per second, against a plain loop in numba in the same run, and how the time grows with the splats.

const usage = `Usage: npm run bench:splats -- [--python PATH] [--rounds N] [--quick]
  --python PATH   Python with numba: the loop of peers/splat_loop.py takes turns with ours
  --rounds N      timed pictures of each, default 11
  --quick         few splats: shows that everything runs`;

const width = 640;
const height = 512;

const { values } = parseArgs({
  options: { python: { type: "string" }, rounds: { type: "string" }, quick: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help) console.log(usage);
else await main(values.python, Number(values.rounds ?? 11), values.quick ?? false);

async function main(python: string | undefined, rounds: number, quick: boolean): Promise<void> {
  console.log(`${width} × ${height}, one thread, processor time, medians of ${rounds}, ${process.version}`);
  const lifted = quick ? liftedEllipsoid(160, 128) : liftedEllipsoid(width, height);
  await contest("lifted, sigma 0.5 px", lifted, liftedCamera(width, height, 10), python, rounds);
  const cloud = randomCloud(quick ? 2000 : 147_000);
  await contest("cloud, sigma 1 to 6 px", cloud, cloudCamera(width, height), python, rounds);
  await workers(lifted, rounds);
  growth(quick ? [1000, 2000] : [31_250, 62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000], Math.min(rounds, 5));
}

/** Milliseconds of processor time: on a busy machine they say more than those of the clock. One thread's, since the work is done on this one. */
function timed(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Ours (all of it: check, projection, sorting, tiles, blending) and the loop, which blends only, in turns. */
async function contest(name: string, scene: SplatScene, camera: Camera, python: string | undefined, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "splats-"));
  const peer = python === undefined ? undefined : await openLoop(python, join(folder, "splats"), scene, camera);
  try {
    for (let i = 0; i < 5; i++) render(scene, camera);
    const [ours, theirs, ratios] = [[] as number[], [] as number[], [] as number[]];
    for (let i = 0; i < rounds; i++) {
      ours.push(timed(() => render(scene, camera)));
      if (!peer) continue;
      theirs.push(await peer.picture());
      ratios.push(theirs[i]! / ours[i]!);
    }
    const own = median(ours);
    const line = `${name}, ${scene.count} splats: ${own.toFixed(1)} ms, ${(1000 / own).toFixed(1)} views/s`;
    if (!peer) return console.log(line);
    const gap = largestGap(render(scene, camera).rgb, await peer.firstPicture());
    console.log(
      `${line}; numba loop ${median(theirs).toFixed(0)} ms; ratio ${median(ratios).toFixed(1)} (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}); largest gap ${gap.toExponential(1)}`,
    );
  } finally {
    peer?.end();
    await rm(folder, { recursive: true });
  }
}

function largestGap(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

interface Loop {
  readonly picture: () => Promise<number>;
  readonly firstPicture: () => Promise<Float32Array>;
  readonly end: () => void;
}

/** Starts the loop on the splats as projected and sorted here, and waits until it is compiled. */
async function openLoop(python: string, path: string, scene: SplatScene, camera: Camera): Promise<Loop> {
  const projected = projectSplats(scene, camera, renderSettings({}));
  const order = depthOrder(projected);
  const records = new Float32Array(order.length * 11);
  for (const [i, splat] of order.entries()) {
    const from = projected.records.subarray(splat * recordLength, (splat + 1) * recordLength);
    const [a, b, c] = [from[record.conicA]!, from[record.conicB]!, from[record.conicC]!];
    const determinant = a * c - b * b;
    const radii = [Math.ceil(3.33 * Math.sqrt(c / determinant)), Math.ceil(3.33 * Math.sqrt(a / determinant))];
    records.set([...from.subarray(0, 6), ...radii, ...from.subarray(record.red, record.red + 3)], i * 11);
  }
  await writeFile(path, Buffer.concat([Buffer.from(Int32Array.of(camera.width, camera.height, order.length).buffer), Buffer.from(records.buffer)]));
  const script = fileURLToPath(new URL("../peers/splat_loop.py", import.meta.url));
  const child: ChildProcessWithoutNullStreams = spawn(python, [script, path]);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "exit").then(() => ({ value: undefined, done: true }));
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await Promise.race([lines.next(), ended]);
    if (done) throw new Error("splat_loop.py: expected an answer, got its end");
    return JSON.parse(String(value));
  };
  await next();
  return {
    async picture() {
      child.stdin.write("\n");
      return Number((await next()).seconds) * 1000;
    },
    async firstPicture() {
      const bytes = await readFile(`${path}.out`);
      return new Float32Array(Uint8Array.from(bytes).buffer);
    },
    end: () => child.stdin.end(),
  };
}

/** Whole pictures shared out among threads. */
async function workers(scene: SplatScene, rounds: number): Promise<void> {
  const cameras = Array.from({ length: rounds * 2 }, (_, i) => liftedCamera(width, height, i % 20));
  for (const count of [1, 2]) {
    const pool = createRenderPool({ workers: count });
    for await (const _ of pool.renderAll(scene, cameras.slice(0, 6)));
    const started = performance.now();
    for await (const _ of pool.renderAll(scene, cameras));
    console.log(`pool of ${count}: ${((1000 * cameras.length) / (performance.now() - started)).toFixed(1)} views/s`);
    await pool.dispose();
  }
}

/** More and more splats: of one size up to 147 000, then smaller ones, so that they cover as many pixels in all. */
function growth(counts: readonly number[], rounds: number): void {
  for (const count of counts) {
    const scene = randomCloud(count);
    const scale = Math.sqrt(147_000 / count);
    for (let i = 0; i < scene.scales.length; i++) scene.scales[i]! *= Math.min(scale, 1);
    const camera = cloudCamera(width, height);
    render(scene, camera);
    const own = median(Array.from({ length: rounds }, () => timed(() => render(scene, camera))));
    console.log(`${String(count).padStart(8)} splats: ${own.toFixed(0).padStart(5)} ms, ${((own * 1e6) / count).toFixed(0)} ns a splat`);
  }
}
