import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { chatServer } from "../caption/chat-server.test-support.js";
import type { RunConfig } from "../config/run-config.js";
import type { Stage } from "../contract.js";
import { DatasetError } from "../error.js";
import { readWebDataset } from "../formats/webdataset-read.js";
import { openLedger } from "../ledger/ledger.js";
import { lockRun } from "../ledger/run-lock.js";
import { storageError } from "../store/system-error.js";
import { createRun } from "./create-run.js";
import { createJobPool } from "./job-pool.js";
import { type RunOptions, type RunSummary, runDataset } from "./run-dataset.js";
import { outcomeOf, runChild, smallConfig, smallPictures, writeSmallConfig } from "./small-run.test.support.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-run-"));
  await smallPictures(join(folder, "pictures"), 7);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Threads that all runs share, as it takes them longer to start than to do so little; the first run has its own. */
const pool = createJobPool({ workers: 2, deadline: 600 });
afterAll(() => pool.dispose());

/** A run, and how many items each stage really did. */
async function runCounted(
  config: RunConfig,
  options: RunOptions = {},
): Promise<{ readonly summary: RunSummary; readonly made: Record<string, number> }> {
  const made: Record<string, number> = {};
  const summary = await runDataset(config, {
    pool,
    onProgress: ({ step, state, done, known }) => {
      if (state === "end") made[step] = done - known;
    },
    ...options,
  });
  return { summary, made };
}

/** A run that has been done, to go on from. */
let done: string;
let left: number;
beforeAll(async () => {
  done = join(folder, "done");
  ({ left } = await runDataset(smallConfig(folder, "done"), { workers: 2 }));
}, 60_000);

async function copied(name: string): Promise<string> {
  await cp(done, join(folder, name), { recursive: true });
  return name;
}

