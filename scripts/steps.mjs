/** What every root command begins with: dependencies as the lockfile has them, and compiled packages. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { exitCode, providePnpm, root } from "./pnpm.mjs";

/** Installs and compiles; both take a second when nothing changed. @param {{quiet?: boolean}} options quiet: no progress lines */
export async function installAndBuild({ quiet = false } = {}) {
  await install({ quiet });
  await step("Build", process.execPath, [tool("turbo", "bin/turbo"), "run", "build", "--output-logs=errors-only"], { quiet });
}

export async function install({ quiet = false } = {}) {
  const pnpm = await providePnpm();
  await step("Install", pnpm, ["install", "--frozen-lockfile", "--prefer-offline"], { quiet });
}

/** The script that a development dependency is started by. */
export function tool(name, script) {
  return join(root, "node_modules", name, script);
}

/**
 * Runs a command of which only the time is of interest; if it fails, everything it printed is shown and this process ends.
 */
export async function step(label, command, args, { quiet = false, cwd = root } = {}) {
  const begin = performance.now();
  if (!quiet) process.stderr.write(`${label} … `);
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" } });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const code = await ended(child);
  if (code !== 0) {
    process.stderr.write(quiet ? `${label} failed\n` : "failed\n");
    process.stderr.write(Buffer.concat(output));
    process.exit(code);
  }
  if (!quiet) process.stderr.write(`${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
}

/** Runs a command in the foreground. @returns {Promise<number>} its exit code */
export async function foreground(command, args, { cwd = root } = {}) {
  return ended(spawn(command, args, { cwd, stdio: "inherit" }));
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(exitCode({ status, signal })));
  });
}
