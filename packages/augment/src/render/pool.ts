import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import { checkScene, type SplatScene } from "../splats/scene.js";
import { type Camera, checkCamera } from "./camera.js";
import { type RenderedView, type RenderOptions, type RenderSettings, renderSettings } from "./options.js";
import type { DrawAnswer, DrawJob } from "./pool-worker.js";
import { emptyView } from "./render.js";

/** What a picture of a pool may be given besides `RenderOptions`. */
export interface PooledRenderOptions extends RenderOptions {
  /** Refuses the picture with the signal's reason; what a worker has begun it ends, unseen. */
  readonly signal?: AbortSignal;
}

/** Worker threads that draw. */
export interface RenderPool {
  /** Number of worker threads. */
  readonly workers: number;
  /** As `render`, without blocking this thread; the tile rows of the picture are shared out among the workers. */
  render(scene: SplatScene, camera: Camera, options?: PooledRenderOptions): Promise<RenderedView>;
  /** Draws whole pictures, one per worker at a time, and gives them in the order of the cameras. */
  renderAll(scene: SplatScene, cameras: Iterable<Camera>, options?: PooledRenderOptions): AsyncGenerator<RenderedView, void, void>;
  /** Ends the threads; work in hand is refused. */
  dispose(): Promise<void>;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  /** Why the thread is no more. */
  ended?: Error;
}

/**
 * Starts worker threads that draw; they hold no picture and no scene between calls, and do not keep the process alive while idle.
 *
 * Pictures are those of `render`, bit for bit, with any number of workers.
 *
 * @param options.workers 1 to 256; default: as many as the machine has processors.
 */
export function createRenderPool(options: { readonly workers?: number } = {}): RenderPool {
  const workers = options.workers ?? availableParallelism();
  if (!Number.isInteger(workers) || workers < 1 || workers > 256) {
    throw new ArgumentError(`createRenderPool: expected 1 to 256 workers, got ${workers}`);
  }
  const threads = Array.from({ length: workers }, startThread);
  let disposed = false;
  let nextId = 0;

  const run = (job: Omit<DrawJob, "id">, thread: Thread): Promise<void> =>
    new Promise((resolve, reject) => {
      if (thread.ended) return reject(thread.ended);
      const id = nextId++;
      if (thread.waiting.size === 0) thread.worker.ref();
      thread.waiting.set(id, { resolve, reject });
      thread.worker.postMessage({ ...job, id });
    });
  const prepare = (
    scene: SplatScene,
    given: PooledRenderOptions,
    where: string,
  ): { readonly scene: SplatScene; readonly settings: RenderSettings } => {
    if (disposed) throw new ArgumentError(`${where}: expected a pool, got one that was disposed of`);
    given.signal?.throwIfAborted();
    const settings = renderSettings(given, where);
    checkScene(scene, where);
    return { scene: sharedScene(scene), settings };
  };

  return {
    workers,
    async render(given, camera, renderOptions = {}) {
      checkCamera(camera, "render");
      const { scene, settings } = prepare(given, renderOptions, "render");
      const view = emptyView(camera, settings, sharedArray);
      const job = { scene, camera: plainCamera(camera), settings, view };
      const rows = threads.map((thread, first) => run({ ...job, rows: { first, step: workers } }, thread));
      await abortable(Promise.all(rows), renderOptions.signal);
      return ownView(view);
    },
    async *renderAll(given, cameras, renderOptions = {}) {
      const { scene, settings } = prepare(given, renderOptions, "renderAll");
      const ahead: { readonly view: RenderedView; readonly done: Promise<void> }[] = [];
      let next = 0;
      const start = (camera: Camera): void => {
        checkCamera(camera, "renderAll");
        const view = emptyView(camera, settings, sharedArray);
        const done = run({ scene, camera: plainCamera(camera), settings, view, rows: { first: 0, step: 1 } }, threads[next++ % workers]!);
        // Its failure is told when its turn comes.
        done.catch(() => undefined);
        ahead.push({ view, done });
      };
      const take = async (): Promise<RenderedView> => {
        const { view, done } = ahead.shift()!;
        await abortable(done, renderOptions.signal);
        return ownView(view);
      };
      for (const camera of cameras) {
        // Two per worker: one in hand, one to go on with.
        if (ahead.length >= workers * 2) yield await take();
        start(camera);
      }
      while (ahead.length > 0) yield await take();
    },
    async dispose() {
      disposed = true;
      const ended = new Error("createRenderPool: expected the pool to be kept until its work is done, got dispose()");
      for (const thread of threads) {
        thread.ended = ended;
        refuseAll(thread, ended);
      }
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(): Thread {
  const worker = new Worker(new URL("./pool-worker.js", import.meta.url));
  const thread: Thread = { worker, waiting: new Map() };
  worker.unref();
  worker.on("message", ({ id, error }: DrawAnswer) => {
    const job = thread.waiting.get(id);
    thread.waiting.delete(id);
    if (thread.waiting.size === 0) worker.unref();
    if (error === undefined) job?.resolve();
    else job?.reject(new Error(`render: a worker failed: ${error}`));
  });
  worker.on("error", (error: Error) => {
    thread.ended = error;
    refuseAll(thread, error);
  });
  worker.on("exit", (code) => {
    thread.ended ??= new Error(`render: expected a worker to go on, got its end with code ${code}`);
    refuseAll(thread, thread.ended);
  });
  return thread;
}

function refuseAll({ waiting }: Thread, error: unknown): void {
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function sharedArray(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

/** The threads read one copy, taken now: the caller may change the scene while they draw. */
function sharedScene(scene: SplatScene): SplatScene {
  const share = (values: Float32Array): Float32Array => {
    const copy = sharedArray(values.length);
    copy.set(values);
    return copy;
  };
  const { count, shDegree, means, scales, quaternions, opacities, sh } = scene;
  return { count, shDegree, means: share(means), scales: share(scales), quaternions: share(quaternions), opacities: share(opacities), sh: share(sh) };
}

function plainCamera(camera: Camera): Camera {
  return { ...camera, view: Array.from(camera.view) };
}

/** Copies a picture out of shared memory, which not every consumer takes. */
function ownView(view: RenderedView): RenderedView {
  return {
    width: view.width,
    height: view.height,
    rgb: view.rgb.slice(),
    alpha: view.alpha.slice(),
    ...(view.depth && { depth: view.depth.slice() }),
    ...(view.normals && { normals: view.normals.slice() }),
  };
}