describe("runDataset", () => {
  it("takes pictures to shards, and says what stopped the others", async () => {
    const { summary, made } = await runCounted(smallConfig(folder, await copied("again")));
    // Seven pictures, of which one is none; one is there twice.
    expect(summary).toMatchObject({ items: 8, left: 6 });
    expect(summary.train + summary.test).toBe(6);
    expect(summary.stopped.find(({ step }) => step === "ingest")).toMatchObject({ rejected: 1 });
    expect(summary.stopped.find(({ step }) => step === "dedup")).toMatchObject({ rejected: 1 });
    expect(made).toMatchObject({ ingest: 0, score: 0, extract: 0, caption: 0, augment: 0, shard: 0 });
    const triplets = [];
    for await (const triplet of readWebDataset(join(folder, "again", "webdataset"))) triplets.push(triplet);
    expect(triplets).toHaveLength(left);
    for (const { captions, category, variants, mask, extra } of triplets) {
      expect(captions).toHaveLength(4);
      expect(["bottle", "cup", "umbrella"]).toContain(category);
      expect(variants.map(({ index, kind }) => [index, kind])).toEqual([
        [0, "degraded"],
        [1, "degraded"],
      ]);
      expect([mask.width, mask.height]).toEqual([96, 72]);
      expect(extra).toMatchObject({ extract: { driver: "plain-background" } });
    }
    expect(await outcomeOf(join(folder, "again"))).toEqual(await outcomeOf(done));
  }, 60_000);

  it("does again only what changed settings touch", async () => {
    const name = await copied("changed");
    const thresholds = [
      { score: "shortSide", least: 64 },
      { score: "productArea", most: 1 },
    ];
    const filtered = await runCounted(smallConfig(folder, name, { filter: { thresholds } }));
    expect(filtered.made).toMatchObject({ score: 0, fingerprint: 0, extract: 0, inspect: 0, caption: 0, augment: 0 });
    expect(filtered.summary.left).toBeLessThan(left);
    const captioned = await runCounted(smallConfig(folder, name, { caption: { count: 2 } }));
    expect(captioned.made).toMatchObject({ score: 0, extract: 0, inspect: 0, caption: left, augment: 0 });
    expect((await runCounted(smallConfig(folder, name))).made).toMatchObject({ caption: left, augment: 0 });
    // And back where it was, to the last byte.
    expect(await outcomeOf(join(folder, name))).toEqual(await outcomeOf(done));
  }, 60_000);

  it("refuses a second run on the same folder, and goes on when the first has ended", async () => {
    const name = await copied("locked");
    const unlock = await lockRun(join(folder, name));
    await expect(runDataset(smallConfig(folder, name))).rejects.toMatchObject({
      code: "ledger",
      message: expect.stringMatching(/another run is at work/),
    });
    const child = await runChild(await writeSmallConfig(folder, name));
    expect(child.stderr).toMatch(/another run is at work/);
    unlock();
    await expect(runDataset(smallConfig(folder, name), { pool })).resolves.toMatchObject({ left });
  }, 60_000);

  it("keeps to a limit, and takes the rest without it", async () => {
    const name = "limited";
    const { summary } = await runCounted(smallConfig(folder, name), { limit: 4 });
    expect(summary.items).toBe(4);
    const { made } = await runCounted(smallConfig(folder, name));
    expect(made.ingest).toBe(4);
    const { results: one } = entryOf(await outcomeOf(join(folder, name)));
    expect(one).toEqual(entryOf(await outcomeOf(done)).results);
  }, 60_000);

  it("is done in parts by runs that share a folder, and finished by one", async () => {
    const name = "parts";
    for (const index of [0, 1, 2]) {
      const { summary } = await runCounted(smallConfig(folder, name), { shard: { index, count: 3 } });
      expect(summary.shards).toEqual([]);
    }
    const { made } = await runCounted(smallConfig(folder, name));
    expect(made).toMatchObject({ ingest: 0, score: 0, fingerprint: 0, extract: 0, caption: 0, augment: 0 });
    const [parts, whole] = [await outcomeOf(join(folder, name)), await outcomeOf(done)];
    // Parts do not know of duplicates elsewhere, and leave files of theirs in the store.
    for (const path of Object.keys(whole)) expect([path, parts[path]]).toEqual([path, whole[path]]);
  }, 60_000);

  it("does one step alone, on what there is", async () => {
    const name = "steps";
    const config = smallConfig(folder, name);
    expect((await runCounted(config, { only: ["ingest"] })).summary).toMatchObject({ items: 8, left: 7 });
    const early = await runCounted(config, { only: ["extract"] });
    expect(early.summary.stopped.find(({ step }) => step === "score")).toMatchObject({ waiting: 7 });
    for (const step of ["score", "fingerprint", "extract", "inspect", "caption", "augment", "split", "shard", "report"] as const)
      await runCounted(config, { only: [step] });
    expect(await outcomeOf(join(folder, name))).toMatchObject({ ledger: (await outcomeOf(done)).ledger });
  }, 60_000);

  it("heeds what people decided, and keeps the sides of the split when items are added", async () => {
    const name = await copied("decided");
    const config = smallConfig(folder, name);
    const run = await createRun(config);
    const going = [...run.ledger.items({ going: true })];
    const duplicate = [...run.ledger.items({ going: false })].find(({ stop }) => stop?.step === "dedup")!;
    const [loser] = going;
    run.ledger.decide(loser!.key, "rejected");
    run.ledger.decide(duplicate.key, "accepted");
    await run.dispose();
    await smallPictures(join(folder, "pictures-more"), 10);
    const more = { ...config, sources: [{ kind: "folder", path: join(folder, "pictures-more") } as const] };
    const { summary } = await runCounted(more);
    expect(summary.items).toBe(12);
    const ledger = await openLedger(join(folder, name), { readOnly: true });
    const same = going.filter(({ key }) => ledger.item(key)?.split !== undefined);
    // Without what was rejected, and what gave way to the one that a person wants.
    expect(same).toHaveLength(left - 2);
    for (const { key, split } of same) expect([key, ledger.item(key)?.split]).toEqual([key, split]);
    expect(ledger.item(loser!.key)?.stop).toMatchObject({ step: "review", reasons: [{ code: "reviewer" }] });
    expect(ledger.item(duplicate.key)?.stop).toBeUndefined();
    ledger.dispose();
  }, 60_000);
});

function entryOf(outcome: Record<string, string>): { readonly results: unknown } {
  return JSON.parse(outcome.ledger!.split("\n").at(-1)!) as { readonly results: unknown };
}

