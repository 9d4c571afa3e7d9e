import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type SqliteDriver } from "./database.js";
import { canonicalJson, shortHash } from "./hash.js";
import { openLedger } from "./ledger.js";
import { lockRun } from "./run-lock.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-ledger-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const builtIn = major > 22 || (major === 22 && minor >= 13);
const drivers: readonly SqliteDriver[] = builtIn ? ["better-sqlite3", "node:sqlite"] : ["better-sqlite3"];

describe.each(drivers)("Ledger with %s", (driver) => {
  it("keeps what is written in a transaction, and nothing of one that fails", async () => {
    const ledger = await openLedger(folder, { driver });
    const enter = (key: string) => ledger.enter({ key, source: 0, position: 0, location: key });
    ledger.transaction(() => enter("a"));
    expect(() =>
      ledger.transaction(() => {
        enter("b");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([...ledger.items()].map(({ key }) => key)).toEqual(["a"]);
    ledger.dispose();
    const again = await openLedger(folder, { driver, readOnly: true });
    expect(again.totals()).toEqual({ items: 1, going: 1 });
    again.dispose();
  });

  it("gives items and results by key, page after page, while others are written", async () => {
    const ledger = await openLedger(folder, { driver });
    const keys = Array.from({ length: 700 }, (_, index) => `k${String(index).padStart(4, "0")}`);
    ledger.transaction(() => {
      for (const [position, key] of [...keys].reverse().entries()) {
        ledger.enter({ key, source: 0, position, location: key });
        ledger.record({ key, stage: "score", attempt: 1, input: "i", config: "c", hash: "h", result: { outcome: "done", row: { blur: position } } });
      }
    });
    const seen: string[] = [];
    for (const { key, rows } of ledger.entries({ going: true })) {
      expect(rows.score?.blur).toBe(699 - Number(key.slice(1)));
      seen.push(key);
      if (seen.length % 2 === 0) ledger.stop(key, { step: "filter", outcome: "rejected", reasons: [{ code: "x", message: "y" }] });
    }
    expect(seen).toEqual(keys);
    expect(ledger.counts()).toEqual([{ step: "filter", rejected: 350, failed: 0, quarantined: 0, waiting: 0 }]);
    ledger.forgetStops();
    expect(ledger.totals()).toEqual({ items: 700, going: 700 });
    ledger.dispose();
  });

  it("refuses files that are none, or of another version", async () => {
    await writeFile(join(folder, "ledger.sqlite"), "not a database, but long enough to look like a file of some kind".repeat(20));
    await expect(openLedger(folder, { driver })).rejects.toMatchObject({
      code: "ledger",
      message: expect.stringMatching(/no ledger, or a damaged one/),
    });
    await rm(join(folder, "ledger.sqlite"));
    const other = await openDatabase(join(folder, "ledger.sqlite"), { driver });
    other.exec("PRAGMA user_version = 99");
    other.close();
    await expect(openLedger(folder, { driver })).rejects.toMatchObject({ code: "ledger", message: expect.stringMatching(/version 1, got 99/) });
  });

  it("says that nothing has been run where there is none", async () => {
    await expect(openLedger(folder, { driver, readOnly: true })).rejects.toMatchObject({
      code: "ledger",
      message: expect.stringMatching(/nothing has been run/),
    });
  });
});

describe("openDatabase", () => {
  it.skipIf(builtIn)("says what to install where Node has no SQLite of its own", async () => {
    await expect(openDatabase(join(folder, "x.sqlite"), { driver: "node:sqlite" })).rejects.toMatchObject({
      code: "missing-package",
      message: expect.stringMatching(/npm install better-sqlite3/),
    });
  });
});

describe("lockRun", () => {
  it("is had by one at a time, in one process too", async () => {
    const unlock = await lockRun(folder);
    await expect(lockRun(folder)).rejects.toMatchObject({ code: "ledger", retryable: true });
    const other = await lockRun(folder, "ledger-0-of-2");
    other();
    unlock();
    (await lockRun(folder))();
  });
});

describe("canonicalJson", () => {
  it("is the same whatever the order of keys, and another for other values", () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
    expect(shortHash("a", "bc")).not.toBe(shortHash("ab", "c"));
  });
});
