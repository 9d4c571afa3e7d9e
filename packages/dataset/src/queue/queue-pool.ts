import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";
import type { Job as QueuedJob } from "bullmq";
import { DatasetError } from "../error.js";
import { canonicalJson } from "../ledger/hash.js";
import type { StageResult } from "../ledger/records.js";
import type { JobPool } from "../run/job-pool.js";
import type { JobAnswer } from "../run/job-worker.js";
import type { Job } from "../stages/run-job.js";
import { connectionOf, loadBullMq } from "./bullmq.js";
import { defaultQueue, type QueueOptions } from "./queue-options.js";

export interface QueuePoolOptions extends QueueOptions {
  /** Jobs that wait or are under way at the same time; a few for each thread of all workers. Default 64. */
  readonly inFlight?: number;
  /** How often a job is begun whose worker dies. Default 3. */
  readonly attempts?: number;
}

/** A job that was given up: its worker died each time. */
export interface DeadLetter {
  readonly id: string;
  readonly stage: string;
  /** Key of the item. */
  readonly item: string;
  readonly reason: string;
  readonly attempts: number;
}

/**
 * Has the jobs of a run done by workers on any machines (`startQueueWorker`), over Redis or Valkey: pass it to `runDataset` as `pool`. The ledger stays with the run.
 *
 * A job is known by what it is, so that one that is asked for twice is done once. A worker that dies loses its job to another after half a minute; a job that
 * brings down its workers goes to the dead letters, and its item is quarantined. All machines need the run's output folder at the same path.
 *
 * @throws DatasetError `missing-package`, `network` if no server answers; ArgumentError
 */
export async function createQueuePool(options: QueuePoolOptions): Promise<JobPool> {
  const { queue: name = defaultQueue, inFlight = 64, attempts = 3 } = options;
  if (!Number.isSafeInteger(inFlight) || inFlight < 1)
    throw new ArgumentError(`createQueuePool: expected inFlight of at least 1, got ${String(inFlight)}`);
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new ArgumentError(`createQueuePool: expected attempts of at least 1, got ${String(attempts)}`);
  const connection = connectionOf("createQueuePool", options);
  const { Queue, QueueEvents } = await loadBullMq(connection);
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const waiting = new Set<(error: Error) => void>();
  const left = () => new Error("the queue has been left");
  let disposed = false;
  // They connect again by themselves.
  queue.on("error", () => undefined);
  events.on("error", () => undefined);
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return {
    size: inFlight,
    async run(job) {
      if (disposed) throw left();
      const id = idOf(job);
      // What was given up in an earlier run is begun anew when a run asks for it again.
      const former = await queue.getJob(id);
      if (former && (await former.isFailed())) await former.remove();
      const queued = await queue.add(job.stage, job, {
        jobId: id,
        attempts,
        backoff: { type: "exponential", delay: 500 },
        removeOnComplete: { age: 3600, count: 10_000 },
        removeOnFail: false,
      });
      let answer: JobAnswer;
      let leave: (error: Error) => void = () => undefined;
      const ended = new Promise<never>((_, reject) => {
        leave = reject;
        waiting.add(reject);
      });
      try {
        answer = (await Promise.race([queued.waitUntilFinished(events), ended])) as JobAnswer;
      } catch (error) {
        if (disposed || !(await queued.isFailed().catch(() => false))) throw error;
        return {
          outcome: "quarantined",
          code: "worker-died",
          message: `${job.stage}: ${(error as Error).message}`,
          retryable: false,
        } satisfies StageResult;
      } finally {
        waiting.delete(leave);
      }
      if ("result" in answer) return answer.result;
      const { code, message, retryable } = answer.thrown;
      throw new DatasetError(code ?? "unreadable", message, { retryable });
    },
    async dispose() {
      disposed = true;
      for (const reject of waiting) reject(left());
      await Promise.allSettled([queue.close(), events.close()]);
    },
  };
}

/** Jobs that were given up, oldest first. */
export async function deadLetters(options: QueueOptions): Promise<readonly DeadLetter[]> {
  return withFailed("deadLetters", options, async (jobs) =>
    jobs.map(({ id, name, data, failedReason, attemptsMade }) => ({
      id: id!,
      stage: name,
      item: (data as Job).item.key,
      reason: failedReason,
      attempts: attemptsMade,
    })),
  );
}

/** Puts jobs that were given up back into the queue. @returns how many */
export async function retryDeadLetters(options: QueueOptions): Promise<number> {
  return withFailed("retryDeadLetters", options, async (jobs) => {
    for (const job of jobs) await job.retry("failed");
    return jobs.length;
  });
}

async function withFailed<T>(where: string, options: QueueOptions, work: (jobs: readonly QueuedJob[]) => Promise<T>): Promise<T> {
  const connection = connectionOf(where, options);
  const { Queue } = await loadBullMq(connection);
  const queue = new Queue(options.queue ?? defaultQueue, { connection });
  queue.on("error", () => undefined);
  try {
    return await work(await queue.getFailed(0, -1));
  } finally {
    await queue.close().catch(() => undefined);
  }
}

/** Stage, settings and everything that the stage is given; where the store lies does not matter. */
function idOf({ stage, settings, item }: Job): string {
  const digest = createHash("sha256").update(canonicalJson({ stage, settings, item })).digest("hex").slice(0, 40);
  return `${item.key}-${stage}-${digest}`;
}
