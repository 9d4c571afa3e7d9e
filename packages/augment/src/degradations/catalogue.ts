import { ArgumentError } from "@refadgen/errors";
import type { Image, Size } from "@refadgen/image";
import type { ParameterGenerator } from "../random/generator.js";
import {
  type AnisotropicBlurParams,
  anisotropicBlur,
  type DefocusBlurParams,
  defocusBlur,
  type GaussianBlurParams,
  gaussianBlur,
  type MotionBlurParams,
  motionBlur,
} from "./blur.js";
import { type ColourProfileParams, colourProfile } from "./colour-profile.js";
import { type ElasticParams, elasticWarp, type LensParams, lensWarp } from "./displacement.js";
import { type GlareParams, glare, type HighlightParams, highlight } from "./glare.js";
import { type AffineParams, affineWarp, type PerspectiveParams, perspectiveWarp } from "./homography.js";
import { magnitudes, type Strength, strengths } from "./magnitudes.js";
import { type MatteErrorParams, matteError } from "./matte.js";
import {
  type GaussianNoiseParams,
  gaussianNoise,
  type ImpulseNoiseParams,
  type IsoNoiseParams,
  impulseNoise,
  isoNoise,
  type PoissonNoiseParams,
  poissonNoise,
  type SpeckleNoiseParams,
  speckleNoise,
} from "./noise.js";
import { type OcclusionParams, occlusion, occlusionWithMask } from "./occlusion.js";
import { type JpegParams, jpegCompression, type WebpParams, webpCompression } from "./recompression.js";
import { type RescaleParams, rescale } from "./rescale.js";
import { checkSample, type Sample, warpSample } from "./sample.js";
import * as sampling from "./sampling.js";
import { type CastShadowParams, type ContactShadowParams, castShadow, contactShadow } from "./shadow.js";
import { type ThinPlateParams, thinPlateWarp } from "./thin-plate.js";
import {
  type BrightnessParams,
  brightness,
  type ContrastParams,
  contrast,
  type ExposureParams,
  exposure,
  type GammaParams,
  gamma,
  type SaturationParams,
  saturation,
} from "./tone.js";
import { type VignetteParams, vignette } from "./vignette.js";
import type { Border, Warp } from "./warp.js";
import { type WhiteBalanceParams, whiteBalance } from "./white-balance.js";

/** Every degradation by name, with its parameters. */
export interface DegradationParams {
  readonly "gaussian-noise": GaussianNoiseParams;
  readonly "poisson-noise": PoissonNoiseParams;
  readonly "iso-noise": IsoNoiseParams;
  readonly "speckle-noise": SpeckleNoiseParams;
  readonly "impulse-noise": ImpulseNoiseParams;
  readonly "gaussian-blur": GaussianBlurParams;
  readonly "motion-blur": MotionBlurParams;
  readonly "defocus-blur": DefocusBlurParams;
  readonly "anisotropic-blur": AnisotropicBlurParams;
  readonly jpeg: JpegParams;
  readonly webp: WebpParams;
  readonly rescale: RescaleParams;
  readonly exposure: ExposureParams;
  readonly gamma: GammaParams;
  readonly brightness: BrightnessParams;
  readonly contrast: ContrastParams;
  readonly saturation: SaturationParams;
  readonly "white-balance": WhiteBalanceParams;
  readonly "colour-profile": ColourProfileParams;
  readonly vignette: VignetteParams;
  readonly "cast-shadow": CastShadowParams;
  readonly "contact-shadow": ContactShadowParams;
  readonly highlight: HighlightParams;
  readonly glare: GlareParams;
  readonly perspective: PerspectiveParams;
  readonly affine: AffineParams;
  readonly "thin-plate": ThinPlateParams;
  readonly elastic: ElasticParams;
  readonly lens: LensParams;
  readonly "hand-occlusion": OcclusionParams;
  readonly "tag-occlusion": OcclusionParams;
  readonly "matte-error": MatteErrorParams;
}

export type DegradationName = keyof DegradationParams;

interface Entry<Params> {
  readonly sample: (generator: ParameterGenerator, magnitude: number, size: Size) => Params;
  readonly apply: (sample: Sample, params: Params) => Sample | Promise<Sample>;
}

/** Changes the picture only. */
function onImage<Params>(change: (image: Image, params: Params) => Image | Promise<Image>): Entry<Params>["apply"] {
  return async (sample, params) => ({ ...sample, image: await change(sample.image, params) });
}

function onPlaces<Params extends { readonly border?: Border }>(warpOf: (size: Size, params: Params) => Warp, border: Border): Entry<Params>["apply"] {
  return (sample, params) => warpSample(sample, warpOf(sample.image, params), params.border ?? border);
}

/** Without a mask the whole picture is the product. */
function maskOf({ image: { width, height }, mask }: Sample): Image {
  return mask ?? { width, height, channels: 1, data: new Uint8Array(width * height).fill(255) };
}

function occluded(sample: Sample, params: OcclusionParams): Sample {
  if (!sample.mask) return { ...sample, image: occlusion(sample.image, params) };
  const { picture, mask } = occlusionWithMask(sample.image, sample.mask, params);
  return { ...sample, image: picture, mask };
}

