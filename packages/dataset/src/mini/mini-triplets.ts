import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import type { MiniFiles, MiniFilesOptions } from "./files.js";
import type { MiniAnswer, MiniRequest } from "./mini-worker.js";
import { checkOptions } from "./triplet.js";

export interface MiniTripletsOptions extends MiniFilesOptions {
  /** Number of the first; default 0. */
  readonly first?: number;
  /** Threads that render; default one per processor. Order and bytes do not depend on it. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Told after each triplet. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * So many triplets of AdProd-Mini as files, in order, rendered on worker threads a few ahead of who reads.
 *
 * @throws ArgumentError before any is made
 */
export async function* miniTriplets(count: number, options: MiniTripletsOptions): AsyncGenerator<Triplet, void, void> {
  for await (const { triplet } of miniSet(count, options)) yield triplet;
}

/** `miniTriplets` with what lies beside each. */
export async function* miniSet(count: number, options: MiniTripletsOptions): AsyncGenerator<MiniFiles, void, void> {
  const { first = 0, workers = availableParallelism(), signal, onProgress, ...settings } = options;
  if (!Number.isSafeInteger(count) || count < 0) throw new ArgumentError(`miniTriplets: expected count to be a whole number, got ${String(count)}`);
  if (!Number.isSafeInteger(workers) || workers < 1 || workers > 256)
    throw new ArgumentError(`miniTriplets: expected 1 to 256 workers, got ${String(workers)}`);
  checkOptions("miniTriplets", first, options);
  signal?.throwIfAborted();
  const threads = Array.from({ length: Math.min(workers, count) }, () => new Worker(new URL("./mini-worker.js", import.meta.url)));
  const made = new Map<number, PromiseWithResolvers>();
  const ask = (index: number): void => {
    if (index >= first + count) return;
    made.set(index, withResolvers());
    const request: MiniRequest = { index, options: settings };
    threads[(index - first) % threads.length]!.postMessage(request);
  };
  const fail = (error: unknown): void => {
    for (const { reject } of made.values()) reject(error);
  };
  for (const thread of threads) {
    thread.on("message", (answer: MiniAnswer) => {
      if ("made" in answer) made.get(answer.index)?.resolve(answer.made);
      else made.get(answer.index)?.reject(answer.error);
    });
    thread.on("error", fail);
  }
  const abort = () => fail(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    // Two for each thread, so that none waits for whoever reads.
    for (let ahead = 0; ahead < 2 * threads.length; ahead++) ask(first + ahead);
    for (let index = first; index < first + count; index++) {
      signal?.throwIfAborted();
      const files = await made.get(index)!.promise;
      made.delete(index);
      ask(index + 2 * threads.length);
      yield files;
      onProgress?.({ done: index + 1 - first, total: count });
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<MiniFiles>;
  readonly resolve: (files: MiniFiles) => void;
  readonly reject: (error: unknown) => void;
}

function withResolvers(): PromiseWithResolvers {
  let [resolve, reject]: [PromiseWithResolvers["resolve"], PromiseWithResolvers["reject"]] = [() => undefined, () => undefined];
  const promise = new Promise<MiniFiles>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  // Those that nobody waits for any more may fail unheard.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
