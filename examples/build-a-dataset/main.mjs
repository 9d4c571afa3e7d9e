// The walk-through of packages/dataset/README.md: from 50 raw pictures to shards and a report, without any model: `node main.mjs`.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AdProd } from "@refadgen/dataset";

const folder = fileURLToPath(new URL("../../output/build-a-dataset/", import.meta.url));
const config = fileURLToPath(new URL("dataset.json", import.meta.url));
rmSync(folder, { recursive: true, force: true });

function refadgen(...args) {
  const command = fileURLToPath(import.meta.resolve("@refadgen/cli/dist/main.js"));
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: "inherit" });
  if (status !== 0) throw new Error(`refadgen ${args.join(" ")} ended with ${status}`);
}

// 1. Fifty pictures in folders named by their categories. Yours come from a shop; these are drawn.
refadgen("dataset", "mini", `${folder}pictures`, "--count", "50", "--size", "240x320", "--format", "pictures", "--quiet");

// 2. One command.
refadgen("dataset", "run", config);

// 3. What came of it. Run again, nothing is left to do.
refadgen("dataset", "run", config, "--quiet");
const { triplets, stages } = JSON.parse(readFileSync(`${folder}adprod/report.json`, "utf8"));
const dataset = await AdProd.open(`${folder}adprod/webdataset`);
const { category, captions } = await dataset.at(0);
console.log(`${stages[0].done} pictures, ${dataset.length} triplets, the first of a ${category}: ${captions[0]}`);
console.log(`look at ${folder}adprod/report.html`);
if (triplets < 10 || dataset.length !== triplets)
  throw new Error(`expected at least 10 triplets in report and shards, got ${triplets} and ${dataset.length}`);
await dataset.dispose();
