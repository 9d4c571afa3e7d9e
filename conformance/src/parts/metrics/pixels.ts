import { meanSquaredError, type Planes, peakSignalToNoise, piqSignalToNoise, planesOf, type SsimSettings, ssimOf } from "@refadgen/metrics";
import { type Comparison, compareValues } from "../../compare.js";
import { pictures } from "./inputs.js";

interface PixelCases {
  readonly cases: readonly PixelCase[];
}

interface PixelCase {
  readonly metric: string;
  readonly library: string;
  /** Pairs one after the other. */
  readonly images: readonly string[];
  readonly settings: {
    readonly data_range?: number | readonly [number, number] | null;
    readonly input?: string;
    readonly sigma?: number | readonly [number, number];
    readonly gaussian_kernel?: boolean;
    readonly kernel_size?: number | readonly [number, number];
    readonly k1?: number;
    readonly k2?: number;
    readonly note?: string;
    readonly batch?: string;
  };
  readonly float64: number;
  readonly float32: number;
}

const known = ["data_range", "input", "sigma", "gaussian_kernel", "kernel_size", "k1", "k2", "note", "batch"];

/** PSNR and SSIM of torchmetrics and piq. */
export async function pixelMetrics({ cases }: PixelCases, folder: string): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [index, recorded] of cases.entries()) {
    const { metric, library, images, settings, float64, float32 } = recorded;
    const unknown = Object.keys(settings).find((name) => !known.includes(name));
    if (unknown !== undefined) throw new Error(`case ${index}: unknown setting ${unknown}`);
    if (settings.input !== undefined && settings.input !== "u/255") throw new Error(`case ${index}: unknown input ${settings.input}`);
    const planes = (await pictures(folder, images)).map((image) => planesOf(image, settings.input === undefined ? 1 : 1 / 255));
    const pairs = Array.from({ length: planes.length / 2 }, (_, pair) => [planes[2 * pair]!, planes[2 * pair + 1]!] as const);
    const value = answer(recorded, pairs);
    const tolerances = metric === "psnr" ? [1e-5, 1e-5] : [1e-6, 1e-4];
    for (const [expected, allowed] of [
      [float64, tolerances[0]!],
      [float32, tolerances[1]!],
    ] as const)
      comparisons.push(compareValues(`case ${index} (${metric}, ${library})`, [value], Float64Array.of(expected), { max: allowed }));
  }
  return comparisons;
}

function answer({ metric, library, settings }: PixelCase, pairs: readonly (readonly [Planes, Planes])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const { data_range: range } = settings;
  if (metric === "psnr") {
    if (typeof range !== "number") throw new Error(`psnr: expected data_range to be a number, got ${String(range)}`);
    const errors = pairs.map(([a, b]) => meanSquaredError(a, b));
    // torchmetrics has one error over all pixels, piq one value per pair.
    if (library === "torchmetrics") return peakSignalToNoise(mean(errors), range);
    if (library === "piq") return mean(errors.map((error) => piqSignalToNoise(error, range)));
  }
  if (metric === "ssim" && (library === "torchmetrics" || library === "piq")) {
    const options: SsimSettings = {
      ...(range === undefined ? {} : { dataRange: range ?? "data" }),
      ...(settings.sigma === undefined ? {} : { sigma: settings.sigma }),
      ...(settings.gaussian_kernel === false ? { window: "uniform" } : {}),
      ...(settings.kernel_size === undefined ? {} : { kernelSize: settings.kernel_size }),
      ...(settings.k1 === undefined ? {} : { k1: settings.k1 }),
      ...(settings.k2 === undefined ? {} : { k2: settings.k2 }),
    };
    return mean(pairs.map(([a, b]) => ssimOf(a, b, library, options)));
  }
  throw new Error(`expected psnr or ssim of torchmetrics or piq, got ${metric} of ${library}`);
}
