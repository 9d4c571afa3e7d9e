import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ExtractError } from "../error.js";
import type { GrabCutReply, GrabCutRequest } from "./grabcut-protocol.js";

/** Milliseconds for which a thread is kept for the next picture: it takes a second to load OpenCV, and OpenCV keeps its memory. */
const keptFor = 10_000;

let idle: { readonly worker: Worker; readonly end: NodeJS.Timeout } | undefined;

/** Asks a thread that has OpenCV, one that was kept if there is one; it holds no process up. An abort ends the thread. */
export async function askGrabCut(
  request: GrabCutRequest,
  signal: AbortSignal | undefined,
): Promise<Exclude<GrabCutReply, { readonly error: string }>> {
  signal?.throwIfAborted();
  const worker = takeWorker();
  const reply = await replyOf(worker, request, signal).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  keep(worker);
  if (!("error" in reply)) return reply;
  if (reply.missing)
    throw new ExtractError("package-missing", `grabcut needs OpenCV: npm install @techstark/opencv-js@4.12.0-release.1 (${reply.error})`);
  throw new ExtractError("failed", `grabcut: ${reply.error}`);
}

function takeWorker(): Worker {
  if (!idle) return newWorker();
  const { worker, end } = idle;
  idle = undefined;
  clearTimeout(end);
  worker.ref();
  return worker;
}

function newWorker(): Worker {
  const worker = new Worker(new URL("./grabcut-worker.js", import.meta.url), { execArgv: [] });
  // One that dies while it waits is not asked again; while it works, `replyOf` tells.
  worker.on("error", () => forget(worker)).once("exit", () => forget(worker));
  return worker;
}

function forget(worker: Worker): void {
  if (idle?.worker === worker) idle = undefined;
}

function keep(worker: Worker): void {
  if (idle) {
    void worker.terminate();
    return;
  }
  const end = setTimeout(() => {
    forget(worker);
    void worker.terminate();
  }, keptFor).unref();
  idle = { worker, end };
  worker.unref();
}

async function replyOf(worker: Worker, request: GrabCutRequest, signal: AbortSignal | undefined): Promise<GrabCutReply> {
  const listening = new AbortController();
  const ended = signal ? AbortSignal.any([signal, listening.signal]) : listening.signal;
  worker.postMessage(request);
  try {
    return await Promise.race([
      once(worker, "message", { signal: ended }).then(([reply]) => reply as GrabCutReply),
      once(worker, "exit", { signal: ended }).then(([code]) => {
        throw new ExtractError("failed", `grabcut: its thread ended (${code})`);
      }),
    ]);
  } catch (error) {
    signal?.throwIfAborted();
    if (ExtractError.isInstance(error)) throw error;
    throw new ExtractError("failed", `grabcut: its thread failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    listening.abort();
  }
}
