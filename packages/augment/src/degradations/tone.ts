import { checkNumber, checkPicture, colourChannels, isFloat, type Picture, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";
import { toLinear, toSrgb } from "./srgb.js";
import { applyCurves } from "./tone-curve.js";

export interface ExposureParams {
  /** Stops, -10 to 10: linear light times 2^stops. */
  readonly stops: number;
}

/** Too much or too little light. */
export function exposure<P extends Picture>(picture: P, { stops }: ExposureParams): P {
  checkPicture("exposure", picture);
  checkNumber("exposure", "stops", stops, -10, 10);
  const gain = 2 ** stops;
  return applyCurves(picture, [(value) => toSrgb(toLinear(value) * gain)]);
}

export interface GammaParams {
  /** 0.05 to 20: v^gamma; above 1 is darker. */
  readonly gamma: number;
}

/** A wrong transfer curve. */
export function gamma<P extends Picture>(picture: P, { gamma: exponent }: GammaParams): P {
  checkPicture("gamma", picture);
  checkNumber("gamma", "gamma", exponent, 0.05, 20);
  return applyCurves(picture, [(value) => Math.max(value, 0) ** exponent]);
}

export interface BrightnessParams {
  /** -1 to 1, added to sRGB. */
  readonly add: number;
}

/** The brightness slider of photo editors: sRGB plus a constant. */
export function brightness<P extends Picture>(picture: P, { add }: BrightnessParams): P {
  checkPicture("brightness", picture);
  checkNumber("brightness", "add", add, -1, 1);
  return applyCurves(picture, [(value) => value + add]);
}

export interface ContrastParams {
  /** 0 to 10; 1 changes nothing. */
  readonly factor: number;
  /** What stays: mid-grey, or each channel's mean over the picture. Default `"grey"`. */
  readonly about?: "grey" | "mean";
}

/** Flat or harsh contrast. */
export function contrast<P extends Picture>(picture: P, { factor, about = "grey" }: ContrastParams): P {
  checkPicture("contrast", picture);
  checkNumber("contrast", "factor", factor, 0, 10);
  const centres = about === "grey" ? [0.5] : channelMeans(picture);
  return applyCurves(
    picture,
    centres.map((centre) => (value: number) => centre + (value - centre) * factor),
  );
}

function channelMeans(picture: Picture): number[] {
  const { data, channels } = picture;
  const scale = data instanceof Uint8Array ? 255 : 1;
  return Array.from({ length: colourChannels(picture) }, (_, c) => {
    let sum = 0;
    for (let i = c; i < data.length; i += channels) sum += data[i]!;
    return sum / (data.length / channels) / scale;
  });
}

export interface SaturationParams {
  /** 0 (grey) to 10; 1 changes nothing. */
  readonly factor: number;
}

/** Pale or garish colours: away from Rec. 601 luma or towards it. Grey pictures stay as they are. */
export function saturation<P extends Picture>(picture: P, { factor }: SaturationParams): P {
  checkPicture("saturation", picture);
  checkNumber("saturation", "factor", factor, 0, 10);
  const { channels } = picture;
  if (channels === 3 && !isFloat(picture)) {
    const { length } = picture.data;
    const saturated = withKernel([length], (kernel, bytes) => {
      place(kernel, bytes, picture.data);
      kernel.saturate(bytes, length / 3, factor);
      return taken(kernel, bytes, length);
    });
    return withData(picture, saturated);
  }
  const data = picture.data.slice();
  if (channels < 3) return withData(picture, data);
  const [most, half] = data instanceof Uint8Array ? [255, 0.5] : [1, 0];
  for (let i = 0; i < data.length; i += channels) {
    const luma = 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;
    for (let c = 0; c < 3; c++) {
      const value = luma + (data[i + c]! - luma) * factor + half;
      data[i + c] = value <= 0 ? 0 : Math.min(value, most);
    }
  }
  return withData(picture, data);
}
