import type { Graph, Session } from "@refadgen/graph";
import { openSession } from "@refadgen/graph";
import type { Component, PipelineOptions } from "./options.js";

/** Below this weight in bytes a network runs no faster in its optimised form. */
const smallestKept = 2 ** 28;

/** The sessions of a pipeline: opened when needed, released or kept as the pipeline's `memory` says. */
export class Components {
  readonly #options: PipelineOptions;
  readonly #generationOptimization: "kept" | "mapped";
  readonly #open = new Map<Component, { readonly key: string; readonly session: Session }>();

  constructor(options: PipelineOptions, { generationBytes }: { readonly generationBytes: number }) {
    this.#options = options;
    this.#generationOptimization = generationBytes < smallestKept ? "mapped" : (options.optimization ?? "kept");
  }

  /**
   * Runs `work` with the session of a component.
   *
   * @param key what the graph was built for; a kept session of another key is released first
   * @param build makes the graph; called only when it has to be opened
   */
  async use<T>(component: Component, key: string, build: () => Graph, work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { memory = "low", device, runtime = "auto", precision = "fp32", library, threads, onProgress } = this.#options;
    const inUnet = component.endsWith("-unet") || component === "generation-unet-shallow";
    const known = this.#open.get(component);
    if (known && known.key !== key) await this.#release(component);
    const session =
      known?.key === key
        ? known.session
        : await openSession(build(), {
            optimization: component === "generation-unet" ? this.#generationOptimization : "mapped",
            runtime,
            precision: inUnet ? precision : "fp32",
            ...(device && { provider: device }),
            ...(library !== undefined && { library }),
            ...(threads && { threads }),
            ...(signal && { signal }),
            ...(onProgress && { onProgress: (progress) => onProgress({ component, ...progress }) }),
          });
    if (memory === "keep") this.#open.set(component, { key, session });
    try {
      return await work(session);
    } finally {
      if (memory !== "keep") await session.dispose();
    }
  }

  async dispose(): Promise<void> {
    for (const component of [...this.#open.keys()]) await this.#release(component);
  }

  async #release(component: Component): Promise<void> {
    const entry = this.#open.get(component);
    this.#open.delete(component);
    await entry?.session.dispose();
  }
}
