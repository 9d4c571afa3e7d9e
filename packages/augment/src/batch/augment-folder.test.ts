import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Image, saveImage } from "@refadgen/image";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAugmentCommand } from "../command/run.js";
import { augmentFolder, type BatchEvent } from "./augment-folder.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-augment-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** White, with a coloured box in it. */
function photo(level: number, side = 60): Image {
  const [width, height] = [side, side - 12];
  const data = new Uint8Array(width * height * 3).fill(255);
  for (let y = 10; y < height - 10; y++) for (let x = 14; x < width - 14; x++) data.set([level, (x * 5) & 255, (y * 7) & 255], (y * width + x) * 3);
  return { width, height, channels: 3, data };
}

async function input(count: number): Promise<string> {
  const { mkdir } = await import("node:fs/promises");
  const place = join(folder, "in");
  await mkdir(join(place, "more"), { recursive: true });
  for (let k = 0; k < count; k++) await saveImage(photo(30 * k), join(place, k % 2 ? "more" : ".", `p${k}.png`));
  return place;
}

async function contents(place: string): Promise<Map<string, string>> {
  const names = (await readdir(place, { recursive: true })).filter((name) => /\.(png|json)$/.test(name)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, (await readFile(join(place, name))).toString("base64")] as const)));
}

async function all(events: AsyncIterable<BatchEvent>): Promise<BatchEvent[]> {
  const list: BatchEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

describe("augmentFolder", () => {
  test("workers change nothing; originals stay; a second run has nothing to do", async () => {
    const from = await input(3);
    const originals = await contents(from);
    const options = { input: from, seed: 7, degrade: 2, views: 0 };
    await all(augmentFolder({ ...options, out: join(folder, "one"), workers: 1 }));
    await all(augmentFolder({ ...options, out: join(folder, "two"), workers: 2 }));
    expect(await contents(join(folder, "two"))).toEqual(await contents(join(folder, "one")));
    expect(await contents(from)).toEqual(originals);
    const names = [...(await contents(join(folder, "one"))).keys()];
    expect(names).toContain(join("more", "p1_01_mask.png"));
    expect(names).toContain(join("contact-sheets", "sheet-001.png"));
    const again = await all(augmentFolder({ ...options, out: join(folder, "one"), workers: 2 }));
    expect(again.at(-1)).toEqual({ type: "end", written: 0, skipped: 3, failed: [] });
  });

  test("files that cannot be used are listed and lose nothing", async () => {
    const from = await input(2);
    await writeFile(join(from, "broken.png"), "no picture");
    await saveImage(photo(9), join(from, "p0.jpg"));
    await saveImage({ ...photo(1, 40), channels: 3 }, join(from, "odd.png"));
    await saveImage({ width: 9, height: 50, channels: 1, data: new Uint8Array(450).fill(255) }, join(from, "odd_mask.png"));
    const out = join(folder, "out");
    const end = (await all(augmentFolder({ input: from, out, seed: "s", degrade: 1, views: 0, workers: 2 }))).at(-1)!;
    expect(end).toMatchObject({ type: "end", written: 2 });
    const failed: { id: string; code: string }[] = JSON.parse(await readFile(join(out, "failed.json"), "utf8"));
    expect(failed.map(({ id }) => id)).toEqual(["broken", "odd", "p0.png"]);
    expect(failed.map(({ code }) => code)).toEqual(["unsupported", "no-mask", "same-name"]);
  });

  test("folders that are not its own are refused", async () => {
    const from = await input(1);
    await expect(all(augmentFolder({ input: from, out: from, seed: 1 }))).rejects.toThrow("does not hold the photos");
    const out = join(folder, "out");
    await all(augmentFolder({ input: from, out, seed: 1, degrade: 1, views: 0 }));
    await expect(all(augmentFolder({ input: from, out, seed: 2, degrade: 1, views: 0 }))).rejects.toMatchObject({ code: "other-settings" });
    await rm(join(out, ".refadgen-augment.json"));
    await expect(all(augmentFolder({ input: from, out, seed: 1 }))).rejects.toMatchObject({ code: "not-ours" });
  });

  test("killed in mid-run and resumed, the outputs are the same bytes", { timeout: 60_000 }, async () => {
    const from = await input(6);
    const args = ["--seed", "3", "--degrade", "2", "--views", "0", "--workers", "2", "--quiet"];
    expect(await runAugmentCommand([from, join(folder, "whole"), ...args], silent)).toBe(0);
    const out = join(folder, "killed");
    const main = fileURLToPath(new URL("../command/main.js", import.meta.url));
    const child = spawn(process.execPath, [main, from, out, ...args], { stdio: "ignore" });
    const ended = once(child, "exit");
    // As soon as something is there, which may be half of a product.
    while ((await readdir(out).catch(() => [])).length < 3 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await ended;
    expect(await runAugmentCommand([from, out, ...args], silent)).toBe(0);
    expect(await contents(out)).toEqual(await contents(join(folder, "whole")));
    expect((await readdir(out, { recursive: true })).filter((name) => name.endsWith("partial"))).toEqual([]);
  });

  test("stops when asked, and the command says what is wrong", async () => {
    const from = await input(2);
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    await expect(all(augmentFolder({ input: from, out: join(folder, "out"), seed: 1, signal: abort.signal }))).rejects.toThrow("enough");
    expect(await runAugmentCommand([from, join(folder, "out"), "--seed", "1", "--degrade", "x"], silent)).toBe(2);
    expect(await runAugmentCommand([from], silent)).toBe(2);
    expect(await runAugmentCommand(["--help"], silent)).toBe(0);
  });
});

const silent = { stdout: { write: () => true }, stderr: { write: () => true } };
