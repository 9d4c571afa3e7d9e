import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeImage } from "@refadgen/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Item } from "../contract.js";
import { miniTriplet } from "../mini/triplet.js";
import { type Job, runJob } from "../stages/run-job.js";
import { folderStore } from "../store/folder-store.js";
import { createJobPool } from "./job-pool.js";

let store: string;
let item: Item;
beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), "refadgen-pool-"));
  const { image } = miniTriplet(3, { seed: 1, width: 96, height: 64 }).product;
  const picture = await folderStore(store).put(await encodeImage(image, { format: "png" }), "image/png");
  const provenance = { kind: "folder", location: "x.png", sha256: "0".repeat(64), orientation: 1, format: "png" } as const;
  item = { key: "one", rows: { ingest: { provenance, picture, width: 96, height: 64, category: "bottle" } } };
});
afterAll(() => rm(store, { recursive: true, force: true }));

const extract = (): Job => ({ stage: "extract", settings: { drivers: [{ name: "plain-background" }], least: 0 }, item, store });

describe("runJob", () => {
  it("is a pure function of plain JSON, here and on a thread", async () => {
    const job = JSON.parse(JSON.stringify(extract())) as Job;
    const here = await runJob(job);
    expect(here).toMatchObject({ outcome: "done", row: { driver: "plain-background" } });
    expect(JSON.parse(JSON.stringify(here))).toEqual(here);
    const pool = createJobPool({ workers: 2, deadline: 60 });
    try {
      expect(await Promise.all([pool.run(job), pool.run(job), pool.run(job)])).toEqual([here, here, here]);
    } finally {
      await pool.dispose();
    }
  });

  it("throws what would go wrong with every item, and gives the rest as a result", async () => {
    const missing: Item = {
      key: "two",
      rows: { ingest: { ...item.rows.ingest!, picture: { ...item.rows.ingest!.picture, sha256: "f".repeat(64) } } },
    };
    await expect(runJob({ ...extract(), item: missing })).rejects.toMatchObject({ code: "storage" });
    await expect(runJob({ ...extract(), settings: { confidence: 7 } })).rejects.toMatchObject({ code: "invalid-config" });
    const junk = await folderStore(store).put(new Uint8Array([1, 2, 3]), "image/png");
    const broken: Item = { key: "three", rows: { ingest: { ...item.rows.ingest!, picture: junk } } };
    expect(await runJob({ ...extract(), item: broken })).toMatchObject({ outcome: "failed", retryable: false });
  });
});

describe("createJobPool", () => {
  it("puts what takes too long into quarantine, and goes on with another thread", async () => {
    const pool = createJobPool({ workers: 1, deadline: 0.001 });
    try {
      const results = await Promise.all([pool.run(extract()), pool.run(extract())]);
      for (const result of results) expect(result).toMatchObject({ outcome: "quarantined", code: "deadline" });
    } finally {
      await pool.dispose();
    }
  });

  it("rejects what is under way when it is ended", async () => {
    const pool = createJobPool({ workers: 1, deadline: 60 });
    const jobs = [pool.run(extract()), pool.run(extract())];
    const settled = Promise.allSettled(jobs);
    await pool.dispose();
    expect((await settled).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
