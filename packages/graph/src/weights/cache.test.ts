import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, statfs, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheFloat32 } from "./cache.js";
import { cacheUsage, clearCache } from "./cache-folder.js";
import { formulaTensor } from "./formula.js";
import { memoryWeights } from "./memory.js";
import type { StoredTensor } from "./source.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-cache-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const values = (count: number) => Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i) * 3));
const tensors = (): StoredTensor[] => [
  ...memoryWeights([
    { name: "double", dims: [3, 5], dtype: "float64", data: values(15) },
    { name: "half", dims: [2], dtype: "float16", data: Uint16Array.of(0x3c00, 0xc100) },
    { name: "brain", dims: [1, 3], dtype: "bfloat16", data: Uint16Array.of(0x3f80, 0xc020, 0x7f80) },
    { name: "none", dims: [0, 4], dtype: "float32", data: new Float32Array() },
    { name: "scalar", dims: [], dtype: "float32", data: Float32Array.of(7) },
  ]).tensors.values(),
  // Larger than the pieces that are written.
  formulaTensor("cache", "large.weight", [1031, 1049]),
];
const files = () => readdir(folder, { recursive: true }).then((names) => names.filter((name) => name.includes(".")));
const floatsAt = async ({ path, offset, length }: { path: string; offset: number; length: number }) =>
  new Float32Array(Uint8Array.from((await readFile(path)).subarray(offset, offset + length)).buffer);

describe("one file with every tensor as float32", () => {
  it("values, order and alignment", async () => {
    const ranges = await cacheFloat32(tensors(), { folder });
    expect(new Set(ranges.map(({ path }) => path)).size).toBe(1);
    expect(ranges.every(({ offset }) => offset % 64 === 0)).toBe(true);
    expect(ranges.map(({ length }) => length)).toEqual([60, 8, 12, 0, 4, 1031 * 1049 * 4]);
    expect([...(await floatsAt(ranges[0]!))]).toEqual([...values(15)]);
    expect([...(await floatsAt(ranges[1]!))]).toEqual([1, -2.5]);
    expect([...(await floatsAt(ranges[2]!))]).toEqual([1, -2.5, Number.POSITIVE_INFINITY]);
    expect([...(await floatsAt(ranges[4]!))]).toEqual([7]);
    const large = await tensors().at(-1)!.read();
    expect(Buffer.from((await floatsAt(ranges[5]!)).buffer).equals(Buffer.from(large.buffer))).toBe(true);
    expect(await files()).toHaveLength(1);
  });

  it("a tensor that can only be read whole is written the same", async () => {
    const pieces = tensors().at(-1)!;
    const { readRange: _, ...whole } = pieces;
    const [a] = await cacheFloat32([pieces], { folder: join(folder, "a") });
    const [b] = await cacheFloat32([whole], { folder: join(folder, "b") });
    expect((await readFile(a!.path)).equals(await readFile(b!.path))).toBe(true);
  });

  it("the second time nothing is read or written", async () => {
    const first = await cacheFloat32(tensors(), { folder });
    await utimes(first[0]!.path, 1, 1);
    const fail = () => Promise.reject(new Error("read"));
    const again = await cacheFloat32(
      tensors().map((tensor) => ({ ...tensor, read: fail, readRange: fail })),
      { folder, onProgress: () => expect.unreachable() },
    );
    expect(again).toEqual(first);
    expect((await stat(first[0]!.path)).mtimeMs).toBe(1000);
  });

  it("other values, sizes, names or order give another file", async () => {
    const [a, b] = memoryWeights([
      { name: "a", dims: [2], dtype: "float32", data: Float32Array.of(1, 2) },
      { name: "b", dims: [2], dtype: "float32", data: Float32Array.of(3, 4) },
    ]).tensors.values();
    const pathOf = async (list: readonly StoredTensor[]) => (await cacheFloat32(list, { folder }))[0]!.path;
    const paths = [
      await pathOf([a!, b!]),
      await pathOf([b!, a!]),
      await pathOf([{ ...a!, name: "c" }, b!]),
      await pathOf([{ ...a!, dims: [1, 2] }, b!]),
      await pathOf([{ ...b!, name: "a" }, b!]),
    ];
    expect(new Set(paths).size).toBe(5);
  });

  it("a file that was cut or changed in length is made again", async () => {
    const [range] = await cacheFloat32(tensors(), { folder });
    const whole = await readFile(range!.path);
    for (const damaged of [whole.subarray(0, 100), Buffer.concat([whole, Buffer.of(0)]), Buffer.alloc(whole.length)]) {
      await writeFile(range!.path, damaged);
      await cacheFloat32(tensors(), { folder });
      expect((await readFile(range!.path)).equals(whole)).toBe(true);
    }
  });

  it("progress rises to the total", async () => {
    const seen: number[] = [];
    let last = 0;
    await cacheFloat32(tensors(), {
      folder,
      onProgress: ({ done, total }) => {
        seen.push(done);
        last = total;
      },
    });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(5);
    expect(Math.ceil(seen.at(-1)! / 64) * 64).toBe(last);
  });

  it("no tensors need no file", async () => {
    expect(await cacheFloat32([], { folder })).toEqual([]);
    expect(await files()).toEqual([]);
  });
});

