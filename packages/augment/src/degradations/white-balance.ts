import { checkNumber, checkPicture, colourChannels, type Picture } from "./picture.js";
import { toLinear, toSrgb } from "./srgb.js";
import { applyCurves } from "./tone-curve.js";

export interface WhiteBalanceParams {
  /** Colour temperature of the light, 1667 to 25 000 K; 6500 changes nothing, less is warmer. */
  readonly kelvin: number;
  /** -1 (magenta) to 1 (green), stops of green. Default 0. */
  readonly tint?: number;
}

/** A camera that took the light for another one. Linear light times a gain per channel; grey pictures stay as they are. */
export function whiteBalance<P extends Picture>(picture: P, { kelvin, tint = 0 }: WhiteBalanceParams): P {
  checkPicture("whiteBalance", picture);
  checkNumber("whiteBalance", "tint", tint, -1, 1);
  const [red, green, blue] = temperatureGains(kelvin);
  const gains = colourChannels(picture) === 1 ? [1] : [red, green * 2 ** tint, blue];
  return applyCurves(
    picture,
    gains.map((gain) => (value: number) => toSrgb(toLinear(value) * gain)),
  );
}

/**
 * Gains of linear red, green and blue under a black body of this temperature, relative to 6500 K, green being 1.
 *
 * @throws ArgumentError outside 1667 to 25 000 K, where the approximation of the locus ends.
 */
export function temperatureGains(kelvin: number): [red: number, green: number, blue: number] {
  checkNumber("temperatureGains", "kelvin", kelvin, 1667, 25_000);
  const warm = planckianRgb(kelvin);
  const reference = planckianRgb(6500);
  const ratios = warm.map((value, channel) => value / reference[channel]!) as [number, number, number];
  return ratios.map((ratio) => Math.max(ratio / ratios[1], 0)) as [number, number, number];
}

/** Linear sRGB of a black body with Y = 1: the cubics of Kim et al. (US patent 7024034) for the Planckian locus. */
function planckianRgb(kelvin: number): number[] {
  const t = 1000 / kelvin;
  const x =
    kelvin <= 4000 ? ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.17991 : ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.24039;
  const y =
    kelvin <= 2222
      ? ((-1.1063814 * x - 1.3481102) * x + 2.18555832) * x - 0.20219683
      : kelvin <= 4000
        ? ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
        : ((3.081758 * x - 5.8733867) * x + 3.75112997) * x - 0.37001483;
  const [bigX, bigZ] = [x / y, (1 - x - y) / y];
  return [
    3.2404542 * bigX - 1.5371385 - 0.4985314 * bigZ,
    -0.969266 * bigX + 1.8760108 + 0.041556 * bigZ,
    0.0556434 * bigX - 0.2040259 + 1.0572252 * bigZ,
  ];
}
