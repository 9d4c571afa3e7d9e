/**
 * Runs every `$ refadgen …` of docs/command.md in a folder that holds `micro` and `product.png`, and writes what it prints below it.
 * `--check`: writes nothing, ends with 1 when the page is not what the command prints. Build first.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./pnpm.mjs";

const page = join(root, "docs", "command.md");
const folder = mkdtempSync(join(tmpdir(), "refadgen-docs-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
cpSync(join(root, "assets", "micro"), join(folder, "micro"), { recursive: true });
cpSync(join(root, "assets", "product.png"), join(folder, "product.png"));

const before = readFileSync(page, "utf8");
const after = before.replaceAll(/```console\n([\s\S]*?)```/g, (_, block) => {
  const commands = block.split("\n").filter((line) => line.startsWith("$ refadgen"));
  return `\`\`\`console\n${commands.map((line) => `${line}\n${answer(line)}`).join("")}\`\`\``;
});
if (process.argv.includes("--check")) {
  if (after === before) process.exit(0);
  const [old, now] = [before.split("\n"), after.split("\n")];
  const at = now.findIndex((line, index) => line !== old[index]);
  console.error(`docs/command.md:${at + 1} is not what the command prints; run node scripts/command-docs.mjs\n- ${old[at]}\n+ ${now[at]}`);
  process.exit(1);
}
writeFileSync(page, after);

function answer(line) {
  const args = [...line.slice("$ refadgen ".length).matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
  const env = { ...process.env, REFADGEN_CACHE: join(folder, "cache"), HF_HUB_CACHE: join(folder, "hub"), COLUMNS: "80", NO_COLOR: "1" };
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, "packages", "cli", "dist", "main.js"), ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return `${stdout}${stderr}`
    .replaceAll(folder, "/home/you")
    .replaceAll(/\s+$/g, "\n")
    .replaceAll(/last used.*\n/g, (text) => text)
    .replaceAll(/\d{4}-\d{2}-\d{2}/g, "2026-01-31");
}
