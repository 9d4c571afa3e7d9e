import { Worker } from "node:worker_threads";
import type { ProductJob } from "./augment-product.js";
import type { WorkerAnswer } from "./worker.js";

/** What became of a job. */
export interface JobOutcome {
  readonly job: ProductJob;
  readonly answer: WorkerAnswer;
}

/**
 * Does jobs on worker threads, one at a time on each, and gives their outcomes as they come. A thread that dies takes only its own job
 * with it: that job is a failure, and another thread goes on.
 *
 * When `signal` aborts, the threads are ended and its reason is thrown; when the caller stops early, they are ended too.
 */
export async function* runJobs(
  jobs: Iterable<ProductJob>,
  { workers, signal }: { readonly workers: number; readonly signal?: AbortSignal },
): AsyncGenerator<JobOutcome, void, void> {
  const waiting = jobs[Symbol.iterator]();
  const threads = new Set<Worker>();
  const done: JobOutcome[] = [];
  let running = 0;
  let wake = (): void => {};
  const start = (thread: Worker | undefined): void => {
    const next = waiting.next();
    if (next.done) return void thread?.terminate();
    running++;
    const job = next.value;
    const worker = thread ?? new Worker(new URL("./worker.js", import.meta.url));
    threads.add(worker);
    const settle = (answer: WorkerAnswer, reusable: boolean): void => {
      worker.off("message", answered).off("error", died).off("exit", exited);
      running--;
      done.push({ job, answer });
      if (!reusable) threads.delete(worker);
      if (!signal?.aborted) start(reusable ? worker : undefined);
      wake();
    };
    const answered = (answer: WorkerAnswer) => settle(answer, true);
    const died = (error: unknown) => {
      // A second error of the same thread is no news.
      worker.on("error", () => {});
      settle({ failed: { code: "worker-died", message: `the worker died: ${error instanceof Error ? error.message : String(error)}` } }, false);
    };
    const exited = (code: number) => settle({ failed: { code: "worker-died", message: `the worker ended with exit code ${code}` } }, false);
    worker.on("message", answered).on("error", died).on("exit", exited);
    worker.postMessage(job);
  };
  const abort = () => wake();
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    for (let i = 0; i < workers; i++) start(undefined);
    while (running > 0 || done.length > 0) {
      signal?.throwIfAborted();
      const outcome = done.shift();
      if (outcome) yield outcome;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    await Promise.all([...threads].map((thread) => thread.removeAllListeners().terminate()));
  }
}
