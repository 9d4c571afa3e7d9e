import { spawn } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createRun, folderStore, miniTriplet, parseConfig, runDataset, writeTar } from "@refadgen/dataset";
import { saveImage } from "@refadgen/image";
import { runChild } from "./child.js";
import type { MemoryFigures } from "./dataset-memory-child.js";

// @refadgen/dataset: items per second of each stage with one and two workers, memory as items grow, and taking pictures in and sharding them beside img2dataset.

const usage = `Usage: npm run dataset -w bench -- [--python PATH] [--pictures N] [--many N] [--only stages,memory,peer] [--quick]
  --python PATH   Python with img2dataset
  --pictures N    for the stages, default 24
  --many N        for img2dataset, default 1000
  --quick         few of everything: shows that it runs`;

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    pictures: { type: "string" },
    many: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) console.log(usage);
else {
  const quick = values.quick ?? false;
  const parts = new Set(values.only?.split(",") ?? ["stages", "memory", "peer"]);
  const folder = await mkdtemp(join(tmpdir(), "refadgen-bench-dataset-"));
  console.log(`${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]!.toFixed(1)} at the beginning`);
  try {
    if (parts.has("stages")) await stages(folder, Number(values.pictures ?? (quick ? 6 : 24)));
    if (parts.has("memory")) await memory(quick ? [100, 1000] : [1000, 10_000, 100_000]);
    if (parts.has("peer")) await peer(folder, Number(values.many ?? (quick ? 40 : 1000)), values.python);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each stage alone, with one thread and with two, in turn in one run. */
async function stages(folder: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { key, category, ad } = miniTriplet(index, { seed: 2, width: 256, height: 320 });
    const path = join(folder, "pictures", category, `${key}.jpg`);
    await mkdir(dirname(path), { recursive: true });
    await saveImage(ad.image, path, { quality: 92 });
  }
  const seconds = new Map<string, Record<number, number>>();
  const done = new Map<string, number>();
  for (const workers of [1, 2]) {
    // Threads and code are warm: what one item less takes is not the work.
    const config = parseConfig(
      { sources: [{ kind: "folder", path: "pictures" }], output: `run-${workers}`, filter: { thresholds: [] }, extract: { least: 0.01 } },
      { folder },
    );
    await runDataset(config, { workers, limit: 2 });
    let began = 0;
    const whole = performance.now();
    await runDataset(config, {
      workers,
      onProgress: ({ step, state, done: all, known }) => {
        if (state === "begin") began = performance.now();
        if (state !== "end") return;
        done.set(step, all - known);
        seconds.set(step, { ...seconds.get(step), [workers]: (performance.now() - began) / 1000 });
      },
    });
    seconds.set("end to end", { ...seconds.get("end to end"), [workers]: (performance.now() - whole) / 1000 });
    done.set("end to end", count);
  }
  console.log(`\n${count} pictures of 256 × 320\n\n| step | items/s, 1 worker | items/s, 2 workers | |\n|---|---|---|---|`);
  for (const [step, times] of seconds) {
    const items = done.get(step) ?? 0;
    if (items > 0 && times[1] && times[2])
      console.log(`| ${step} | ${(items / times[1]).toFixed(2)} | ${(items / times[2]).toFixed(2)} | ${(times[1] / times[2]).toFixed(2)} × |`);
  }
}

async function memory(sizes: readonly number[]): Promise<void> {
  console.log("\n| items that are rows only | seconds | most resident, MB |\n|---|---|---|");
  for (const items of sizes) {
    const { seconds, megabytes } = await runChild<MemoryFigures>("./dataset-memory-child.js", { items });
    console.log(`| ${items} | ${seconds.toFixed(1)} | ${megabytes.toFixed(0)} |`);
  }
}

/**
 * Both take JPEGs of 640 × 800 from this machine, resize them to a longer side of 256 and write tars of 100; ours also decodes each picture to its end, hashes and
 * stores it, and keeps a ledger.
 */
async function peer(folder: string, count: number, python: string | undefined): Promise<void> {
  const pictures = join(folder, "many", "bottle");
  await mkdir(pictures, { recursive: true });
  const drawn = await Promise.all([0, 1, 2, 3].map(async (index) => miniTriplet(index, { seed: 3, width: 512, height: 640 }).ad.image));
  for (let index = 0; index < count; index++) {
    const image = drawn[index % drawn.length]!;
    // No two alike.
    const data = image.data.slice();
    data[0] = index % 256;
    data[3] = Math.floor(index / 256);
    await saveImage({ ...image, data }, join(pictures, `${String(index).padStart(6, "0")}.jpg`), { quality: 92, chromaSubsampling: "4:2:0" });
  }
  const ours = await ourTars(folder, count);
  console.log(
    `\n${count} JPEGs of 512 × 640\n\n| | pictures/s |\n|---|---|\n| ours: ingest, resize, tar, 2 workers | ${(count / ours).toFixed(1)} |`,
  );
  if (!python) {
    console.log("img2dataset left out: pass --python PATH");
    return;
  }
  const theirs = await img2dataset(folder, pictures, python);
  console.log(
    `| img2dataset: fetch from this machine, resize, tar, 2 processes | ${(count / theirs).toFixed(1)} |\n\nours ${(theirs / ours).toFixed(2)} × as fast`,
  );
}

async function ourTars(folder: string, count: number): Promise<number> {
  const begin = performance.now();
  const config = parseConfig({ sources: [{ kind: "folder", path: "many" }], output: "many-run", ingest: { maxSide: 256 } }, { folder });
  await runDataset(config, { workers: 2, only: ["ingest"] });
  const run = await createRun(config, { readOnly: true });
  try {
    const store = folderStore(run.storeFolder);
    const entries = async function* (from: number) {
      let index = 0;
      for (const { key, rows } of run.ledger.entries()) {
        const at = index++;
        if (at >= from && at < from + 100) yield { path: `${key}.jpg`, bytes: await store.get(rows.ingest!.picture) };
      }
    };
    for (let from = 0; from < count; from += 100) await pipeline(writeTar(entries(from)), createWriteStream(join(folder, `${from}.tar`)));
  } finally {
    await run.dispose();
  }
  return (performance.now() - begin) / 1000;
}

async function img2dataset(folder: string, pictures: string, python: string): Promise<number> {
  const server = createServer((request, response) => {
    const name = /^\/(\d+\.jpg)$/.exec(request.url ?? "")?.[1];
    if (name === undefined) return void response.writeHead(404).end();
    createReadStream(join(pictures, name)).pipe(response.writeHead(200, { "content-type": "image/jpeg" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const list = join(folder, "urls.txt");
    await writeFile(list, (await readdir(pictures)).map((name) => `http://127.0.0.1:${port}/${name}`).join("\n"));
    const output = join(folder, "img2dataset");
    const code = [
      "import sys, time",
      "from img2dataset import download",
      "if __name__ == '__main__':",
      "    download(processes_count=2, thread_count=32, url_list=sys.argv[1], output_folder=sys.argv[2], image_size=256, resize_mode='keep_ratio', resize_only_if_bigger=True, output_format='webdataset', input_format='txt', number_sample_per_shard=100, enable_wandb=False, incremental_mode='incremental')",
    ].join("\n");
    const script = join(folder, "peer.py");
    await writeFile(script, code);
    const begin = performance.now();
    await new Promise<void>((resolve, reject) => {
      const child = spawn(python, [script, list, output], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, NO_ALBUMENTATIONS_UPDATE: "1" },
      });
      child.on("error", reject).on("close", (status) => (status === 0 ? resolve() : reject(new Error(`img2dataset ended with ${status}`))));
    });
    const seconds = (performance.now() - begin) / 1000;
    const tars = (await readdir(output)).filter((name) => name.endsWith(".tar"));
    const bytes = (await Promise.all(tars.map(async (name) => (await stat(join(output, name))).size))).reduce((sum, size) => sum + size, 0);
    if (bytes < 100_000) throw new Error(`img2dataset wrote ${bytes} bytes`);
    return seconds;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
