import { ArgumentError } from "@refadgen/errors";
import { checkNumber, checkPicture, isFloat, type Picture, toByte, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";
import { toLinear, toSrgb } from "./srgb.js";
import { applyCurves } from "./tone-curve.js";

/**
 * - `display-p3-as-srgb`, `adobe-rgb-as-srgb`: the file's profile was lost, colours are pale;
 * - `srgb-as-display-p3`, `srgb-as-adobe-rgb`: a profile was added that does not belong to it, colours are garish;
 * - `encoded-twice`, `linear-as-srgb`: the transfer curve applied twice, or not at all;
 * - `gamma-1.8`: made for an old display;
 * - `limited-as-full`, `full-as-limited`: the levels 16 to 235 of video mixed up with 0 to 255;
 * - `bt601-as-bt709`: the other matrix between luma and chroma;
 * - `red-and-blue-swapped`.
 */
export type ColourProfileMistake =
  | "display-p3-as-srgb"
  | "adobe-rgb-as-srgb"
  | "srgb-as-display-p3"
  | "srgb-as-adobe-rgb"
  | "encoded-twice"
  | "linear-as-srgb"
  | "gamma-1.8"
  | "limited-as-full"
  | "full-as-limited"
  | "bt601-as-bt709"
  | "red-and-blue-swapped";

export interface ColourProfileParams {
  readonly mistake: ColourProfileMistake;
  /** 0 to 1: how much of the way from the right colours to the wrong ones. Default 1. */
  readonly amount?: number;
}

/** Colours read as if they were of another space. Grey pictures change only where the mistake is one of tone. */
export function colourProfile<P extends Picture>(picture: P, { mistake, amount = 1 }: ColourProfileParams): P {
  checkPicture("colourProfile", picture);
  checkNumber("colourProfile", "amount", amount, 0, 1);
  const curve = tones[mistake as keyof typeof tones];
  if (curve) return applyCurves(picture, [(value) => value + amount * (curve(value) - value)]);
  const change = colours[mistake as keyof typeof colours];
  if (!change) throw new ArgumentError(`colourProfile: expected mistake ${colourProfileMistakes.join(", ")}, got ${String(mistake)}`);
  return picture.channels < 3 ? withData(picture, picture.data.slice()) : mixColours(picture, change, amount);
}

type Matrix = readonly (readonly number[])[];

/** Wrong colour = encode(matrix · decode(colour)). */
interface ColourChange {
  readonly matrix: Matrix;
  readonly decode: (value: number) => number;
  readonly encode: (value: number) => number;
}

const tones = {
  "encoded-twice": toSrgb,
  "linear-as-srgb": toLinear,
  "gamma-1.8": (value: number) => Math.max(value, 0) ** (1.8 / 2.2),
  "limited-as-full": (value: number) => (16 + 219 * value) / 255,
  "full-as-limited": (value: number) => (255 * value - 16) / 219,
} as const;

const adobeGamma = 563 / 256;
const encodeAdobe = (value: number) => Math.min(Math.max(value, 0), 1) ** (1 / adobeGamma);
const decodeAdobe = (value: number) => Math.max(value, 0) ** adobeGamma;
const same = (value: number) => value;

/** RGB to XYZ of primaries with the white point D65. */
function toXyz(primaries: readonly (readonly [number, number])[]): Matrix {
  const columns = primaries.map(([x, y]) => [x / y, 1, (1 - x - y) / y]);
  const white = [0.3127 / 0.329, 1, (1 - 0.3127 - 0.329) / 0.329];
  const basis = [0, 1, 2].map((row) => columns.map((column) => column[row]!));
  const scale = multiply(
    invert(basis),
    white.map((value) => [value]),
  );
  return basis.map((row) => row.map((value, column) => value * scale[column]![0]!));
}

function multiply(a: Matrix, b: Matrix): number[][] {
  return a.map((row) => b[0]!.map((_, column) => row.reduce((sum, value, k) => sum + value * b[k]![column]!, 0)));
}

function invert([[a, b, c], [d, e, f], [g, h, i]]: Matrix): number[][] {
  const determinant = a! * (e! * i! - f! * h!) - b! * (d! * i! - f! * g!) + c! * (d! * h! - e! * g!);
  return [
    [e! * i! - f! * h!, c! * h! - b! * i!, b! * f! - c! * e!],
    [f! * g! - d! * i!, a! * i! - c! * g!, c! * d! - a! * f!],
    [d! * h! - e! * g!, b! * g! - a! * h!, a! * e! - b! * d!],
  ].map((row) => row.map((value) => value / determinant));
}

const srgb = toXyz([
  [0.64, 0.33],
  [0.3, 0.6],
  [0.15, 0.06],
]);
const displayP3 = toXyz([
  [0.68, 0.32],
  [0.265, 0.69],
  [0.15, 0.06],
]);
const adobeRgb = toXyz([
  [0.64, 0.33],
  [0.21, 0.71],
  [0.15, 0.06],
]);

/** R'G'B' through Y'CbCr of one matrix and back through another. */
function throughLuma(from: readonly [number, number], to: readonly [number, number]): Matrix {
  const matrixOf = ([red, blue]: readonly [number, number]): Matrix => {
    const green = 1 - red - blue;
    const [cb, cr] = [2 * (1 - blue), 2 * (1 - red)];
    return [
      [red, green, blue],
      [-red / cb, -green / cb, (1 - blue) / cb],
      [(1 - red) / cr, -green / cr, -blue / cr],
    ];
  };
  return multiply(invert(matrixOf(to)), matrixOf(from));
}

const colours = {
  "display-p3-as-srgb": { matrix: multiply(invert(displayP3), srgb), decode: toLinear, encode: toSrgb },
  "adobe-rgb-as-srgb": { matrix: multiply(invert(adobeRgb), srgb), decode: toLinear, encode: encodeAdobe },
  "srgb-as-display-p3": { matrix: multiply(invert(srgb), displayP3), decode: toLinear, encode: toSrgb },
  "srgb-as-adobe-rgb": { matrix: multiply(invert(srgb), adobeRgb), decode: decodeAdobe, encode: toSrgb },
  "bt601-as-bt709": { matrix: throughLuma([0.299, 0.114], [0.2126, 0.0722]), decode: same, encode: same },
  "red-and-blue-swapped": {
    matrix: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
    decode: same,
    encode: same,
  },
} as const satisfies Record<string, ColourChange>;

/** Every mistake there is. */
export const colourProfileMistakes: readonly ColourProfileMistake[] = [...Object.keys(colours), ...Object.keys(tones)] as ColourProfileMistake[];

/** Steps of the table that encodes. */
const steps = 16_384;

function mixColours<P extends Picture>(picture: P, { matrix, decode, encode }: ColourChange, amount: number): P {
  const { channels } = picture;
  const floats = isFloat(picture);
  const decoded = Float32Array.from({ length: 256 }, (_, level) => decode(level / 255));
  const encoded = Float32Array.from({ length: steps + 1 }, (_, step) => encode(step / steps));
  if (channels === 3 && !floats) {
    const { length } = picture.data;
    const mixed = withKernel([length, 72, decoded.byteLength, encoded.byteLength], (kernel, bytes, matrixAt, decodedAt, encodedAt) => {
      place(kernel, bytes, picture.data);
      place(kernel, matrixAt, Float64Array.from(matrix.flat()));
      place(kernel, decodedAt, decoded);
      place(kernel, encodedAt, encoded);
      kernel.mixColours(bytes, length / 3, matrixAt, decodedAt, encodedAt, amount);
      return taken(kernel, bytes, length);
    });
    return withData(picture, mixed);
  }
  const data = picture.data.slice();
  const [red, green, blue] = matrix.map((row) => row as readonly [number, number, number]) as [
    readonly [number, number, number],
    readonly [number, number, number],
    readonly [number, number, number],
  ];
  for (let i = 0; i < data.length; i += channels) {
    const [r, g, b] = floats
      ? [decode(data[i]!), decode(data[i + 1]!), decode(data[i + 2]!)]
      : [decoded[data[i]!]!, decoded[data[i + 1]!]!, decoded[data[i + 2]!]!];
    for (let c = 0; c < 3; c++) {
      const row = c === 0 ? red : c === 1 ? green : blue;
      const mixed = Math.min(Math.max(row[0] * r + row[1] * g + row[2] * b, 0), 1);
      if (floats) data[i + c] = Math.min(Math.max(data[i + c]! + amount * (encode(mixed) - data[i + c]!), 0), 1);
      else {
        const right = data[i + c]! / 255;
        data[i + c] = toByte(right + amount * (encoded[(mixed * steps + 0.5) | 0]! - right));
      }
    }
  }
  return withData(picture, data);
}
