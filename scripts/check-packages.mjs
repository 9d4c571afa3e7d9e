/** Checks every public package as it would be published: publint and arethetypeswrong on its tarball. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAll } from "./packages.mjs";
import { providePnpm } from "./pnpm.mjs";
import { foreground, installAndBuild, tool } from "./steps.mjs";

const folder = mkdtempSync(join(tmpdir(), "refadgen-packages-"));
try {
  await installAndBuild();
  const failed = [];
  for (const [name, tarball] of await packAll(await providePnpm(), folder)) {
    console.log(`\n${name}`);
    const publint = await foreground(process.execPath, [tool("publint", "src/cli.js"), "run", tarball, "--strict"]);
    const types = await foreground(process.execPath, [
      tool("@arethetypeswrong/cli", "dist/index.js"),
      tarball,
      "--profile",
      "esm-only",
      "--format",
      "ascii",
    ]);
    if (publint !== 0 || types !== 0) failed.push(name);
  }
  console.log(failed.length === 0 ? "\nEvery package is fit to be published." : `\nNot fit to be published: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
