import type { FloatImage, Image, Size } from "@refadgen/image";
import { isFloat, type Picture, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";

interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly weights: Float32Array;
}

/** Each pixel is the mean of the area it stands for (OpenCV's INTER_AREA, when shrinking); rounded once. */
export function shrinkByArea<P extends Picture>(picture: P, size: Size): P {
  const [across, down] = [areaTaps(picture.width, size.width), areaTaps(picture.height, size.height)];
  return isFloat(picture) ? resampled(picture, size, across, down) : withData(picture, shrunkBytes(picture, size, across, down), size);
}

/** Bilinear between pixel centres, without smoothing (OpenCV's INTER_LINEAR); rounded once. */
export function stretchLinearly<P extends Picture>(picture: P, size: Size): P {
  const [across, down] = [linearTaps(picture.width, size.width), linearTaps(picture.height, size.height)];
  return isFloat(picture) ? resampled(picture, size, across, down) : withData(picture, stretchedBytes(picture, size, across, down), size);
}

function areaTaps(input: number, output: number): Taps {
  const scale = input / output;
  const stride = Math.ceil(scale) + 1;
  const taps: Taps = { first: new Int32Array(output), count: new Int32Array(output), stride, weights: new Float32Array(output * stride) };
  for (let i = 0; i < output; i++) {
    const [from, to] = [i * scale, (i + 1) * scale];
    const first = Math.floor(from + 1e-9);
    const last = Math.min(Math.ceil(to - 1e-9), input);
    taps.first[i] = first;
    taps.count[i] = last - first;
    for (let k = first; k < last; k++) taps.weights[i * stride + k - first] = (Math.min(k + 1, to) - Math.max(k, from)) / scale;
  }
  return taps;
}

function linearTaps(input: number, output: number): Taps {
  const taps: Taps = { first: new Int32Array(output), count: new Int32Array(output).fill(2), stride: 2, weights: new Float32Array(output * 2) };
  for (let i = 0; i < output; i++) {
    const place = Math.min(Math.max(((i + 0.5) * input) / output - 0.5, 0), input - 1);
    const first = Math.min(Math.floor(place), Math.max(input - 2, 0));
    taps.first[i] = first;
    if (input === 1) taps.count[i] = 1;
    taps.weights[i * 2] = input === 1 ? 1 : 1 - (place - first);
    taps.weights[i * 2 + 1] = place - first;
  }
  return taps;
}

function shrunkBytes({ width: widthIn, channels, data }: Image, { width, height }: Size, across: Taps, down: Taps): Uint8Array {
  const length = width * height * channels;
  const tables = [across.first, across.count, across.weights, down.first, down.count, down.weights] as const;
  const [x0, x1, x2, y0, y1, y2] = tables.map((table) => table.byteLength) as [number, number, number, number, number, number];
  return withKernel(
    [data.length, length, widthIn * channels * 4, x0, x1, x2, y0, y1, y2],
    (kernel, source, target, line, firstX, countX, weightsX, firstY, countY, weightsY) => {
      place(kernel, source, data);
      const places = [firstX, countX, weightsX, firstY, countY, weightsY];
      for (const [k, table] of tables.entries()) place(kernel, places[k]!, table);
      kernel.shrink(
        source,
        widthIn,
        channels,
        target,
        width,
        height,
        firstX,
        countX,
        weightsX,
        across.stride,
        firstY,
        countY,
        weightsY,
        down.stride,
        line,
      );
      return taken(kernel, target, length);
    },
  );
}

function stretchedBytes(picture: Image, { width, height }: Size, across: Taps, down: Taps): Uint8Array {
  const { channels, data } = picture;
  const length = width * height * channels;
  const tables = [across.first, across.weights, down.first, down.weights] as const;
  const [x0, x1, y0, y1] = tables.map((table) => table.byteLength) as [number, number, number, number];
  return withKernel(
    [data.length, length, (width * channels + 32) * 8, x0, x1, y0, y1],
    (kernel, source, target, lines, firstX, weightsX, firstY, weightsY) => {
      place(kernel, source, data);
      const places = [firstX, weightsX, firstY, weightsY];
      for (const [k, table] of tables.entries()) place(kernel, places[k]!, table);
      kernel.stretch(source, picture.width, picture.height, channels, target, width, height, firstX, weightsX, firstY, weightsY, lines);
      return taken(kernel, target, length);
    },
  );
}

/** Of floats, as they are given. */
function resampled<P extends FloatImage>(picture: P, { width, height }: Size, across: Taps, down: Taps): P {
  const { channels, data } = picture;
  const rowIn = picture.width * channels;
  const rowOut = width * channels;
  const out = new Float32Array(rowOut * height);
  const line = new Float32Array(rowIn);
  for (let y = 0; y < height; y++) {
    const count = down.count[y]!;
    line.fill(0);
    for (let k = 0; k < count; k++) {
      const weight = down.weights[y * down.stride + k]!;
      const start = (down.first[y]! + k) * rowIn;
      for (let i = 0; i < rowIn; i++) line[i]! += data[start + i]! * weight;
    }
    for (let x = 0, to = y * rowOut; x < width; x++) {
      const at = x * across.stride;
      const taps = across.count[x]!;
      const from = across.first[x]! * channels;
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let k = 0, i = from + c; k < taps; k++, i += channels) sum += line[i]! * across.weights[at + k]!;
        out[to] = sum;
      }
    }
  }
  return withData(picture, out, { width, height });
}
