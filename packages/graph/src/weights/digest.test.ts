import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cacheFolder } from "./cache-folder.js";
import { fileDigest } from "./digest.js";
import { WeightFile } from "./file.js";

let folder: string;
const environment = process.env.REFADGEN_CACHE;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-digest-"));
  process.env.REFADGEN_CACHE = join(folder, "cache");
});
afterEach(async () => {
  if (environment === undefined) delete process.env.REFADGEN_CACHE;
  else process.env.REFADGEN_CACHE = environment;
  await rm(folder, { recursive: true });
});

const remembered = () => readdir(join(cacheFolder(), "digests")).catch(() => []);
const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

async function file(text: string, age: Date): Promise<WeightFile> {
  const path = join(folder, "weights");
  await writeFile(path, text);
  await utimes(path, age, age);
  const opened = await WeightFile.open(path);
  await opened.close();
  return opened;
}

it("is the sha256 of the content, remembered for files at rest", async () => {
  const opened = await file("content", new Date(1_000_000));
  expect(await fileDigest(opened)).toBe(sha256("content"));
  expect(await remembered()).toHaveLength(1);
  expect(await fileDigest(opened)).toBe(sha256("content"));
});

it("of a file that was just written is not remembered: it may change within its time stamp", async () => {
  expect(await fileDigest(await file("young", new Date()))).toBe(sha256("young"));
  expect(await remembered()).toEqual([]);
});

it("what is remembered is used only for the same size, time and inode", async () => {
  await fileDigest(await file("one", new Date(1_000_000)));
  expect(await fileDigest(await file("two", new Date(2_000_000)))).toBe(sha256("two"));
  expect(await fileDigest(await file("three", new Date(2_000_000)))).toBe(sha256("three"));
  expect(await remembered()).toHaveLength(1);
});

it("damage to what was remembered costs time only", async () => {
  const opened = await file("content two", new Date(1_000_000));
  await fileDigest(opened);
  const [name] = await remembered();
  await writeFile(join(cacheFolder(), "digests", name!), "{");
  await rm(opened.path);
  const again = await file("content two", new Date(3_000_000));
  expect(await fileDigest(again)).toBe(sha256("content two"));
});

it("refuses a file that has changed since it was opened", async () => {
  const opened = await file("content", new Date(1_000_000));
  await utimes(opened.path, 5, 5);
  await expect(fileDigest(opened)).rejects.toMatchObject({ code: "mismatch" });
});

it("the cache folder is REFADGEN_CACHE or the platform's", () => {
  expect(cacheFolder()).toBe(join(folder, "cache"));
  delete process.env.REFADGEN_CACHE;
  const home = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = "/x";
  if (process.platform === "linux") expect(cacheFolder()).toBe(join("/x", "refadgen"));
  if (home === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = home;
  expect(cacheFolder().endsWith("refadgen")).toBe(true);
});
