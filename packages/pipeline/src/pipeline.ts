import { createSchedule, samplerConfig } from "@refadgen/core-unet";
import type { ActivationRanges } from "@refadgen/graph";
import { Components } from "./components.js";
import { fetchSources } from "./fetch-sources.js";
import { generateEvents, type Studio } from "./generate.js";
import { openModels } from "./models.js";
import type { GenerateEvent, GenerateOptions, GenerateResult, PipelineOptions } from "./options.js";
import { ReferenceMemory } from "./reference-memory.js";
import { checkRequest } from "./request.js";
import type { PipelineSources } from "./sources.js";

/**
 * RefAdGen: a product photo and a prompt become an advertising image (arXiv 2508.11695), as the authors' published code does it.
 *
 * ```ts
 * const pipeline = await RefAdGenPipeline.fromPretrained({ base, vae, imageEncoder, checkpoint });
 * const { images } = await pipeline.generate({ product: "bottle.jpg", mask: "mask.png", prompt: "on a wooden table in warm light" });
 * ```
 */
export class RefAdGenPipeline {
  readonly #studio: Studio;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(studio: Studio) {
    this.#studio = studio;
  }

  /**
   * Finds every part, fetches what is on the hub, and checks it, key by key; weights are read when they are needed.
   *
   * @param sources where the parts are; one text names a folder or repository that holds all of them
   * @throws HubError, PipelineError, WeightsError, ArgumentError: what is missing or does not fit, all of it at once
   */
  static async fromPretrained(sources: PipelineSources | string, options: PipelineOptions = {}): Promise<RefAdGenPipeline> {
    const models = await openModels(await fetchSources(sources, options), options.signal);
    return new RefAdGenPipeline({ models, components: new Components(options, models.unet), memory: new ReferenceMemory() });
  }

  /**
   * Makes the images.
   *
   * @throws ArgumentError, ImageError, PipelineError before anything is loaded; the signal's reason when aborted
   */
  async generate(options: GenerateOptions): Promise<GenerateResult> {
    const events = this.stream(options);
    for (;;) {
      const { done, value } = await events.next();
      if (done) return value;
    }
  }

  /** The same as a stream of stages, steps with previews, and images; leaving the loop early stops the work. Calls wait for each other. */
  stream(options: GenerateOptions): AsyncGenerator<GenerateEvent, GenerateResult> {
    return this.#events(this.#studio, options);
  }

  async *#events(studio: Studio, options: GenerateOptions): AsyncGenerator<GenerateEvent, GenerateResult> {
    const { models } = studio;
    const request = checkRequest(options, { hasImageEncoder: models.vision !== undefined });
    const config = samplerConfig({ name: request.sampler, published: models.scheduler });
    const schedule = createSchedule({ config, steps: request.steps });
    const left = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    signal.throwIfAborted();
    const before = this.#last;
    let leave = () => {};
    this.#last = new Promise<void>((resolve) => {
      leave = resolve;
    });
    try {
      await before;
      signal.throwIfAborted();
      return yield* generateEvents(studio, request, schedule, { ...options, signal });
    } finally {
      left.abort();
      leave();
    }
  }

  /**
   * Finds what the generation U-Net's convolutions see, for `precision: "int8"`: makes one image in float32 and notes the ranges at each of its
   * steps, so a few steps (4 to 8) spread over the timesteps are enough. Pass the result as `ranges` to `fromPretrained`; it can be kept as JSON.
   *
   * @param earlier ranges of another product or prompt, which are widened
   * @throws as `generate`
   */
  async calibrate(options: Omit<GenerateOptions, "cacheInterval">, earlier: ActivationRanges = {}): Promise<ActivationRanges> {
    let ranges = earlier;
    const onRanges = (gather: (before: ActivationRanges) => ActivationRanges) => {
      ranges = gather(ranges);
    };
    const watched = { ...this.#studio, onRanges };
    const events = this.#events(watched, { ...options, cacheInterval: 1 });
    while (!(await events.next()).done);
    return ranges;
  }

  /** Releases every network that is still loaded. */
  async dispose(): Promise<void> {
    this.#studio.memory.forget();
    await this.#studio.components.dispose();
  }
}
