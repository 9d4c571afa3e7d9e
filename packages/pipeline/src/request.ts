import { ArgumentError } from "@refadgen/errors";
import { published } from "./defaults.js";
import type { GenerateOptions } from "./options.js";

/** A call with every default filled in and every number checked. */
export interface Request {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly steps: number;
  readonly guidanceScale: number;
  readonly referenceScale: number;
  /** One for the batch, or one per image. */
  readonly seeds: readonly (number | bigint)[];
  readonly images: number;
  readonly width: number;
  readonly height: number;
  /** Whether the published chain is followed: its size, its way of resizing the product, the result in the product picture's size. */
  readonly publishedSize: boolean;
  readonly sampler: string;
  readonly productEncoding: "sample" | "mean";
  readonly referenceContext: "image" | "text";
  readonly guidanceInterval: readonly [least: number, most: number] | undefined;
  readonly cacheInterval: number;
  readonly referenceTokens: "all" | "product";
  /** In pixels; absent to decode at once. */
  readonly decodeTile: number | undefined;
}

const largestSide = 4096;

/** @throws ArgumentError for anything outside its documented range. */
export function checkRequest(options: GenerateOptions, { hasImageEncoder }: { readonly hasImageEncoder: boolean }): Request {
  const { prompt, negativePrompt = published.negativePrompt, promptSuffix = published.promptSuffix } = options;
  const { width, height, imagesPerPrompt: images = 1, seed = published.seed } = options;
  if (prompt !== null && (typeof prompt !== "string" || prompt.trim() === "")) {
    throw new ArgumentError(
      `generate: expected a prompt, got ${prompt === undefined ? "none" : JSON.stringify(prompt)}; pass null to do without one`,
    );
  }
  if (negativePrompt !== null && typeof negativePrompt !== "string")
    throw new ArgumentError(`generate: expected negativePrompt to be a text or null, got ${typeof negativePrompt}`);
  if ((width === undefined) !== (height === undefined)) throw new ArgumentError("generate: expected width and height together");
  for (const [name, side] of Object.entries({ width, height })) {
    if (side !== undefined && !(Number.isInteger(side) && side % 8 === 0 && side >= 64 && side <= largestSide)) {
      throw new ArgumentError(`generate: expected ${name} to be a multiple of 8 from 64 to ${largestSide}, got ${side}`);
    }
  }
  const seeds = Array.isArray(seed) ? (seed as readonly (number | bigint)[]) : [seed as number | bigint];
  if (Array.isArray(seed) && seeds.length !== images)
    throw new ArgumentError(`generate: expected ${images} seeds, one per image, got ${seeds.length}`);
  const wrongSeed = seeds.find((one) => typeof one !== "bigint" && !Number.isSafeInteger(one));
  if (wrongSeed !== undefined) throw new ArgumentError(`generate: expected seeds to be whole numbers, got ${wrongSeed}`);
  const referenceContext = options.referenceContext ?? (hasImageEncoder ? "image" : "text");
  if (referenceContext === "image" && !hasImageEncoder)
    throw new ArgumentError('generate: referenceContext "image" needs an image encoder; this pipeline was loaded with imageEncoder: null');
  const { decodeTile } = options;
  if (decodeTile !== undefined && !(Number.isInteger(decodeTile) && decodeTile % 8 === 0 && decodeTile >= 128)) {
    throw new ArgumentError(`generate: expected decodeTile to be a multiple of 8 of at least 128, got ${decodeTile}`);
  }
  const { guidanceInterval: interval } = options;
  if (
    interval !== undefined &&
    !(Array.isArray(interval) && interval.length === 2 && 0 <= interval[0] && interval[0] <= interval[1] && interval[1] <= 1000)
  )
    throw new ArgumentError(`generate: expected guidanceInterval [least, most] of timesteps from 0 to 1000, got ${JSON.stringify(interval)}`);
  return {
    guidanceInterval: interval,
    cacheInterval: whole("cacheInterval", options.cacheInterval ?? 1, 1, 10),
    referenceTokens: oneOf("referenceTokens", options.referenceTokens ?? "all", ["all", "product"]),
    decodeTile,
    prompt: (prompt ?? "") + promptSuffix,
    negativePrompt: negativePrompt ?? "",
    steps: whole("steps", options.steps ?? published.steps, 1, 1000),
    guidanceScale: real("guidanceScale", options.guidanceScale ?? published.guidanceScale, 0, 100),
    referenceScale: real("referenceScale", options.referenceScale ?? published.referenceScale, -10, 10),
    seeds,
    images: whole("imagesPerPrompt", images, 1, 64),
    width: width ?? published.width,
    height: height ?? published.height,
    publishedSize: width === undefined,
    sampler: options.sampler ?? published.sampler,
    productEncoding: oneOf("productEncoding", options.productEncoding ?? "sample", ["sample", "mean"]),
    referenceContext: oneOf("referenceContext", referenceContext, ["image", "text"]),
  };
}

function whole(name: string, value: number, low: number, high: number): number {
  if (!(Number.isInteger(value) && value >= low && value <= high))
    throw new ArgumentError(`generate: expected ${name} to be a whole number from ${low} to ${high}, got ${value}`);
  return value;
}

function real(name: string, value: number, low: number, high: number): number {
  if (!(typeof value === "number" && value >= low && value <= high))
    throw new ArgumentError(`generate: expected ${name} from ${low} to ${high}, got ${value}`);
  return value;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new ArgumentError(`generate: expected ${name} ${allowed.join(" or ")}, got ${JSON.stringify(value)}`);
  return found;
}
