import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredFile } from "../contract.js";
import { clearUnfinished, folderStore } from "./folder-store.js";
import { storageError } from "./system-error.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("folderStore", () => {
  it("gives back what was put, under the sha256 of its bytes, once", async () => {
    const store = folderStore(folder);
    const bytes = new TextEncoder().encode("abc");
    const files = await Promise.all([store.put(bytes, "image/png"), store.put(bytes, "image/png")]);
    // FIPS 180-4, the example of one block.
    const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(files).toEqual([
      { sha256, bytes: 3, type: "image/png" },
      { sha256, bytes: 3, type: "image/png" },
    ]);
    expect(await store.get(files[0])).toEqual(bytes);
    expect(await readdir(join(folder, "ba"))).toEqual([`${sha256}.png`]);
  });

  it("refuses files that are missing, changed, or no files of a store", async () => {
    const store = folderStore(folder);
    const file = await store.put(new Uint8Array([1, 2, 3]), "image/jpeg");
    await writeFile(join(folder, file.sha256.slice(0, 2), `${file.sha256}.jpg`), new Uint8Array([1, 2, 4]));
    await expect(store.get(file)).rejects.toMatchObject({ code: "storage", message: expect.stringMatching(/other bytes/) });
    await expect(store.get({ ...file, sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "storage" });
    await expect(store.get({ sha256: "../../etc/passwd", bytes: 1, type: "image/png" })).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(store.get({ ...file, type: "text/html" } as unknown as StoredFile)).rejects.toMatchObject({ code: "invalid-argument" });
  });

  it("leaves nothing half-written, and clears what others left", async () => {
    const store = folderStore(folder);
    await store.put(new Uint8Array(1000), "image/webp");
    expect(await readdir(join(folder, ".writing"))).toEqual([]);
    await writeFile(join(folder, ".writing", "1-0-1"), "half");
    await clearUnfinished(folder);
    await store.put(new Uint8Array(1001), "image/webp");
    expect(await readdir(join(folder, ".writing"))).toEqual([]);
  });
});

describe("storageError", () => {
  it.each([
    ["ENOSPC", /disk is full.*start the same command again/],
    ["SQLITE_FULL", /disk is full/],
    ["EACCES", /no permission/],
  ])("says what %s means", (code, message) => {
    expect(storageError("here", Object.assign(new Error("x"), { code }))).toMatchObject({ code: "storage", message: expect.stringMatching(message) });
  });
});
