import { ArgumentError } from "@refadgen/errors";
import { type Image, imageToTensor, resizeFloatImage, resizeTensor, type TensorResizeMethod, toFloatImage, toRgb } from "@refadgen/image";
import type { InceptionInput, Picture } from "../contract.js";
import { imageOf } from "../pictures.js";

export const inceptionSide = 299;
const size = { width: inceptionSide, height: inceptionSide };

const inputs: Readonly<Record<InceptionInput, (image: Image) => Float32Array>> = {
  // u / 255, two taps, 2x - 1
  "pytorch-fid": (image) => map(resized(image, 1 / 255, "bilinear"), (value) => 2 * value - 1),
  "torch-fidelity": (image) => map(resized(image, 1, "tf1-bilinear"), centred),
  torchmetrics: (image) => map(resized(image, 1, "bilinear-antialias"), centred),
  "clean-fid": (image) => {
    const { data } = resizeFloatImage(toFloatImage(image), size, { filter: "bicubic" });
    const area = size.width * size.height;
    const planes = new Float32Array(data.length);
    for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) planes[c * area + i] = centred(Math.min(Math.max(data[i * 3 + c]!, 0), 255));
    return planes;
  },
};

export const inceptionInputs: readonly InceptionInput[] = Object.keys(inputs) as InceptionInput[];

/**
 * A picture as FID's Inception takes it, `[3, 299, 299]` about [-1, 1]. Every recipe converts to RGB first; they differ in the resize (two
 * taps, TensorFlow 1's two taps, antialiased bilinear, Pillow's bicubic in float) and in the scaling (2u/255 - 1 or (u - 128) / 128).
 *
 * @throws ArgumentError for an unknown recipe
 */
export function inceptionTensor(picture: Picture, input: InceptionInput): Float32Array {
  if (!Object.hasOwn(inputs, input)) throw new ArgumentError(`inceptionTensor: expected input ${inceptionInputs.join(", ")}, got "${input}"`);
  return inputs[input](toRgb(imageOf(picture)));
}

function resized(image: Image, scale: number, method: TensorResizeMethod): Float32Array {
  const planes = imageToTensor(image, scale === 1 ? { scale } : {});
  return resizeTensor(planes, [3, image.height, image.width], size, { method });
}

function centred(value: number): number {
  return (value - 128) / 128;
}

function map(values: Float32Array, change: (value: number) => number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = change(values[i]!);
  return values;
}
