import type { ActivationRanges, Tensor } from "@refadgen/graph";
import { SessionError } from "@refadgen/graph";
import { type GenerateOptions, type PipelineOptions, type PipelineSources, RefAdGenPipeline, type StepEvent } from "@refadgen/pipeline";
import { bottle } from "./bottle.js";
import type { BenchSettings } from "./settings.js";

/** What one way of saving time saves and costs. */
export interface SavingFigures {
  readonly name: string;
  /** Of all steps, without opening. */
  readonly seconds: number;
  /** Root mean square difference of the last latents to the exact run's, in units of their standard deviation. */
  readonly latents: number;
  /** Of the image against the exact run's, in decibels; infinite for the same image. */
  readonly psnr: number;
}

interface Saving {
  readonly name: string;
  readonly pipeline?: PipelineOptions;
  readonly call?: Partial<GenerateOptions>;
  /** Whether ranges are calibrated first. */
  readonly calibrated?: boolean;
}

const exact = "fp32, ONNX Runtime";

/** Exact ones first; the first is what all are compared with. */
function savings(steps: number): readonly Saving[] {
  const fewer = Math.ceil(steps * 0.6);
  const onnxruntime = { runtime: "onnxruntime" } as const;
  return [
    { name: exact, pipeline: onnxruntime },
    { name: "fp32, OpenVINO", pipeline: { runtime: "openvino" } },
    { name: "bf16, OpenVINO", pipeline: { runtime: "openvino", precision: "bf16" } },
    { name: "int8 linears", pipeline: { ...onnxruntime, precision: "int8" } },
    { name: "int8 linears and convolutions", pipeline: { ...onnxruntime, precision: "int8" }, calibrated: true },
    { name: "guidanceInterval [200, 800]", pipeline: onnxruntime, call: { guidanceInterval: [200, 800] } },
    { name: "cacheInterval 2", pipeline: onnxruntime, call: { cacheInterval: 2 } },
    { name: "cacheInterval 3", pipeline: onnxruntime, call: { cacheInterval: 3 } },
    { name: 'referenceTokens "product"', pipeline: onnxruntime, call: { referenceTokens: "product" } },
    { name: `dpmpp-2m, ${fewer} of ${steps} steps`, pipeline: onnxruntime, call: { sampler: "dpmpp-2m", steps: fewer } },
    { name: `unipc, ${fewer} of ${steps} steps`, pipeline: onnxruntime, call: { sampler: "unipc", steps: fewer } },
  ];
}

/** One image for every way of saving, from the same seed; what is not there is left out with a warning. */
export async function measureSavings(
  sources: PipelineSources,
  { settings, threads, log }: { readonly settings: BenchSettings; readonly threads: number; readonly log: (line: string) => void },
): Promise<SavingFigures[]> {
  const call: GenerateOptions = {
    ...bottle(),
    prompt: "a bottle on a wooden table in warm light",
    steps: settings.steps,
    width: settings.width,
    height: settings.height,
  };
  const all: SavingFigures[] = [];
  let reference: Made | undefined;
  let ranges: ActivationRanges | undefined;
  for (const saving of savings(settings.steps)) {
    try {
      if (saving.calibrated && !ranges) {
        const pipeline = await RefAdGenPipeline.fromPretrained(sources, { threads, optimization: "mapped", runtime: "onnxruntime" });
        ranges = await pipeline.calibrate({ ...call, steps: 4 });
        await pipeline.dispose();
      }
      const made = await make(
        sources,
        { ...saving.pipeline, threads, optimization: "mapped", ...(saving.calibrated && ranges && { ranges }) },
        { ...call, ...saving.call },
      );
      reference ??= made;
      const figures = {
        name: saving.name,
        seconds: made.seconds,
        latents: difference(made.latents, reference.latents),
        psnr: psnr(made.image, reference.image),
      };
      log(`savings: ${figures.name} ${figures.seconds.toFixed(2)} s, latents ${figures.latents.toExponential(1)}, ${figures.psnr.toFixed(1)} dB`);
      all.push(figures);
    } catch (error) {
      if (!SessionError.isInstance(error)) throw error;
      log(`warning: ${saving.name} left out: ${error.message}`);
    }
  }
  return all;
}

interface Made {
  readonly seconds: number;
  readonly latents: Float32Array;
  readonly image: Uint8Array;
}

async function make(sources: PipelineSources, options: PipelineOptions, call: GenerateOptions): Promise<Made> {
  const pipeline = await RefAdGenPipeline.fromPretrained(sources, options);
  let [seconds, latents] = [0, new Float32Array()];
  const onTensor = (name: string, tensor: Tensor) => {
    if (name === "latents") latents = tensor.data as Float32Array<ArrayBuffer>;
  };
  const onStep = (step: StepEvent) => {
    seconds += step.seconds;
  };
  const { images } = await pipeline.generate({ ...call, onTensor, onStep });
  await pipeline.dispose();
  return { seconds, latents, image: images[0]!.data };
}

function difference(a: Float32Array, b: Float32Array): number {
  const mean = b.reduce((sum, value) => sum + value, 0) / b.length;
  const squares = b.reduce((sum, value, index) => sum + (a[index]! - value) ** 2, 0);
  return Math.sqrt(squares / b.reduce((sum, value) => sum + (value - mean) ** 2, 0));
}

function psnr(a: Uint8Array, b: Uint8Array): number {
  const squares = b.reduce((sum, value, index) => sum + (a[index]! - value) ** 2, 0);
  return squares === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((255 * 255 * b.length) / squares);
}
