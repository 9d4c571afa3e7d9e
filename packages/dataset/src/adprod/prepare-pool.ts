import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";
import { type PreparedRow, type PrepareJob, prepareRow } from "./prepare.js";
import type { PrepareAnswer, PrepareRequest } from "./prepare-worker.js";

/** Threads that prepare rows. */
export interface PreparePool {
  prepare(job: PrepareJob): Promise<PreparedRow>;
  /** Ends the threads; what they have in hand is refused. */
  dispose(): Promise<void>;
}

interface Waiting {
  readonly resolve: (row: PreparedRow) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/**
 * @param workers number of threads; 0 prepares rows in the caller's thread, which is blocked meanwhile
 * @throws ArgumentError
 */
export function createPreparePool(workers: number): PreparePool {
  if (!Number.isSafeInteger(workers) || workers < 0 || workers > 256)
    throw new ArgumentError(`batches: expected 0 to 256 workers, got ${String(workers)}`);
  if (workers === 0) return { prepare: prepareRow, dispose: async () => undefined };
  const threads = Array.from({ length: workers }, startThread);
  let ended: Error | undefined;
  let nextId = 0;
  for (const thread of threads) {
    const fail = (error: Error): void => {
      ended ??= error;
      refuseAll(thread, error);
    };
    thread.worker.on("error", fail);
    thread.worker.on("exit", (code) => fail(new Error(`batches: a worker thread ended with code ${code}`)));
  }
  return {
    prepare: (job) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const thread = threads.reduce((idlest, other) => (other.waiting.size < idlest.waiting.size ? other : idlest));
        const request: PrepareRequest = { id: nextId++, job };
        thread.waiting.set(request.id, { resolve, reject });
        thread.worker.ref();
        thread.worker.postMessage(request);
      }),
    async dispose() {
      ended ??= new Error("batches: the threads were ended");
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(): Thread {
  const worker = new Worker(new URL("./prepare-worker.js", import.meta.url));
  const thread: Thread = { worker, waiting: new Map() };
  worker.unref();
  worker.on("message", (answer: PrepareAnswer) => {
    const job = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if (thread.waiting.size === 0) worker.unref();
    if ("row" in answer) job?.resolve(answer.row);
    else job?.reject(answer.code ? new DatasetError(answer.code, answer.message) : new Error(answer.message));
  });
  return thread;
}

function refuseAll({ waiting }: Thread, error: Error): void {
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}
