import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { decodeImage } from "@refadgen/image";
import { expect } from "vitest";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const assets = fileURLToPath(new URL("../../../assets", import.meta.url));

function args(out: string): string[] {
  const micro = join(assets, "micro");
  return [
    main,
    ...["generate", "--base", join(micro, "base"), "--checkpoint", join(micro, "refadgen", "mp_rank_00_model_states.pt")],
    ...["--product", join(assets, "product.png"), "--steps", "2", "--width", "64", "--height", "72", "--quiet", "--resume"],
    ...["--prompt", "on ice", "--prompt", "on sand", "--out", out],
  ];
}

/** Runs the command with a cache of its own; kills it after so many milliseconds, unless it has ended. */
async function run(folder: string, milliseconds?: number): Promise<number | null> {
  const child = spawn(process.execPath, args(join(folder, "out")), {
    env: { ...process.env, REFADGEN_CACHE: join(folder, "cache") },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  if (milliseconds !== undefined) {
    await Promise.race([wait(milliseconds), ended]);
    child.kill("SIGKILL");
  }
  return ended;
}

/**
 * Kills `refadgen generate` at `points` moments from its start to its end, while it writes the cache and while it makes images, and lets it go on.
 * What it leaves must be whole at every moment, and the end the same as undisturbed.
 */
export async function killAndGoOn(points: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-kill-"));
  try {
    const begin = performance.now();
    expect(await run(folder)).toBe(0);
    const whole = performance.now() - begin;
    const wanted = await contents(join(folder, "out"));
    expect([...wanted.keys()].filter((name) => name.endsWith(".png"))).toHaveLength(2);
    for (let point = 0; point < points; point++) {
      await rm(join(folder, "out"), { recursive: true, force: true });
      // Every other time the cache is empty, so that its writing is struck as well.
      if (point % 2 === 0) await rm(join(folder, "cache"), { recursive: true, force: true });
      await run(folder, (whole * (point + 0.5)) / points);
      for (const [name, bytes] of await contents(join(folder, "out"))) {
        if (name.endsWith(".png")) await decodeImage(bytes);
        if (name.endsWith(".json")) JSON.parse(bytes.toString("utf8"));
      }
      expect(await run(folder), `after a kill at ${point + 0.5} of ${points}`).toBe(0);
      const found = await contents(join(folder, "out"));
      for (const [name, bytes] of wanted) expect(found.get(name)?.equals(bytes), `${name} after a kill at ${point + 0.5} of ${points}`).toBe(true);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function contents(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.endsWith(".partial"));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}
