/**
 * The pnpm that package.json pins, for people who have Node and npm only. `node scripts/pnpm.mjs ARGUMENTS` runs it;
 * the other scripts import `providePnpm`. It is fetched once by npm into the git-ignored `.tools/`; later calls touch no network.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Puts the pinned pnpm first on PATH (turbo starts pnpm by that name) and keeps install scripts from downloading engines and headers.
 * @returns {Promise<string>} the path of the pnpm executable
 */
export async function providePnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const version = /^pnpm@(\d+\.\d+\.\d+)/.exec(packageManager)?.[1];
  if (version === undefined) throw new Error(`package.json: expected packageManager "pnpm@X.Y.Z", got ${JSON.stringify(packageManager)}`);
  const folder = join(root, ".tools", `pnpm-${version}`);
  if (!existsSync(folder)) fetchPnpm(version, folder);
  const binary = await nativeBinary(folder);
  if (binary === null) throw new Error(`pnpm ${version} has no executable for ${process.platform}-${process.arch}`);
  process.env.PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`;
  process.env.ONNXRUNTIME_NODE_INSTALL ??= "skip";
  // Addons that have to be compiled take the headers that came with Node, where they did, instead of fetching them.
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  if (existsSync(join(prefix, "include", "node", "node.h"))) process.env.npm_config_nodedir ??= prefix;
  process.env.JOBS ??= "max";
  return binary;
}

/**
 * Installs into a folder of its own and renames it, so that two calls at once, or a killed one, leave nothing half-made.
 * Its install script is not run: it only copies the executable, which is used where it lies.
 * @param {string} version
 * @param {string} folder
 */
function fetchPnpm(version, folder) {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}.part-`);
  try {
    writeFileSync(join(temporary, "package.json"), '{ "private": true }\n');
    const options = [
      ...["--no-save", "--no-package-lock", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"],
      // npm's own pauses add up to more than a minute of silence where there is no network.
      ...["--fetch-retries=3", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=10000"],
    ];
    const { status, stderr, error } = npm(["install", "--prefix", temporary, ...options, `pnpm@${version}`], { cwd: temporary, encoding: "utf8" });
    if (status !== 0) {
      const reason = error?.message ?? stderr.trim();
      throw new Error(
        `npm could not fetch pnpm ${version}, which this workspace is built with:\n${reason.replace(/^/gm, "  ")}\n` +
          "Check the network, the proxy and `npm config get registry`, then run the same command again.",
      );
    }
    try {
      renameSync(temporary, folder);
    } catch (failure) {
      // Another call was faster; its copy is as good.
      if (!existsSync(folder)) throw failure;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Runs npm: the one that started this script, else the one on PATH. */
export function npm(args, options) {
  const started = process.env.npm_execpath;
  if (started?.endsWith("npm-cli.js")) return spawnSync(process.execPath, [started, ...args], options);
  return spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
}

/** pnpm's own lookup of the executable that fits this system and C library. */
async function nativeBinary(folder) {
  const { resolveInstalledBinary } = await import(pathToFileURL(join(folder, "node_modules", "pnpm", "native-binary.mjs")).href);
  return resolveInstalledBinary();
}

/** Shells' convention for a child's end: its code, or 128 + the signal that ended it. */
export function exitCode({ status, signal }) {
  return status ?? 128 + (constants.signals[signal] ?? 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = exitCode(spawnSync(await providePnpm(), process.argv.slice(2), { stdio: "inherit" }));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
