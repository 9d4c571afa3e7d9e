import { colourChannels, isFloat, type Picture, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";
import { byteOfLinear, linearOfByte, toLinear, toSrgb } from "./srgb.js";

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
  const { data } = picture;
  const numbers = Float64Array.of(...slopes, ...(colours === 1 ? [0, 0] : []), ...added);
  const lit = withKernel(
    [data.length, amount.byteLength, 48, linearOfByte.byteLength, byteOfLinear.byteLength],
    (kernel, bytes, amountAt, numbersAt, linear, encoded) => {
      place(kernel, bytes, data);
      place(kernel, amountAt, amount);
      place(kernel, numbersAt, numbers);
      place(kernel, linear, linearOfByte);
      place(kernel, encoded, byteOfLinear);
      kernel.applyLight(bytes, amount.length, channels, colours, amountAt, numbersAt, linear, encoded);
      return taken(kernel, bytes, data.length);
    },
  );
  return withData(picture, lit);
}
