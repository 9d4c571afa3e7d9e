import { availableParallelism } from "node:os";
import { ArgumentError } from "@refadgen/errors";
import { connectionOf, loadBullMq } from "./bullmq.js";
import { defaultQueue, type QueueOptions } from "./queue-options.js";

export interface QueueWorkerOptions extends QueueOptions {
  /** Jobs at the same time, each in a process of its own. Default one per processor. */
  readonly concurrent?: number;
  /** Where this machine has the run's store, if it lies elsewhere than for the machine that runs. */
  readonly store?: string;
  /** Seconds that one job may take before its item is quarantined. Default 600. */
  readonly deadline?: number;
  /** Seconds after which a job of a worker that says nothing any more goes to another. Default 30. */
  readonly lock?: number;
  readonly onJob?: (job: { readonly stage: string; readonly item: string; readonly ended: "done" | "failed" }) => void;
}

/** A worker at a queue. */
export interface QueueWorker {
  /** Finishes what is under way and leaves. */
  close(): Promise<void>;
}

/**
 * Does jobs of runs on this machine until it is closed.
 *
 * @throws DatasetError `missing-package`, `network` if no server answers; ArgumentError
 */
export async function startQueueWorker(options: QueueWorkerOptions): Promise<QueueWorker> {
  const { queue = defaultQueue, concurrent = availableParallelism(), lock = 30, deadline = 600, store, onJob } = options;
  for (const [name, value] of Object.entries({ concurrent, lock, deadline }))
    if (!(value > 0)) throw new ArgumentError(`startQueueWorker: expected ${name} above 0, got ${String(value)}`);
  const connection = connectionOf("startQueueWorker", options);
  const { Worker } = await loadBullMq(connection);
  const worker = new Worker(queue, new URL("./queue-processor.js", import.meta.url), {
    connection,
    concurrency: concurrent,
    lockDuration: lock * 1000,
    stalledInterval: lock * 1000,
    maxStalledCount: 3,
    workerForkOptions: {
      env: { ...process.env, REFADGEN_JOB_DEADLINE: String(deadline), ...(store !== undefined && { REFADGEN_JOB_STORE: store }) },
    },
  });
  worker.on("error", () => undefined); // it connects again by itself
  worker.on("completed", ({ name, data }) => onJob?.({ stage: name, item: data.item.key, ended: "done" }));
  worker.on("failed", (job) => job && onJob?.({ stage: job.name, item: job.data.item.key, ended: "failed" }));
  await worker.waitUntilReady();
  return { close: () => worker.close() };
}
