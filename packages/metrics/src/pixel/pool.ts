import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import { type PixelTask, runPixelTask } from "./task.js";

/** Pictures below this many pixels are compared here and now: it takes a millisecond or two. */
const smallPicture = 4096;

/** How long idle threads live. */
const idleMilliseconds = 2000;

type Reply = { readonly serial: number } & ({ readonly value: number } | { readonly error: string });

interface Waiting {
  readonly task: PixelTask;
  readonly resolve: (value: number) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  busy: Waiting | undefined;
}

const threads: Thread[] = [];
const queue: Waiting[] = [];
let closing: NodeJS.Timeout | undefined;

/** Compares a pair in one of a few threads, so that the event loop stays free. */
export async function comparePixels(task: PixelTask): Promise<number> {
  if (task.generated.width * task.generated.height <= smallPicture) return runPixelTask(task);
  return new Promise((resolve, reject) => {
    queue.push({ task, resolve, reject });
    work();
  });
}

function work(): void {
  clearTimeout(closing);
  while (queue.length > 0) {
    const idle = threads.find(({ busy }) => !busy) ?? (threads.length < availableParallelism() ? begin() : undefined);
    if (!idle) return;
    idle.busy = queue.shift()!;
    idle.worker.ref();
    idle.worker.postMessage({ serial: 0, task: idle.busy.task });
  }
  if (threads.every(({ busy }) => !busy)) {
    closing = setTimeout(() => {
      for (const { worker } of threads.splice(0)) void worker.terminate();
    }, idleMilliseconds);
    closing.unref();
  }
}

function begin(): Thread {
  const thread: Thread = { worker: new Worker(new URL("./worker.js", import.meta.url), { execArgv: [] }), busy: undefined };
  const settle = (reply: Reply | Error) => {
    const waiting = thread.busy;
    thread.busy = undefined;
    thread.worker.unref();
    if (reply instanceof Error) waiting?.reject(reply);
    else if ("value" in reply) waiting?.resolve(reply.value);
    else waiting?.reject(new ArgumentError(reply.error));
    work();
  };
  thread.worker.on("message", settle);
  thread.worker.on("error", (error) => {
    threads.splice(threads.indexOf(thread), 1);
    settle(error as Error);
  });
  threads.push(thread);
  return thread;
}
