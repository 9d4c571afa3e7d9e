// Makes one image in a process of its own, with the pipeline's defaults.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type PipelineSources, RefAdGenPipeline, type Stage } from "@refadgen/pipeline";
import { bottle } from "./bottle.js";
import { childInput, childOutput } from "./child.js";
import { anonymousBytes, peakResidentBytes } from "./memory.js";
import type { BenchSettings } from "./settings.js";

export interface ImageInput {
  readonly sources: PipelineSources;
  readonly settings: BenchSettings;
  readonly threads: number;
}

export interface ImageFigures {
  /** From `fromPretrained` until the image is there. */
  readonly seconds: number;
  readonly stages: Readonly<Record<Stage, number>>;
  readonly stepSeconds: readonly number[];
  readonly peakBytes: number;
  /** Of that what is not mapped from files, where the system says so; the most that was seen four times a second. */
  readonly anonymousPeakBytes: number | undefined;
  /** Milliseconds between turns of the event loop, less the timer's own interval. */
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Milliseconds between two looks at the event loop. */
const resolution = 5;

const { sources, settings, threads } = childInput<ImageInput>();
const input = bottle(); // drawn before anything is watched
const delay = monitorEventLoopDelay({ resolution });
delay.enable();
let anonymousPeakBytes = anonymousBytes();
const watch = setInterval(() => {
  const now = anonymousBytes();
  if (now !== undefined) anonymousPeakBytes = Math.max(now, anonymousPeakBytes ?? 0);
}, 250);
const started = performance.now();
const pipeline = await RefAdGenPipeline.fromPretrained(sources, { threads });
const stepSeconds: number[] = [];
const { images, seconds: stages } = await pipeline.generate({
  ...input,
  prompt: "a bottle on a wooden table in warm light",
  steps: settings.steps,
  width: settings.width,
  height: settings.height,
  onStep: ({ step, steps, seconds }) => {
    stepSeconds.push(seconds);
    process.stderr.write(`image: step ${step} of ${steps}, ${seconds.toFixed(2)} s
`);
  },
});
const seconds = (performance.now() - started) / 1000;
delay.disable();
clearInterval(watch);
await pipeline.dispose();
if (images[0]?.width !== settings.width || images[0].height !== settings.height) throw new Error("the image has another size than was asked for");
const milliseconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
const figures: ImageFigures = {
  seconds,
  stages,
  stepSeconds,
  peakBytes: peakResidentBytes(),
  anonymousPeakBytes,
  loopDelay: { p50: milliseconds(delay.percentile(50)), p99: milliseconds(delay.percentile(99)), max: milliseconds(delay.max) },
};
childOutput(figures);