describe("when things go wrong", () => {
  it("stops at a disk that is full, says so, and goes on when there is room", async () => {
    const name = "full";
    let room = 3;
    const full: Stage<"score"> = {
      name: "score",
      needs: ["ingest"],
      settings: {},
      async run() {
        if (room-- <= 0) throw storageError("folderStore: cannot write x", Object.assign(new Error("write"), { code: "ENOSPC" }));
        return { outcome: "done", row: { shortSide: 72 } };
      },
    };
    const stopped = runDataset(smallConfig(folder, name), { workers: 1, stages: { score: full } });
    await expect(stopped).rejects.toMatchObject({ code: "storage", message: expect.stringMatching(/disk is full.*start the same command again/) });
    room = 1000;
    const { made, summary } = await runCounted(smallConfig(folder, name), { stages: { score: full } });
    expect(made.score).toBe(4);
    expect(summary.stopped.every(({ failed }) => failed === 0)).toBe(true);
  }, 60_000);

  it.skipIf(spawnSync("mount", ["--version"]).status !== 0 || process.getuid?.() !== 0)(
    "does so on a real disk",
    async () => {
      const disk = join(folder, "disk");
      await mkdir(disk);
      if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]).status !== 0) return;
      try {
        const config = smallConfig(folder, join("disk", "run"));
        await expect(runDataset(config, { pool })).rejects.toMatchObject({ code: "storage", message: expect.stringMatching(/disk is full/) });
        expect(spawnSync("mount", ["-o", "remount,size=30m", disk]).status).toBe(0);
        await runDataset(config, { pool });
        expect(await outcomeOf(join(disk, "run"))).toEqual(await outcomeOf(done));
      } finally {
        spawnSync("umount", [disk]);
      }
    },
    60_000,
  );

  it("keeps failures of an endpoint that is down or talks nonsense, and tries them again when told", async () => {
    const name = await copied("endpoint");
    let behaviour: "down" | "garbage" | "well" = "down";
    const server = await chatServer(async ({ words }, response) => {
      if (behaviour === "down") return void response.writeHead(503).end();
      const noun = /bottle|cup|umbrella/.exec(words)?.[0] ?? "bottle";
      const captions = [
        `A ${noun} stands alone on a plain white surface in soft daylight.`,
        `Even light falls on a ${noun} that is seen from the front.`,
        `The picture shows one ${noun} with a lot of empty space around it.`,
        `For a calm morning at home, a simple ${noun} within reach.`,
      ];
      const content =
        behaviour === "garbage"
          ? "]} no JSON {["
          : JSON.stringify({ captions, language: "en", visible_text: [], product_visible: true, occluded: false, watermark: false });
      response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          model: "test",
          choices: [{ message: { content }, finish_reason: "stop" }],
          usage: { prompt_tokens: 10, completion_tokens: 10 },
        }),
      );
    });
    try {
      const config = smallConfig(folder, name, {
        caption: { endpoints: [{ url: server.url, model: "test" }], rounds: 1, retry: { attempts: 1, firstWait: 0, longestWait: 0 } },
      });
      const down = await runCounted(config);
      expect(down.summary.stopped.find(({ step }) => step === "caption")).toMatchObject({ failed: left });
      behaviour = "garbage";
      const still = await runCounted(config);
      expect(still.made.caption).toBe(0);
      const nonsense = await runCounted(config, { retryFailed: true });
      expect(nonsense.made.caption).toBe(left);
      const ledger = await openLedger(join(folder, name), { readOnly: true });
      const failed = [...ledger.items({ going: false })].filter(({ stop }) => stop?.step === "caption");
      expect(failed.map(({ stop }) => stop?.reasons[0]?.code)).toEqual(Array.from({ length: left }, () => "endpoint"));
      expect(ledger.result(failed[0]!.key, "caption")).toMatchObject({ attempt: 2 });
      ledger.dispose();
      behaviour = "well";
      const well = await runCounted(config, { retryFailed: true });
      expect(well.made).toMatchObject({ extract: 0, caption: left, augment: 0 });
      expect(well.summary.stopped.every(({ failed }) => failed === 0)).toBe(true);
    } finally {
      server.close();
    }
  }, 60_000);

  it("stops when one kind of failure does not end", async () => {
    const broken: Stage<"score"> = {
      name: "score",
      needs: ["ingest"],
      settings: {},
      run: () => Promise.reject(new DatasetError("network", "it is down", { retryable: true })),
    };
    const run = runDataset({ ...smallConfig(folder, "in-a-row"), failuresInARow: 3 }, { workers: 1, stages: { score: broken } });
    await expect(run).rejects.toMatchObject({ code: "network", message: expect.stringMatching(/3 times in a row.*it is down.*--retry-failed/) });
  }, 60_000);

  it("does not care what time it is", async () => {
    // Back an hour with each look at the clock.
    let now = Date.now();
    const clock = vi.spyOn(Date, "now").mockImplementation(() => (now -= 3_600_000));
    try {
      await runDataset(smallConfig(folder, "clock"), { pool });
    } finally {
      clock.mockRestore();
    }
    expect(await outcomeOf(join(folder, "clock"))).toEqual(await outcomeOf(done));
  }, 60_000);

  it("ends at once when it is interrupted, and goes on from there", async () => {
    const abort = new AbortController();
    const config = smallConfig(folder, "interrupted");
    const interrupted = runDataset(config, {
      workers: 2,
      signal: abort.signal,
      onProgress: ({ step, done: count }) => {
        if (step === "extract" && count === 2) abort.abort(new Error("that is enough"));
      },
    });
    await expect(interrupted).rejects.toThrow("that is enough");
    await runDataset(config, { pool });
    expect(await outcomeOf(join(folder, "interrupted"))).toEqual(await outcomeOf(done));
  }, 60_000);

  it("says what is damaged", async () => {
    const name = await copied("damaged");
    const [shelf] = (await readdir(join(folder, name, "files"))).filter((entry) => !entry.startsWith("."));
    await rm(join(folder, name, "files", shelf!), { recursive: true });
    await expect(runDataset(smallConfig(folder, name), { from: "shard", workers: 1 })).rejects.toMatchObject({
      code: "storage",
      message: expect.stringMatching(/cannot read/),
    });
  }, 60_000);
});
