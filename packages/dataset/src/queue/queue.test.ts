import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runDataset } from "../run/run-dataset.js";
import { outcomeOf, smallConfig, smallPictures } from "../run/small-run.test.support.js";
import { connectionOf } from "./bullmq.js";
import { createQueuePool, deadLetters, retryDeadLetters } from "./queue-pool.js";
import { startQueueWorker } from "./queue-worker.js";

const program = ["redis-server", "valkey-server"].find((name) => spawnSync(name, ["--version"]).status === 0);
if (program === undefined && process.env.CI) throw new Error("these tests need redis-server or valkey-server");

let folder: string;
let server: ChildProcess;
const port = 20_000 + (process.pid % 20_000);
const redis = `redis://127.0.0.1:${port}`;

beforeAll(async () => {
  if (program === undefined) return;
  folder = await mkdtemp(join(tmpdir(), "refadgen-queue-test-"));
  server = spawn(program, ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", folder], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const text of server.stdout!) if (String(text).includes("Ready to accept connections")) break;
  await smallPictures(join(folder, "pictures"), 5);
}, 30_000);
afterAll(async () => {
  if (program === undefined) return;
  server.kill("SIGKILL");
  await once(server, "close");
  await rm(folder, { recursive: true, force: true });
});

/** A worker that writes what it does. */
function startWorker(queue: string, onLine: (line: string, child: ChildProcess) => void): ChildProcess {
  const script = fileURLToPath(new URL("./worker-child.test.support.js", import.meta.url));
  const child = spawn(process.execPath, [script, redis, queue], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (data: Buffer) => {
    for (const line of data.toString().trim().split("\n")) onLine(line, child);
  });
  return child;
}

describe.runIf(program !== undefined)("a run over a queue", () => {
  it("ends with the bytes of a run without one, though workers are killed in mid-job", async () => {
    await runDataset(smallConfig(folder, "alone"));
    const pool = await createQueuePool({ redis, queue: "killed", inFlight: 6 });
    let [killed, done] = [0, 0];
    let workers: ChildProcess[] = [];
    const onLine = (line: string, child: ChildProcess): void => {
      if (line === "ready") return;
      done++;
      // Each has taken its next job when it tells of the last.
      if (done % 6 !== 0 || killed >= 2) return;
      killed++;
      child.kill("SIGKILL");
      workers = workers.filter((one) => one !== child);
      workers.push(startWorker("killed", onLine));
    };
    workers.push(startWorker("killed", onLine), startWorker("killed", onLine));
    try {
      await runDataset(smallConfig(folder, "queued"), { pool });
      expect(killed).toBe(2);
      expect(await deadLetters({ redis, queue: "killed" })).toEqual([]);
    } finally {
      await pool.dispose();
      for (const worker of workers) worker.kill("SIGKILL");
    }
    expect(await outcomeOf(join(folder, "queued"))).toEqual(await outcomeOf(join(folder, "alone")));
  }, 120_000);

  it("does a job that is asked for twice once", async () => {
    const pool = await createQueuePool({ redis, queue: "once" });
    const lines: string[] = [];
    const worker = startWorker("once", (line) => void lines.push(line));
    const job = { stage: "score", settings: {}, item: { key: "a", rows: {} }, store: join(folder, "none") } as never;
    try {
      const both = await Promise.allSettled([pool.run(job), pool.run(job)]);
      for (const one of both) expect(one).toMatchObject({ status: "rejected", reason: { message: "score: expected a to have a row of ingest" } });
      await sleep(200);
      expect(lines.filter((line) => line === "score a")).toHaveLength(1);
    } finally {
      await pool.dispose();
      worker.kill("SIGKILL");
    }
  }, 60_000);

  it("lists what was given up, tries it again when told, and stops waiting when left", async () => {
    const { Queue, Worker } = await import("bullmq");
    const connection = connectionOf("test", { redis });
    const queue = new Queue("dead", { connection });
    await queue.add("extract", { item: { key: "b" } }, { jobId: "b-1" });
    const failing = new Worker("dead", () => Promise.reject(new Error("it died")), { connection });
    await once(failing, "failed");
    await failing.close();
    expect(await deadLetters({ redis, queue: "dead" })).toEqual([{ id: "b-1", stage: "extract", item: "b", reason: "it died", attempts: 1 }]);
    expect(await retryDeadLetters({ redis, queue: "dead" })).toBe(1);
    expect(await queue.getWaitingCount()).toBe(1);
    await queue.close();
    const pool = await createQueuePool({ redis, queue: "nobody" });
    const waiting = pool.run({ stage: "score", settings: {}, item: { key: "c", rows: {} }, store: folder } as never);
    setTimeout(() => void pool.dispose(), 200);
    await expect(waiting).rejects.toThrow(/left/);
    expect((await readdir(folder)).includes("none")).toBe(false);
  }, 60_000);
});

it("says at once that no server answers, and leaves nothing that keeps the process alive", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  for (const start of [createQueuePool, startQueueWorker, deadLetters])
    await expect(start({ redis: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/ECONNREFUSED/),
    });
});

it("refuses addresses that are none", () => {
  for (const wrong of ["localhost", "http://x", "redis://", "redis://x/y"])
    expect(() => connectionOf("test", { redis: wrong })).toThrow(ArgumentError);
  expect(connectionOf("test", { redis: "rediss://a:b%40c@h:1/2" })).toMatchObject({
    host: "h",
    port: 1,
    username: "a",
    password: "b@c",
    db: 2,
    tls: {},
  });
});
