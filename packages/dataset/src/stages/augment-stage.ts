import { dualAugmentation, LiftError, uploadRecipe } from "@refadgen/augment";
import type { AugmentRow, Json, Stage, VariantRow } from "../contract.js";
import { DatasetError } from "../error.js";
import { onWhite, putPng, storedMask, storedPicture } from "./pictures.js";

export interface AugmentStageSettings {
  /** 0 to 100, default 5. */
  readonly variants?: number;
  /** How many of them, the last ones, are views from nearby. Default two fifths. */
  readonly views?: number;
  /** 1 to 5, default 2: how bad the degraded ones are at most. */
  readonly strength?: 1 | 2 | 3 | 4 | 5;
  /** Default 0. */
  readonly seed?: number | string;
}

/** Raised when the same product would get other variants. */
const version = 1;

/**
 * The dual augmentation of the paper (§3.3): variants `_00` to `_02` degraded as uploads are, `_03` and `_04` seen from nearby. What is drawn depends on the seed
 * and the item's key alone. A product too small or too thin to be turned is rejected.
 *
 * @throws DatasetError `invalid-config`
 */
export function augmentStage(settings: AugmentStageSettings = {}): Stage<"augment"> {
  const { variants = 5, views = Math.round(variants * 0.4), strength = 2, seed = 0 } = settings;
  if (!Number.isInteger(variants) || variants < 0 || variants > 100)
    throw new DatasetError("invalid-config", `augment: expected variants from 0 to 100, got ${variants}`);
  if (!Number.isInteger(views) || views < 0 || views > variants)
    throw new DatasetError("invalid-config", `augment: expected views from 0 to ${variants}, got ${views}`);
  if (![1, 2, 3, 4, 5].includes(strength)) throw new DatasetError("invalid-config", `augment: expected strength from 1 to 5, got ${strength}`);
  const recipe = uploadRecipe({ strength });
  return {
    name: "augment",
    needs: ["extract"],
    settings: { version, variants, views, strength, seed },
    async run({ key, rows: { extract } }, { files, signal }) {
      if (!extract) throw new DatasetError("invalid-config", `augment: expected ${key} to have a row of extract`);
      const image = onWhite(await storedPicture(files, extract.product));
      const mask = await storedMask(files, extract.mask, image, `augment: ${key}`);
      const rows: VariantRow[] = [];
      try {
        for await (const variant of dualAugmentation({ id: key, image, mask }, { seed, variants, views, recipe, ...(signal && { signal }) })) {
          const moved = variant.mask && !Buffer.from(variant.mask.data).equals(Buffer.from(mask.data)) ? variant.mask : undefined;
          rows.push({
            index: variant.index,
            kind: variant.kind,
            product: await putPng(files, onWhite(variant.image)),
            ...(moved && { mask: await putPng(files, { ...moved, data: moved.data.map((value) => (value >= 128 ? 255 : 0)) }) }),
            record: JSON.parse(JSON.stringify(variant.record)) as Json,
          });
        }
      } catch (error) {
        if (!LiftError.isInstance(error)) throw error;
        return { outcome: "rejected", reasons: [{ code: "no-views", message: error.message }] };
      }
      const row: AugmentRow = { variants: rows };
      return { outcome: "done", row };
    },
  };
}
