import type { Strength } from "../degradations/magnitudes.js";
import { compose, degradation, oneOf, type Transform } from "./transform.js";

export interface UploadRecipeOptions {
  /** 1 to 5, default 2: how bad the photos are at most; each step draws this strength or the one below. */
  readonly strength?: Strength;
}

/**
 * What happens to product photos on their way into a shop: taken at an angle, in bad light, not quite sharp, with a noisy phone, then
 * scaled and saved again. Each step happens to some photos only; nearly all are saved as JPEG or WebP at the end.
 */
export function uploadRecipe({ strength = 2 }: UploadRecipeOptions = {}): Transform {
  const levels: Strength[] = strength === 1 ? [1] : [(strength - 1) as Strength, strength];
  // What changes light moves structural similarity little, so that its levels are further apart to the eye.
  const gentle: Strength[] = strength <= 2 ? [1] : [(strength - 2) as Strength, (strength - 1) as Strength];
  const light = (name: Parameters<typeof degradation>[0], probability = 1) => degradation(name, { strength: gentle, probability });
  const step = (name: Parameters<typeof degradation>[0], probability = 1) => degradation(name, { strength: levels, probability });
  return compose([
    oneOf([step("perspective", 0.4), step("affine", 0.3), step("lens", 0.2), step("thin-plate", 0.07), step("elastic", 0.03)], { probability: 0.4 }),
    oneOf([light("contact-shadow", 0.4), light("cast-shadow", 0.4), step("highlight", 0.2)], { probability: 0.3 }),
    oneOf([step("hand-occlusion"), step("tag-occlusion")], { probability: 0.06 }),
    step("matte-error", 0.08),
    oneOf([light("exposure"), light("gamma"), light("brightness"), light("contrast")], { probability: 0.6 }),
    oneOf([light("white-balance", 0.6), light("saturation", 0.3), light("colour-profile", 0.1)], { probability: 0.5 }),
    oneOf([light("vignette", 0.6), light("glare", 0.4)], { probability: 0.15 }),
    oneOf([step("defocus-blur"), step("gaussian-blur"), step("motion-blur"), step("anisotropic-blur")], { probability: 0.4 }),
    oneOf(
      [step("iso-noise", 0.5), step("gaussian-noise", 0.2), step("poisson-noise", 0.2), step("speckle-noise", 0.07), step("impulse-noise", 0.03)],
      {
        probability: 0.45,
      },
    ),
    step("rescale", 0.3),
    oneOf([step("jpeg", 0.8), step("webp", 0.2)], { probability: 0.9 }),
  ]);
}
