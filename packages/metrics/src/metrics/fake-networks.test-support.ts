// Networks that are easily computed by hand, with the contract of the real ones.
import type { Tensor } from "@refadgen/graph";
import { type Image, toGrey, toRgb } from "@refadgen/image";
import type { Clip, Dino, ImageReward, Inception, InceptionLevel, Lpips, LpipsOptions, Picture } from "../networks/contract.js";
import { imageOf } from "../networks/pictures.js";

interface FakeOptions {
  readonly key?: string;
  /** Called with the number of pictures of each call. */
  readonly onRun?: (count: number) => void;
  /** Replaces a row of features. */
  readonly spoil?: (row: Float32Array, index: number) => void;
}

function base(name: string, key: string) {
  return { name, weights: [name], contentKey: async () => key, dispose: async () => undefined };
}

function tensor(rows: readonly Float32Array[]): Tensor<"float32"> {
  const width = rows[0]!.length;
  const data = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) data.set(row, index * width);
  return { dtype: "float32", dims: [rows.length, width], data };
}

/** Feature k of a picture: the mean of a coarse cell of its grey values, times a cosine of k. */
export function features(picture: Picture, width: number): Float32Array {
  const { data, width: across, height } = toGrey(imageOf(picture));
  return Float32Array.from({ length: width }, (_, k) => {
    const [row, column] = [(k * 7) % height, (k * 13) % across];
    const next = (row * across + column + 1) % data.length;
    return (data[row * across + column]! + 0.5 * data[next]!) / 255 + 0.1 * Math.cos(k);
  });
}

export function fakeInception({ key = "a", onRun, spoil }: FakeOptions = {}): Inception {
  return {
    ...base("fake-inception", key),
    features: async (pictures, { levels = [2048], signal }) => {
      signal?.throwIfAborted();
      onRun?.(pictures.length);
      // Later calls may end earlier: order has to come from the calls.
      await new Promise((resolve) => setTimeout(resolve, pictures.length % 3));
      return new Map(
        levels.map((level): [InceptionLevel, Tensor<"float32">] => {
          const rows = pictures.map((picture) => features(picture, typeof level === "number" ? level : 1008));
          for (const [index, row] of rows.entries()) spoil?.(row, index);
          return [level, tensor(rows)];
        }),
      );
    },
    tensorFeatures: async () => new Map(),
  };
}

export function fakeClip({ key = "clip", onRun }: FakeOptions = {}): Clip {
  const text = (words: string) => Float32Array.from({ length: 8 }, (_, k) => 1 + Math.sin((words.codePointAt(k % words.length) ?? 0) + k));
  return {
    ...base("fake-clip", key),
    dimensions: 8,
    resolution: 224,
    images: async (pictures) => {
      onRun?.(pictures.length);
      return tensor(pictures.map((picture) => features(picture, 8)));
    },
    imageTensor: async (pixels) => pixels,
    texts: async (texts) => tensor(texts.map(text)),
    tokens: async () => tensor([new Float32Array(8)]),
    tokenize: () => [],
  };
}

export function fakeDino({ key = "dino", onRun }: FakeOptions = {}): Dino {
  return {
    ...base("fake-dino", key),
    dimensions: 8,
    patch: 16,
    embeddings: async (pictures) => {
      onRun?.(pictures.length);
      return tensor(pictures.map((picture) => features(picture, 8)));
    },
    tokens: async (pictures) => tensor(pictures.map((picture) => features(picture, 8))),
    tensorTokens: async (pixels) => pixels,
  };
}

/** The mean absolute difference of values in [-1, 1]. */
export function fakeLpips({ key = "lpips", onRun }: FakeOptions = {}): Lpips {
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>, from: number, length: number) => {
    let sum = 0;
    for (let index = from; index < from + length; index++) sum += Math.abs(a[index]! - b[index]!);
    return sum / length;
  };
  const planes = (image: Image) => Float32Array.from(toRgb(image).data, (value) => value / 127.5 - 1);
  return {
    ...base("fake-lpips", key),
    backbone: "alex",
    learned: true,
    minimumSide: 3,
    distances: async (first, second, options: LpipsOptions) => {
      options.signal?.throwIfAborted();
      onRun?.(first.length);
      const total = Float32Array.from(first, (picture, index) => {
        const [a, b] = [planes(imageOf(picture)), planes(imageOf(second[index]!))];
        return distance(a, b, 0, a.length);
      });
      return { total, layers: [] };
    },
    tensorDistances: async (first, second) => {
      const length = first.data.length / first.dims[0]!;
      return {
        total: Float32Array.from({ length: first.dims[0]! }, (_, row) => distance(first.data, second.data, row * length, length)),
        layers: [],
      };
    },
  };
}

export function fakeImageReward({ key = "reward" }: FakeOptions = {}): ImageReward {
  const empty: Tensor<"float32"> = { dtype: "float32", dims: [0], data: new Float32Array() };
  return {
    ...base("fake-image-reward", key),
    rewards: async (pictures, prompts) => Float32Array.from(pictures, (picture, index) => features(picture, 1)[0]! - prompts[index]!.length),
    vision: async () => empty,
    rewardsOf: async () => ({ textStates: empty, textState: empty, raw: new Float32Array(), rewards: new Float32Array() }),
    tokenize: async () => [],
  };
}

/** A picture whose every pixel follows from its place and a number. */
export function patterned(seed: number, { width = 12, height = 10 }: { readonly width?: number; readonly height?: number } = {}): Image {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 31 + seed * 97 + Math.floor(at / 7) * seed * 13) % 256);
  return { width, height, channels: 3, data };
}
