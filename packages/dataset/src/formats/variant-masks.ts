import type { TripletMask, TripletVariant } from "../contract.js";
import { zeroPadded } from "./names.js";

/**
 * Names of the masks that variants have to themselves, as the authors name theirs: the first is `gs`, and whoever has the same pixels
 * shares it; a further one carries the number of its variant, `gs_04`.
 *
 * @returns one name per variant, `undefined` for those that use the triplet's mask; and each named mask once
 */
export function nameVariantMasks(variants: readonly TripletVariant[]): {
  readonly names: readonly (string | undefined)[];
  readonly masks: ReadonlyMap<string, TripletMask>;
} {
  const masks = new Map<string, TripletMask>();
  const names = variants.map(({ index, mask }) => {
    if (!mask) return undefined;
    for (const [name, known] of masks) if (sameMask(known, mask)) return name;
    const name = masks.size === 0 ? "gs" : `gs_${zeroPadded(index, 2)}`;
    masks.set(name, mask);
    return name;
  });
  return { names, masks };
}

function sameMask(a: TripletMask, b: TripletMask): boolean {
  return a.width === b.width && a.height === b.height && Buffer.compare(a.data, b.data) === 0;
}
