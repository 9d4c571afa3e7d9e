import type { Graph, Precision, Session } from "@refadgen/graph";
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
   * @param exact in float32, whatever precision the pipeline was asked for
   */
  async use<T>(
    component: Component,
    key: string,
    build: () => Graph,
    work: (session: Session) => Promise<T>,
    signal?: AbortSignal,
    { exact = false }: { readonly exact?: boolean } = {},
  ): Promise<T> {
    const { memory = "low", device, runtime = "auto", library, threads, ranges, onProgress } = this.#options;
    const precision = exact ? "fp32" : precisionOf(component, this.#options);
    const known = this.#open.get(component);
    if (known && known.key !== key) await this.#release(component);
    const session =
      known?.key === key
        ? known.session
        : await openSession(build(), {
            optimization: component === "generation-unet" ? this.#generationOptimization : "mapped",
            runtime,
            precision,
            ...(precision === "int8" && ranges && { ranges }),
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

/** The reference U-Net runs once for an image, so 8 bits would save little there, and everything sees what it gives. */
function precisionOf(component: Component, { precision = "fp32" }: PipelineOptions): Precision {
  const inUnet =
    component === "generation-unet" || component === "generation-unet-shallow" || (component === "reference-unet" && precision !== "int8");
  return inUnet ? precision : "fp32";
}
