/**
 * The root commands: `node scripts/run.mjs TASK [ARGUMENTS]`, behind `npm run TASK -- ARGUMENTS` and `pnpm TASK ARGUMENTS`.
 * Each needs Node and npm alone: pnpm, dependencies and compiled packages are provided first.
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./pnpm.mjs";
import { foreground, install, installAndBuild, tool } from "./steps.mjs";

const tasks = {
  build: async () => {
    await installAndBuild();
    return 0;
  },
  typecheck: async (args) => {
    await install();
    return node(tool("typescript", "bin/tsc"), ["-b", ...args]);
  },
  lint: async () => {
    await install();
    const style = await node(tool("@biomejs/biome", "bin/biome"), [
      "ci",
      "--error-on-warnings",
      process.stdout.isTTY ? "--colors=force" : "--colors=off",
      ".",
    ]);
    const unused = await node(tool("knip", "bin/knip.js"), ["--no-progress"]);
    return Math.max(style, unused);
  },
  test: async (args) => {
    await installAndBuild();
    return node(tool("vitest", "vitest.mjs"), ["run", ...args]);
  },
  "test:long": async (args) => {
    process.env.REFADGEN_TEST_LONG = "1";
    return tasks.test(args);
  },
  demo: async (args) => {
    await installAndBuild();
    return compiled("packages/cli/dist/demo.js", args);
  },
  // Its table may be read by a program: nothing else is printed.
  conformance: async (args) => {
    await installAndBuild({ quiet: true });
    return compiled("conformance/dist/main.js", args);
  },
  bench: async (args) => {
    await installAndBuild();
    return compiled("bench/dist/main.js", args);
  },
  "bench:splats": async (args) => {
    await installAndBuild();
    return compiled("bench/dist/splats.js", args);
  },
  "bench:augment": async (args) => {
    await installAndBuild();
    return compiled("bench/dist/augment.js", args);
  },
  // Raises versions and writes changelogs, as the files in .changeset say.
  "release:version": async () => {
    await install();
    const code = await node(tool("@changesets/cli", "bin.js"), ["version"]);
    return code === 0 ? foreground("pnpm", ["install", "--lockfile-only"]) : code;
  },
  "release:publish": async () => {
    await installAndBuild();
    return node(tool("@changesets/cli", "bin.js"), ["publish"]);
  },
};

/** Paths among the arguments are relative to where the command was typed. */
async function compiled(file, args) {
  const path = join(root, file);
  if (!existsSync(path)) throw new Error(`${file} is missing: the build made no such file`);
  return node(path, args, { cwd: process.env.INIT_CWD ?? process.cwd() });
}

async function node(script, args, options) {
  return foreground(process.execPath, [script, ...args], options);
}

const [name, ...rest] = process.argv.slice(2);
// npm removes the "--" before arguments, pnpm hands it on.
const args = rest[0] === "--" ? rest.slice(1) : rest;
try {
  if (!Object.hasOwn(tasks, name ?? "")) {
    throw new Error(`${relative(root, process.argv[1])}: expected one of ${Object.keys(tasks).join(", ")}, got ${name ?? "nothing"}`);
  }
  process.exitCode = await tasks[name](args);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
