import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { saveImage } from "@refadgen/image";
import { parseConfig } from "../config/read-config.js";
import type { RunConfig } from "../config/run-config.js";
import { openLedger } from "../ledger/ledger.js";
import { miniTriplet } from "../mini/triplet.js";

/** Products on white, in a folder for each category; every fifth is there twice, every seventh is no picture. */
export async function smallPictures(folder: string, count: number, first = 0): Promise<void> {
  for (let index = first; index < first + count; index++) {
    const { key, category, product } = miniTriplet(index, { seed: 5, width: 96, height: 72, categories: ["bottle", "cup", "umbrella"] });
    const path = join(folder, category, `${key}.png`);
    await mkdir(dirname(path), { recursive: true });
    if (index % 7 === 6) {
      await writeFile(path, "no picture at all");
      continue;
    }
    await saveImage(product.image, path);
    if (index % 5 === 4) await saveImage(product.image, join(folder, category, `${key}-again.png`));
  }
}

/** Settings under which small pictures come through. */
const smallSettings: Partial<RunConfig> = {
  filter: {
    thresholds: [
      { score: "shortSide", least: 64 },
      { score: "productArea", most: 60 },
    ],
  },
  extract: { drivers: [{ name: "plain-background" }], confidence: 0.2 },
  augment: { variants: 2, views: 1 },
  shard: { formats: ["webdataset", "authors"], maxTriplets: 8 },
  split: { test: 0.2 },
};

/** Without views from nearby, which take most of the time. */
export function smallConfig(folder: string, output: string, changes: Partial<RunConfig> = {}): RunConfig {
  return parseConfig(
    { sources: [{ kind: "folder", path: "pictures" }], output, ...smallSettings, augment: { variants: 2, views: 0 }, ...changes },
    { folder },
  );
}

export async function writeSmallConfig(folder: string, output: string): Promise<string> {
  const path = join(folder, `${output}.json`);
  await writeFile(path, JSON.stringify({ sources: [{ kind: "folder", path: "pictures" }], output, ...smallSettings }));
  return path;
}

/** Everything that a run leaves behind, by path, with the digest of its content; the ledger as what it says. */
export async function outcomeOf(output: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(output, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (/\.(sqlite|sqlite-wal|sqlite-shm|lock)$/.test(path)) continue;
    found[path.slice(output.length + 1)] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  const ledger = await openLedger(output, { readOnly: true });
  found.ledger = [...ledger.export()].join("\n");
  ledger.dispose();
  return found;
}

export interface ChildEnd {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a config in a process that kills itself at a point; 0 lets it live. */
export function runChild(config: string, point = 0, delay = 0, env: Readonly<Record<string, string>> = {}): Promise<ChildEnd> {
  const script = fileURLToPath(new URL("./run-child.test.support.js", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, config, String(point), String(delay)], { env: { ...process.env, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data.toString();
    });
    child.on("error", reject).on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