describe("what does not work is said before or cleaned up after", () => {
  it("integers are refused by name", async () => {
    await expect(cacheFloat32([formulaTensor("s", "position_ids", [1, 77])], { folder })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("position_ids"),
    });
    expect(await files()).toEqual([]);
  });

  it("a disk without room: path, needed and free bytes, and nothing written", async () => {
    const { bavail, bsize } = await statfs(folder);
    const rows = Math.ceil((bavail * bsize) / 4096) * 2;
    const failure = await cacheFloat32([formulaTensor("s", "huge.weight", [rows, 1024])], { folder }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "WeightsError", code: "disk-full", message: expect.stringContaining(`needs ${rows * 4096 + 128} bytes`) });
    expect((failure as Error).message).toMatch(/has \d+ free/);
    expect((failure as Error).message).toContain(folder);
    expect(await files()).toEqual([]);
  });

  it("a disk that fills up while it is written to", async () => {
    const tensor = tensors().at(-1)!;
    const full = async (start: number, end: number) => {
      if (start > 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      return tensor.readRange!(start, end);
    };
    await expect(cacheFloat32([{ ...tensor, readRange: full }], { folder })).rejects.toMatchObject({ code: "disk-full" });
    expect(await files()).toEqual([]);
  });

  it("an abort in the middle rejects with its reason and leaves nothing", async () => {
    const controller = new AbortController();
    const writing = cacheFloat32(tensors(), { folder, signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) });
    await expect(writing).rejects.toThrow("enough");
    expect(await files()).toEqual([]);
    await expect(cacheFloat32(tensors(), { folder, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("weights that change while they are read are not kept under their old digest", async () => {
    let version = 0;
    const tensor = { ...tensors()[0]!, contentKey: async () => String(version++) };
    await expect(cacheFloat32([tensor], { folder })).rejects.toMatchObject({ code: "mismatch" });
    expect(await files()).toEqual([]);
  });

  it("what processes that have ended left is removed, what living ones write is not", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "exit");
    const [range] = await cacheFloat32(tensors(), { folder: join(folder, "other") });
    await mkdir(join(folder, "float32"));
    const host = Buffer.from((await import("node:os")).hostname())
      .toString("hex")
      .slice(0, 24);
    const leftover = (pid: number, writer = host) => join(folder, "float32", `x.bin.${writer}.${pid}.0123456789ab.partial`);
    for (const path of [leftover(dead.pid!), leftover(process.pid), leftover(dead.pid!, "00")]) await writeFile(path, "");
    await writeFile(leftover(1, "00"), "");
    await utimes(leftover(1, "00"), 1, 1);
    await cacheFloat32(tensors(), { folder });
    const left = (await files()).filter((name) => name.endsWith(".partial")).map((name) => join(folder, name));
    // Of another machine one cannot know before a day has passed.
    expect(left.sort()).toEqual([leftover(process.pid), leftover(dead.pid!, "00")].sort());
    expect(range!.path).not.toContain(".partial");
  });
});

describe("usage", () => {
  it("lists files by size and removes the old ones", async () => {
    expect(await cacheUsage({ folder: join(folder, "nothing") })).toEqual([]);
    const [small] = await cacheFloat32(tensors().slice(0, 1), { folder });
    const [large] = await cacheFloat32(tensors(), { folder });
    const usage = await cacheUsage({ folder });
    expect(usage.map(({ path }) => path)).toEqual([large!.path, small!.path]);
    expect(usage[0]!.bytes).toBe((await stat(large!.path)).size);
    await utimes(large!.path, 1, 1);
    expect((await clearCache({ folder, olderThan: new Date(Date.now() - 60_000) })).map(({ path }) => path)).toEqual([large!.path]);
    expect(await files()).toHaveLength(1);
    await clearCache({ folder });
    expect(await files()).toEqual([]);
  });
});

/** A process that writes ten tensors of a few megabytes in all into the cache. */
function writer(): ChildProcess {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    import { cacheFloat32 } from ${module("./cache.js")};
    import { formulaTensor } from ${module("./formula.js")};
    const tensors = Array.from({ length: 10 }, (_, i) => formulaTensor("kill", "weight." + i, [257, 1031]));
    process.stdout.write("begin\\n");
    const [range] = await cacheFloat32(tensors, { folder: ${JSON.stringify(folder)} });
    process.stdout.write(range.path);`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
}

async function expected(): Promise<Buffer> {
  const list = Array.from({ length: 10 }, (_, i) => formulaTensor("kill", `weight.${i}`, [257, 1031]));
  const [range] = await cacheFloat32(list, { folder: join(folder, "reference") });
  const bytes = await readFile(range!.path);
  const first = await list[0]!.read();
  expect(bytes.subarray(0, first.length).equals(first)).toBe(true);
  await rm(join(folder, "reference"), { recursive: true });
  return bytes;
}

async function finished(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const piece of child.stdout!) text += piece;
  return text;
}

describe("several processes", () => {
  it("two that write the same at once both succeed, and the file is whole", async () => {
    const bytes = await expected();
    const answers = await Promise.all([writer(), writer(), writer()].map(finished));
    expect(new Set(answers).size).toBe(1);
    expect((await readFile(answers[0]!.slice("begin\n".length))).equals(bytes)).toBe(true);
    expect(await files()).toHaveLength(1);
  });

  // REFADGEN_TEST_KILLS: how many; the long test sets it.
  const kills = Number(process.env.REFADGEN_TEST_KILLS ?? 12);
  it(`killed at ${kills} moments: absent or whole, and the next run cleans up`, { timeout: 60_000 + kills * 2_000 }, async () => {
    const bytes = await expected();
    const path = (await finished(writer())).slice("begin\n".length);
    let absent = 0;
    for (let kill = 0; kill < kills; kill++) {
      await rm(path, { force: true });
      const child = writer();
      const exit = once(child, "exit");
      await once(child.stdout!, "data");
      // Writing takes some 30 ms: the moments lie within and a little after.
      await wait((kill * 50) / kills);
      child.kill("SIGKILL");
      await exit;
      const found = await readFile(path).catch(() => undefined);
      if (found) expect(found.equals(bytes)).toBe(true);
      else absent++;
    }
    expect(absent).toBeGreaterThan(0);
    await finished(writer());
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await files()).toHaveLength(1);
  });
});
