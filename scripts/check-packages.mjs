/** Checks every public package as it would be published: publint and arethetypeswrong on its tarball. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAll, publicPackages } from "./packages.mjs";
import { providePnpm } from "./pnpm.mjs";
import { installAndBuild, step, tool } from "./steps.mjs";

const folder = mkdtempSync(join(tmpdir(), "refadgen-packages-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

await installAndBuild();
// A package that is a command only has nothing to be imported.
const importable = new Set(publicPackages().flatMap(({ manifest }) => (manifest.exports ? [manifest.name] : [])));
for (const [name, tarball] of await packAll(await providePnpm(), folder)) {
  await step(`publint ${name}`, process.execPath, [tool("publint", "src/cli.js"), "run", tarball, "--strict"]);
  if (!importable.has(name)) continue;
  await step(`attw ${name}`, process.execPath, [
    tool("@arethetypeswrong/cli", "dist/index.js"),
    tarball,
    "--profile",
    "esm-only",
    "--format",
    "ascii",
  ]);
}
