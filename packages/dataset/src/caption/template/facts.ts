import { type Image, resizeImage, toGrey, toRgb } from "@refadgen/image";
import { commonColor, labOf } from "./color-names.js";

/** What can be measured of an ad without understanding it. */
export interface PictureFacts {
  readonly productColor?: string;
  readonly backgroundColor?: string;
  /** How light the background is. */
  readonly tone: "bright" | "soft" | "dark";
  /** How strongly the product stands out from it in lightness. */
  readonly contrast: "strong" | "gentle";
  /** Where the product's middle is across the frame. */
  readonly place?: "left" | "centre" | "right";
  /** How much of the frame the product's box fills. */
  readonly size?: "close" | "medium" | "small";
  /** The product's box in percent of the frame: left, top, width, height. */
  readonly box?: readonly [number, number, number, number];
}

/** Enough to tell colours and places by. */
const longest = 64;

/** @param mask grey, of the ad's size, light where the product is; without it only the whole picture is measured */
export function pictureFacts(ad: Image, mask: Image | undefined): PictureFacts {
  const scale = Math.min(1, longest / Math.max(ad.width, ad.height));
  const size = { width: Math.max(1, Math.round(ad.width * scale)), height: Math.max(1, Math.round(ad.height * scale)) };
  const small = resizeImage(toRgb(ad), size, { filter: "box" });
  const cover = mask && resizeImage(toGrey(mask), size, { filter: "box" }).data;
  const product: [number, number, number][] = [];
  const background: [number, number, number][] = [];
  let [left, top, right, bottom] = [size.width, size.height, -1, -1];
  for (let pixel = 0; pixel < size.width * size.height; pixel++) {
    const color: [number, number, number] = [small.data[pixel * 3]!, small.data[pixel * 3 + 1]!, small.data[pixel * 3 + 2]!];
    const covered = cover?.[pixel] ?? 0;
    // What is half of each would vote for a colour that neither has.
    if (covered < 26) background.push(color);
    if (covered < 128) continue;
    if (covered > 230) product.push(color);
    const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  const lightness = mean(background.map(([red, green, blue]) => labOf(red, green, blue)[0]));
  const own = product.length > 0 ? mean(product.map(([red, green, blue]) => labOf(red, green, blue)[0])) : lightness;
  const found = right >= 0;
  const across = (left + right + 1) / 2 / size.width;
  const share = Math.max((right - left + 1) / size.width, (bottom - top + 1) / size.height);
  const percent = (value: number, of: number) => Math.round((100 * value) / of);
  const productColor = commonColor(product);
  const backgroundColor = commonColor(background);
  return {
    ...(productColor !== undefined && { productColor }),
    ...(backgroundColor !== undefined && { backgroundColor }),
    tone: lightness > 68 ? "bright" : lightness < 32 ? "dark" : "soft",
    contrast: Math.abs(lightness - own) > 30 ? "strong" : "gentle",
    ...(found && {
      place: across < 0.4 ? ("left" as const) : across > 0.6 ? ("right" as const) : ("centre" as const),
      size: share > 0.75 ? ("close" as const) : share > 0.4 ? ("medium" as const) : ("small" as const),
      box: [
        percent(left, size.width),
        percent(top, size.height),
        percent(right - left + 1, size.width),
        percent(bottom - top + 1, size.height),
      ] as const,
    }),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 50 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
