import { parentPort } from "node:worker_threads";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import type { StageResult } from "../ledger/records.js";
import { type Job, runJob } from "../stages/run-job.js";

/** What a worker thread says of a job. */
export type JobAnswer =
  | { readonly result: StageResult }
  | { readonly thrown: { readonly code: DatasetErrorCode | undefined; readonly message: string; readonly retryable: boolean } };

parentPort?.on("message", (job: Job) => {
  runJob(job).then(
    (result) => parentPort!.postMessage({ result } satisfies JobAnswer),
    (error: unknown) =>
      parentPort!.postMessage({
        thrown: {
          code: DatasetError.isInstance(error) ? error.code : undefined,
          message: error instanceof Error ? error.message : String(error),
          retryable: DatasetError.isInstance(error) && error.retryable,
        },
      } satisfies JobAnswer),
  );
});
