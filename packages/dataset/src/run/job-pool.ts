import { Worker } from "node:worker_threads";
import { DatasetError } from "../error.js";
import type { StageResult } from "../ledger/records.js";
import type { Job } from "../stages/run-job.js";
import type { JobAnswer } from "./job-worker.js";

export interface JobPoolOptions {
  readonly workers: number;
  /** Seconds that one job may take before its thread is ended and the item put into quarantine. */
  readonly deadline: number;
}

/** Worker threads that do jobs, one at a time each. A thread that dies takes only its own job with it, and another takes its place. */
export interface JobPool {
  /** How many jobs can be under way: more would only wait. */
  readonly size: number;
  /** @throws DatasetError what stopped the job and would stop every other */
  run(job: Job): Promise<StageResult>;
  /** Ends all threads at once; jobs under way are lost. */
  dispose(): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (result: StageResult) => void;
  readonly reject: (error: unknown) => void;
}

export function createJobPool({ workers, deadline }: JobPoolOptions): JobPool {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const queue: Waiting[] = [];
  const active = new Set<Waiting>();
  let disposed = false;

  const next = (): void => {
    if (disposed) return;
    const waiting = queue.shift();
    if (!waiting) return;
    const worker = idle.pop() ?? spawn();
    if (!worker) return void queue.unshift(waiting);
    perform(worker, waiting);
  };
  const spawn = (): Worker | undefined => {
    if (all.size >= workers) return undefined;
    const worker = new Worker(new URL("./job-worker.js", import.meta.url));
    all.add(worker);
    // Between jobs: the thread is gone, and nothing else is lost.
    worker
      .on("error", () => undefined)
      .on("exit", () => {
        all.delete(worker);
        const at = idle.indexOf(worker);
        if (at >= 0) idle.splice(at, 1);
      });
    return worker;
  };
  const perform = (worker: Worker, waiting: Waiting): void => {
    const { job, resolve, reject } = waiting;
    active.add(waiting);
    const quarantine = (code: string, message: string): void => {
      finish();
      all.delete(worker);
      void worker.terminate();
      resolve({ outcome: "quarantined", code, message, retryable: false });
      next();
    };
    const timer = setTimeout(() => quarantine("deadline", `${job.stage} took more than ${deadline} s`), deadline * 1000);
    const finish = (): void => {
      clearTimeout(timer);
      active.delete(waiting);
      worker.off("message", answered).off("error", died).off("exit", exited);
    };
    const answered = (answer: JobAnswer): void => {
      finish();
      idle.push(worker);
      if ("result" in answer) resolve(answer.result);
      else reject(new DatasetError(answer.thrown.code ?? "unreadable", answer.thrown.message, { retryable: answer.thrown.retryable }));
      next();
    };
    const died = (error: unknown) => quarantine("worker-died", `the thread died: ${error instanceof Error ? error.message : String(error)}`);
    const exited = (code: number) => quarantine("worker-died", `the thread ended with exit code ${code}`);
    worker.on("message", answered).on("error", died).on("exit", exited);
    worker.postMessage(job);
  };

  return {
    size: workers,
    run: (job) =>
      new Promise((resolve, reject) => {
        if (disposed) throw new Error("the threads have been ended");
        queue.push({ job, resolve, reject });
        next();
      }),
    async dispose() {
      disposed = true;
      for (const { reject } of [...queue.splice(0), ...active]) reject(new Error("the threads have been ended"));
      active.clear();
      await Promise.all([...all].map((worker) => worker.removeAllListeners().terminate()));
      all.clear();
    },
  };
}