const catalogue: { readonly [Name in DegradationName]: Entry<DegradationParams[Name]> } = {
  "gaussian-noise": { sample: sampling.gaussianNoise, apply: onImage(gaussianNoise) },
  "poisson-noise": { sample: sampling.poissonNoise, apply: onImage(poissonNoise) },
  "iso-noise": { sample: sampling.isoNoise, apply: onImage(isoNoise) },
  "speckle-noise": { sample: sampling.speckleNoise, apply: onImage(speckleNoise) },
  "impulse-noise": { sample: sampling.impulseNoise, apply: onImage(impulseNoise) },
  "gaussian-blur": { sample: sampling.gaussianBlur, apply: onImage(gaussianBlur) },
  "motion-blur": { sample: sampling.motionBlur, apply: onImage(motionBlur) },
  "defocus-blur": { sample: sampling.defocusBlur, apply: onImage(defocusBlur) },
  "anisotropic-blur": { sample: sampling.anisotropicBlur, apply: onImage(anisotropicBlur) },
  jpeg: { sample: sampling.jpeg, apply: onImage(jpegCompression) },
  webp: { sample: sampling.webp, apply: onImage(webpCompression) },
  rescale: { sample: sampling.rescale, apply: onImage(rescale) },
  exposure: { sample: sampling.exposure, apply: onImage(exposure) },
  gamma: { sample: sampling.gamma, apply: onImage(gamma) },
  brightness: { sample: sampling.brightness, apply: onImage(brightness) },
  contrast: { sample: sampling.contrast, apply: onImage(contrast) },
  saturation: { sample: sampling.saturation, apply: onImage(saturation) },
  "white-balance": { sample: sampling.whiteBalance, apply: onImage(whiteBalance) },
  "colour-profile": { sample: sampling.colourProfile, apply: onImage(colourProfile) },
  vignette: { sample: sampling.vignette, apply: onImage(vignette) },
  "cast-shadow": { sample: sampling.castShadow, apply: onImage(castShadow) },
  "contact-shadow": {
    sample: sampling.contactShadow,
    apply: (sample, params) => ({ ...sample, image: contactShadow(sample.image, maskOf(sample), params) }),
  },
  highlight: { sample: sampling.highlight, apply: (sample, params) => ({ ...sample, image: highlight(sample.image, sample.mask, params) }) },
  glare: { sample: sampling.glare, apply: onImage(glare) },
  perspective: { sample: sampling.perspective, apply: onPlaces(perspectiveWarp, "replicate") },
  affine: { sample: sampling.affine, apply: onPlaces(affineWarp, "replicate") },
  "thin-plate": { sample: sampling.thinPlate, apply: onPlaces(thinPlateWarp, "replicate") },
  elastic: { sample: sampling.elastic, apply: onPlaces(elasticWarp, "reflect") },
  lens: { sample: sampling.lens, apply: onPlaces(lensWarp, "replicate") },
  "hand-occlusion": { sample: sampling.handOcclusion, apply: occluded },
  "tag-occlusion": { sample: sampling.tagOcclusion, apply: occluded },
  "matte-error": {
    sample: sampling.matteError,
    apply: (sample, params) => {
      const { picture, mask } = matteError(sample.image, maskOf(sample), params);
      return { ...sample, image: picture, ...(sample.mask && { mask }) };
    },
  },
};

/** Every degradation, in the order of the README's table. */
export const degradationNames: readonly DegradationName[] = Object.keys(catalogue) as DegradationName[];

/**
 * Draws the parameters of a degradation: plain JSON, from which `degrade` makes the same picture again.
 *
 * @param strength 1 (hardly seen) to 5 (hard to recognise); 3 leaves an SSIM of about 0.8 on the scenes of the conformance kit.
 * @param size of the picture that they are for: lengths in px grow with it.
 * @throws ArgumentError for a name or a strength that there is not
 */
export function sampleDegradation<Name extends DegradationName>(
  name: Name,
  generator: ParameterGenerator,
  strength: Strength,
  size: Size,
): DegradationParams[Name] {
  const entry = entryOf("sampleDegradation", name);
  if (!strengths.includes(strength)) throw new ArgumentError(`sampleDegradation: expected strength ${strengths.join(", ")}, got ${String(strength)}`);
  return entry.sample(generator, magnitudes[name][strength - 1]!, size);
}

/**
 * Applies a degradation. The picture, its mask, companions and points stay in step.
 *
 * @throws ArgumentError for a name that there is not, parameters outside what they allow, a mask of another size
 */
export async function degrade<Name extends DegradationName>(sample: Sample, name: Name, params: DegradationParams[Name]): Promise<Sample> {
  const entry = entryOf("degrade", name);
  checkSample("degrade", sample);
  if (typeof params !== "object" || params === null) throw new ArgumentError(`degrade: expected parameters for ${name}, got ${String(params)}`);
  return entry.apply(sample, params);
}

function entryOf<Name extends DegradationName>(caller: string, name: Name): Entry<DegradationParams[Name]> {
  if (!Object.hasOwn(catalogue, name))
    throw new ArgumentError(`${caller}: expected a degradation of ${degradationNames.join(", ")}, got ${String(name)}`);
  return catalogue[name];
}
