import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { drawHand, type HandParams } from "./hand.js";
import { type Layer, layOver, uncovered } from "./layer.js";
import { checkMask, checkPicture, type Picture } from "./picture.js";
import { drawTag, type TagParams } from "./tag.js";

export type OcclusionParams = ({ readonly by: "hand" } & HandParams) | ({ readonly by: "tag" } & TagParams);

/** A hand that holds the product, or a price tag that hangs before it; with its shadow. */
export function occlusion<P extends Picture>(picture: P, params: OcclusionParams): P {
  checkPicture("occlusion", picture);
  return over(picture, drawn(picture, params), params);
}

/** As `occlusion`; of the mask stays what is still to be seen of the product. */
export function occlusionWithMask<P extends Picture>(
  picture: P,
  mask: Image,
  params: OcclusionParams,
): { readonly picture: P; readonly mask: Image } {
  checkPicture("occlusion", picture);
  checkMask("occlusion", mask, picture);
  const layer = drawn(picture, params);
  return { picture: over(picture, layer, params), mask: uncovered(mask, layer) };
}

function drawn(picture: Picture, params: OcclusionParams): Layer {
  if (params.by === "hand") return drawHand(picture, params);
  if (params.by === "tag") return drawTag(picture, params);
  throw new ArgumentError(`occlusion: expected by hand or tag, got ${String(Reflect.get(params, "by"))}`);
}

function over<P extends Picture>(picture: P, layer: Layer, params: OcclusionParams): P {
  const shorter = Math.min(picture.width, picture.height);
  if (params.by === "tag") {
    const unit = params.length * shorter;
    return layOver(picture, layer, { offset: [unit * 0.02, unit * 0.03], blur: Math.min(unit * 0.018, 30), opacity: 0.5 });
  }
  const unit = params.width * shorter;
  const light = ((params.light ?? 120) * Math.PI) / 180;
  return layOver(picture, layer, {
    offset: [-0.22 * unit * Math.cos(light), 0.22 * unit * Math.sin(light)],
    blur: Math.min(0.16 * unit, 30),
    opacity: 0.5,
  });
}
