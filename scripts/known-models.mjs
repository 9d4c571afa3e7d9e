/**
 * Packs manifests of published models (`{file, parameters, tensors: {key: [dtype, dims]}}`, one JSON file each) into what `refadgen inspect`
 * recognises them by: node scripts/known-models.mjs FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./pnpm.mjs";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/known-models.mjs FOLDER");
  process.exit(2);
}
const models = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => {
    const { file, tensors } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return { name: basename(name, ".json"), file, tensors: Object.entries(tensors).map(([key, [, dims]]) => [key, dims.join("x")]) };
  });
const target = join(root, "packages", "cli", "known-models.json.gz");
// A fixed time stamp: the same manifests give the same bytes.
const packed = gzipSync(JSON.stringify(models), { level: 9 });
writeFileSync(target, packed);
console.log(`${models.length} models, ${packed.length} bytes: ${target}`);
