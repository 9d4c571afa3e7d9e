import type { SandboxedJob } from "bullmq";
import { DatasetError } from "../error.js";
import { createJobPool, type JobPool } from "../run/job-pool.js";
import type { JobAnswer } from "../run/job-worker.js";
import type { Job } from "../stages/run-job.js";

/** Seconds that one job may take. */
const deadline = Number(process.env.REFADGEN_JOB_DEADLINE ?? 600);
const store = process.env.REFADGEN_JOB_STORE;
let pool: JobPool | undefined;

// A worker that is killed takes its sandboxes with it: their jobs go to others.
process.once("disconnect", () => process.exit());

/**
 * What a worker's sandbox runs: a process of its own, which keeps the lock's renewal free of decoders, and in it a thread, which can be ended when it hangs. What
 * would stop every item is an answer too: only a death is a failure of the queue.
 */
export default async function processJob({ data }: SandboxedJob<Job>): Promise<JobAnswer> {
  pool ??= createJobPool({ workers: 1, deadline });
  try {
    return { result: await pool.run(store === undefined ? data : { ...data, store }) };
  } catch (error) {
    const known = DatasetError.isInstance(error);
    return {
      thrown: {
        code: known ? error.code : undefined,
        message: error instanceof Error ? error.message : String(error),
        retryable: known && error.retryable,
      },
    };
  }
}
