import { colourChannels, isFloat, type Picture, withData } from "./picture.js";
import { linearOfByte, linearToByte, toLinear, toSrgb } from "./srgb.js";

/** What happens to linear light at a pixel: times `gain`, plus `add`. */
export interface LightMap {
  /** `[H, W]`. */
  readonly amount: Float32Array;
  /** Gain per colour where the amount is 1; where it is 0, the gain is 1. In between: 1 + amount·(gain - 1). */
  readonly gain?: readonly [number, number, number];
  /** Linear light added per colour, times the amount. Default none. */
  readonly add?: readonly [number, number, number];
}

/** Changes linear light as a map says. Grey pictures take the middle one (green). */
export function applyLight<P extends Picture>(picture: P, { amount, gain = [1, 1, 1], add = [0, 0, 0] }: LightMap): P {
  const { channels } = picture;
  const colours = colourChannels(picture);
  const slopes = colours === 1 ? [gain[1] - 1] : gain.map((value) => value - 1);
  const added = colours === 1 ? [add[1]] : add;
  if (isFloat(picture)) {
    const data = picture.data.slice();
    for (let pixel = 0, i = 0; pixel < amount.length; pixel++, i += channels) {
      const share = amount[pixel]!;
      for (let c = 0; c < colours; c++) data[i + c] = toSrgb(toLinear(data[i + c]!) * (1 + share * slopes[c]!) + share * added[c]!);
    }
    return withData(picture, data);
  }
  const data = picture.data.slice();
  for (let c = 0; c < colours; c++) {
    const slope = slopes[c]!;
    const plus = added[c]!;
    for (let pixel = 0, i = c; pixel < amount.length; pixel++, i += channels) {
      const share = amount[pixel]!;
      if (share !== 0) data[i] = linearToByte(linearOfByte[data[i]!]! * (1 + share * slope) + share * plus);
    }
  }
  return withData(picture, data);
}
