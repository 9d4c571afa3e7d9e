import type { Image } from "@refadgen/image";
import { planesOf } from "./planes.js";
import { type MsSsimRecipe, msSsimOf, type SsimRecipe, type SsimSettings, ssimOf } from "./ssim-recipes.js";

/** One pair to be compared, as it is sent to a thread. */
export type PixelTask = { readonly generated: Image; readonly reference: Image; readonly settings: SsimSettings } & (
  | { readonly metric: "ssim"; readonly recipe: SsimRecipe }
  | { readonly metric: "ms-ssim"; readonly recipe: MsSsimRecipe }
);

/** Values on the scale of 0 to 1. */
export function runPixelTask(task: PixelTask): number {
  const [a, b] = [planesOf(task.generated, 1 / 255), planesOf(task.reference, 1 / 255)];
  return task.metric === "ssim" ? ssimOf(a, b, task.recipe, task.settings) : msSsimOf(a, b, task.recipe, task.settings);
}
