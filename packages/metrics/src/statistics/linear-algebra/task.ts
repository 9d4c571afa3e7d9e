import { Worker } from "node:worker_threads";
import { choleskyFactor, type Factor } from "./cholesky.js";
import { symmetricEigenvalues } from "./eigenvalues.js";

/** What is computed aside from the event loop. */
export type Task = { readonly kind: "factor" | "eigenvalues"; readonly matrix: Float64Array; readonly size: number };

/** Up to this size the work takes some milliseconds, less than a thread needs to begin. */
const smallSize = 96;

/** `choleskyFactor` in a thread of its own. The matrix is copied. */
export async function factorOf(matrix: Float64Array, size: number, signal?: AbortSignal): Promise<Factor> {
  if (size <= smallSize) return choleskyFactor(matrix, size);
  return (await inThread({ kind: "factor", matrix, size }, signal)) as Factor;
}

/** `symmetricEigenvalues` in a thread of its own. The matrix must not be used afterwards. */
export async function eigenvaluesOf(matrix: Float64Array, size: number, signal?: AbortSignal): Promise<Float64Array> {
  if (size <= smallSize) return symmetricEigenvalues(matrix, size);
  return (await inThread({ kind: "eigenvalues", matrix, size }, signal)) as Float64Array;
}

function inThread(task: Task, signal: AbortSignal | undefined): Promise<unknown> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./task-worker.js", import.meta.url), { workerData: task, execArgv: [] });
    const stop = () => {
      void worker.terminate();
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    worker.once("message", (result) => {
      resolve(result);
      void worker.terminate();
    });
    worker.once("error", reject);
    worker.once("exit", (code) => {
      signal?.removeEventListener("abort", stop);
      reject(new Error(`the thread for ${task.kind} ended with ${code}`));
    });
  });
}
