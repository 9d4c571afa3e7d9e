import type { Size } from "@refadgen/image";
import type { ParameterGenerator } from "../random/generator.js";
import type { AnisotropicBlurParams, DefocusBlurParams, GaussianBlurParams, MotionBlurParams } from "./blur.js";
import type { ColourProfileParams } from "./colour-profile.js";
import type { ElasticParams, LensParams } from "./displacement.js";
import type { GlareParams, HighlightParams, LightSpot } from "./glare.js";
import type { AffineParams, PerspectiveParams } from "./homography.js";
import type { MatteErrorParams } from "./matte.js";
import type { GaussianNoiseParams, ImpulseNoiseParams, IsoNoiseParams, PoissonNoiseParams, SpeckleNoiseParams } from "./noise.js";
import type { OcclusionParams } from "./occlusion.js";
import type { JpegParams, WebpParams } from "./recompression.js";
import type { RescaleParams } from "./rescale.js";
import type { CastShadowParams, ContactShadowParams } from "./shadow.js";
import type { ThinPlateParams } from "./thin-plate.js";
import type { BrightnessParams, ContrastParams, ExposureParams, GammaParams, SaturationParams } from "./tone.js";
import type { VignetteParams } from "./vignette.js";
import type { Point } from "./warp.js";
import type { WhiteBalanceParams } from "./white-balance.js";

// Each function draws the parameters of one degradation. What `magnitude` means, it says; the rest is drawn from what photos have.

/** Strength varies by a twelfth, so that a level is not one picture. */
function near(generator: ParameterGenerator, magnitude: number): number {
  return magnitude * generator.between(0.92, 1.08);
}

function limited(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function shorterSide({ width, height }: Size): number {
  return Math.min(width, height);
}

/** Standard deviation. */
export function gaussianNoise(generator: ParameterGenerator, magnitude: number): GaussianNoiseParams {
  return { standardDeviation: limited(near(generator, magnitude), 0, 2), coloured: generator.chance(0.7), seed: generator.seed() };
}

/** Photons of white. */
export function poissonNoise(generator: ParameterGenerator, magnitude: number): PoissonNoiseParams {
  return { peak: limited(near(generator, magnitude), 0.1, 10_000), seed: generator.seed() };
}

/** Shot noise; read noise follows it as in real cameras (Brooks et al. 2019). */
export function isoNoise(generator: ParameterGenerator, magnitude: number): IsoNoiseParams {
  const shot = limited(near(generator, magnitude), 0, 1);
  const read = limited(Math.exp(2.18 * Math.log(Math.max(shot, 1e-6)) + 1.2 + 0.26 * generator.normal()), 0, 1);
  return { shot, read, seed: generator.seed() };
}

/** Standard deviation. */
export function speckleNoise(generator: ParameterGenerator, magnitude: number): SpeckleNoiseParams {
  return { standardDeviation: limited(near(generator, magnitude), 0, 2), seed: generator.seed() };
}

/** Share of values. */
export function impulseNoise(generator: ParameterGenerator, magnitude: number): ImpulseNoiseParams {
  return { amount: limited(near(generator, magnitude), 0, 1), seed: generator.seed() };
}

/** Sigma, in shares of the shorter side. */
export function gaussianBlur(generator: ParameterGenerator, magnitude: number, size: Size): GaussianBlurParams {
  return { sigma: limited(near(generator, magnitude) * shorterSide(size), 0, 100) };
}

/** Length, in shares of the shorter side. */
export function motionBlur(generator: ParameterGenerator, magnitude: number, size: Size): MotionBlurParams {
  return { length: limited(near(generator, magnitude) * shorterSide(size), 0, 500), degrees: generator.between(0, 180) };
}

/** Radius, in shares of the shorter side. */
export function defocusBlur(generator: ParameterGenerator, magnitude: number, size: Size): DefocusBlurParams {
  return { radius: limited(near(generator, magnitude) * shorterSide(size), 0, 100), alias: generator.between(0.3, 0.7) };
}

/** Sigma along the direction, in shares of the shorter side. */
export function anisotropicBlur(generator: ParameterGenerator, magnitude: number, size: Size): AnisotropicBlurParams {
  const sigmaAlong = limited(near(generator, magnitude) * shorterSide(size), 0, 50);
  return { sigmaAlong, sigmaAcross: sigmaAlong * generator.between(0.25, 0.45), degrees: generator.between(0, 180) };
}

/** Quality. */
export function jpeg(generator: ParameterGenerator, magnitude: number): JpegParams {
  return {
    quality: Math.round(limited(near(generator, magnitude), 1, 100)),
    chromaSubsampling: generator.chance(0.85) ? "4:2:0" : "4:4:4",
    times: generator.chance(0.25) ? 2 : 1,
  };
}

/** Quality. */
export function webp(generator: ParameterGenerator, magnitude: number): WebpParams {
  return { quality: Math.round(limited(near(generator, magnitude), 1, 100)) };
}

/** Factor. */
export function rescale(generator: ParameterGenerator, magnitude: number): RescaleParams {
  return {
    factor: limited(near(generator, magnitude), 0.01, 1),
    down: generator.choose(["area", "area", "bicubic", "bilinear"]),
    up: generator.choose(["linear", "linear", "bicubic", "lanczos"]),
  };
}

/** Stops, either way: product photos on white are seldom worth anything overexposed, so mostly down. */
export function exposure(generator: ParameterGenerator, magnitude: number): ExposureParams {
  return { stops: limited(near(generator, magnitude), 0, 10) * (generator.chance(0.7) ? -1 : 1) };
}

/** ln gamma, either way. */
export function gamma(generator: ParameterGenerator, magnitude: number): GammaParams {
  return { gamma: limited(Math.exp(near(generator, magnitude) * generator.sign()), 0.05, 20) };
}

/** What is added, either way. */
export function brightness(generator: ParameterGenerator, magnitude: number): BrightnessParams {
  return { add: limited(near(generator, magnitude), 0, 1) * generator.sign() };
}

/** How much contrast is missing. */
export function contrast(generator: ParameterGenerator, magnitude: number): ContrastParams {
  return { factor: limited(1 - near(generator, magnitude), 0, 10), about: generator.choose(["grey", "mean"]) };
}

/** Distance of the factor from 1, either way. */
export function saturation(generator: ParameterGenerator, magnitude: number): SaturationParams {
  const amount = near(generator, magnitude);
  return { factor: generator.chance(0.6) ? Math.max(1 - amount, 0) : limited(1 + 1.5 * amount, 0, 10) };
}

/** Distance from daylight: in mireds, thousands; either way. */
export function whiteBalance(generator: ParameterGenerator, magnitude: number): WhiteBalanceParams {
  const mireds = 1e6 / 6500 + 1000 * near(generator, magnitude) * (generator.chance(0.6) ? 0.3 : -0.1);
  return { kelvin: limited(1e6 / Math.max(mireds, 1), 1700, 25_000), tint: limited(0.25 * magnitude * generator.normal(), -1, 1) };
}

/** Amount. */
export function colourProfile(generator: ParameterGenerator, magnitude: number): ColourProfileParams {
  return {
    mistake: generator.choose([
      "encoded-twice",
      "linear-as-srgb",
      "red-and-blue-swapped",
      "adobe-rgb-as-srgb",
      "srgb-as-adobe-rgb",
      "display-p3-as-srgb",
    ]),
    amount: limited(near(generator, magnitude), 0, 1),
  };
}

/** Strength. */
export function vignette(generator: ParameterGenerator, magnitude: number): VignetteParams {
  return {
    strength: limited(near(generator, magnitude), 0, 1),
    centre: [generator.between(0.42, 0.58), generator.between(0.42, 0.58)],
    falloff: generator.between(1.6, 3.2),
  };
}

/** How much light is missing in the shadow. */
export function castShadow(generator: ParameterGenerator, magnitude: number, size: Size): CastShadowParams {
  const dark = limited(near(generator, magnitude), 0, 1);
  return {
    polygons: generator.choose([edgeShadow, blinds, leaves])(generator),
    penumbra: limited(shorterSide(size) * generator.between(0.008, 0.03), 0, 200),
    // The sky still lights what the sun does not, so that shadows are bluer.
    gain: [1 - dark, 1 - 0.96 * dark, 1 - 0.88 * dark],
  };
}

/** Something large to one side: the photographer, a wall. */
function edgeShadow(generator: ParameterGenerator): Point[][] {
  const angle = generator.between(0, 2 * Math.PI);
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const reach = generator.between(-0.08, 0.12);
  const at = (along: number, out: number): Point => [0.5 + dx * out - dy * along, 0.5 + dy * out + dx * along];
  const bumps = [-1.2, -0.4, -0.15, 0.1, 0.3, 0.6, 1.2].map((along) => at(along, reach + generator.between(-0.09, 0.09)));
  return [[...bumps, at(1.5, 2), at(-1.5, 2)]];
}

/** The slats of a window's blinds. */
function blinds(generator: ParameterGenerator): Point[][] {
  const angle = generator.between(-0.5, 0.5);
  const pitch = generator.between(0.14, 0.24);
  const dark = pitch * generator.between(0.4, 0.6);
  const start = generator.between(-0.1, 0.1);
  return Array.from({ length: 14 }, (_, k): Point[] => {
    const y = start - 0.6 + k * pitch;
    const lean = Math.tan(angle);
    return [
      [-0.5, y - lean],
      [1.5, y + lean],
      [1.5, y + lean + dark],
      [-0.5, y - lean + dark],
    ];
  });
}

/** A twig with leaves. */
function leaves(generator: ParameterGenerator): Point[][] {
  const angle = generator.between(0, 2 * Math.PI);
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const shift = generator.between(-0.2, 0.2);
  return Array.from({ length: 11 }, (_, k): Point[] => {
    const along = -0.7 + 0.14 * k;
    const side = k % 2 === 0 ? 1 : -1;
    const turn = angle + side * generator.between(0.6, 1);
    const length = generator.between(0.22, 0.34);
    const [x, y] = [0.5 + dx * along - dy * shift, 0.5 + dy * along + dx * shift];
    return Array.from({ length: 16 }, (_, i): Point => {
      // A leaf is pointed at both ends.
      const t = i / 16;
      const run = t < 0.5 ? 2 * t : 2 - 2 * t;
      const wide = (t < 0.5 ? 1 : -1) * 0.3 * Math.sin(Math.PI * run) ** 1.2 * length;
      return [x + Math.cos(turn) * run * length - Math.sin(turn) * wide, y + Math.sin(turn) * run * length + Math.cos(turn) * wide];
    });
  });
}

/** Opacity; beyond 0.5 the shadow also grows. */
export function contactShadow(generator: ParameterGenerator, magnitude: number, size: Size): ContactShadowParams {
  const wanted = near(generator, magnitude);
  return {
    squash: generator.between(0.16, 0.26) * (1 + 1.6 * wanted),
    shear: generator.between(0.4, 0.9) * generator.sign(),
    blur: limited(shorterSide(size) * generator.between(0.008, 0.02), 0, 100),
    opacity: limited(wanted, 0, 0.95),
  };
}

/** Intensity and number of highlights. */
export function highlight(generator: ParameterGenerator, magnitude: number): HighlightParams {
  const count = 1 + Math.round(2.5 * magnitude);
  const degrees = generator.between(60, 120);
  return {
    spots: Array.from(
      { length: count },
      (): LightSpot => ({
        centre: [generator.between(0.33, 0.67), generator.between(0.25, 0.75)],
        radius: limited(generator.between(0.01, 0.03) * (1 + 1.2 * magnitude), 0.001, 2),
        stretch: generator.between(2, 8),
        degrees: degrees + generator.between(-12, 12),
        intensity: limited(near(generator, 0.35 + magnitude), 0, 4),
      }),
    ),
  };
}

/** Haze, and the light of the spots. */
export function glare(generator: ParameterGenerator, magnitude: number): GlareParams {
  const warm = generator.between(0, 1);
  return {
    spots: Array.from(
      { length: 1 + generator.index(2) },
      (): LightSpot => ({
        centre: [generator.between(0.1, 0.9), generator.between(0.05, 0.6)],
        radius: generator.between(0.05, 0.12) * (1 + 0.5 * magnitude),
        stretch: generator.chance(0.5) ? 1 : generator.between(1, 3),
        degrees: generator.between(0, 180),
        intensity: limited(near(generator, 1.4 * magnitude), 0, 4),
      }),
    ),
    haze: limited(near(generator, 0.75 * magnitude), 0, 0.95),
    colour: [1, 0.98 - 0.06 * warm, 0.96 - 0.2 * warm],
  };
}

/** Standard deviation of the corners, in shares of the sides. */
export function perspective(generator: ParameterGenerator, magnitude: number): PerspectiveParams {
  const corner = (): Point => [limited(magnitude * generator.normal(), -0.4, 0.4), limited(magnitude * generator.normal(), -0.4, 0.4)];
  const drawn: [Point, Point, Point, Point] = [corner(), corner(), corner(), corner()];
  // To one length, because four draws of two normals vary too much for one level.
  const length = Math.sqrt(drawn.flat().reduce((sum, value) => sum + value * value, 0) / 8);
  const scale = length > 0 ? near(generator, magnitude) / length : 0;
  return {
    corners: drawn.map(([x, y]): Point => [limited(x * scale, -0.4, 0.4), limited(y * scale, -0.4, 0.4)]) as unknown as PerspectiveParams["corners"],
  };
}

/** Of everything: at 1 it turns by 20 degrees, scales by 15 %, shears by 0.15, shifts by 5 %. */
export function affine(generator: ParameterGenerator, magnitude: number): AffineParams {
  const amount = near(generator, magnitude);
  return {
    degrees: limited(20 * amount * generator.sign() * generator.between(0.7, 1), -180, 180),
    scale: limited(1 + 0.15 * amount * generator.between(-1, 1), 0.5, 2),
    shear: limited(0.15 * amount * generator.between(-1, 1), -1, 1),
    shift: [limited(0.05 * amount * generator.between(-1, 1), -0.5, 0.5), limited(0.05 * amount * generator.between(-1, 1), -0.5, 0.5)],
  };
}

/** Standard deviation of the control points, in shares of the sides. */
export function thinPlate(generator: ParameterGenerator, magnitude: number): ThinPlateParams {
  const grid = 4;
  const move = (): number => limited(near(generator, magnitude) * generator.normal(), -0.2, 0.2);
  return { grid, moves: Array.from({ length: grid * grid }, (): Point => [move(), move()]) };
}

/** Standard deviation of the displacement, in shares of the shorter side. */
export function elastic(generator: ParameterGenerator, magnitude: number): ElasticParams {
  return { amount: limited(near(generator, magnitude), 0, 0.2), scale: generator.between(0.09, 0.16), seed: generator.seed() };
}

/** k1, either way. */
export function lens(generator: ParameterGenerator, magnitude: number): LensParams {
  const k1 = limited(near(generator, magnitude), 0, 0.5) * generator.sign();
  return { k1, k2: limited(k1 * generator.between(-0.2, 0.3), -0.5, 0.5) };
}

/** Skin from light to dark: sRGB of the Fitzpatrick types, roughly. */
const skins: readonly (readonly [number, number, number])[] = [
  [0.95, 0.79, 0.7],
  [0.91, 0.73, 0.62],
  [0.82, 0.62, 0.5],
  [0.68, 0.48, 0.36],
  [0.5, 0.34, 0.25],
  [0.36, 0.24, 0.18],
];

/** Width of a finger, in shares of the shorter side, of a thumb that reaches to the product's edge; from 0.1 on, more fingers. */
export function handOcclusion(generator: ParameterGenerator, magnitude: number): OcclusionParams {
  const width = limited(near(generator, magnitude), 0.01, 0.5);
  const fingers = magnitude < 0.06 ? 1 : generator.choose(magnitude < 0.1 ? [1, 1, 2] : magnitude < 0.15 ? [2, 3, 4] : [3, 4]);
  // From the left, the right or below, as arms reach into photos.
  const from = generator.choose([180, 0, -90]);
  const degrees = from + 180 + generator.between(-25, 25);
  const [reachX, reachY] = [Math.cos((from * Math.PI) / 180), -Math.sin((from * Math.PI) / 180)];
  const out = generator.between(0.1, 0.18) - 1.1 * Math.min(magnitude, 0.3);
  return {
    by: "hand",
    tip: [0.5 + reachX * out + generator.between(-0.06, 0.06), 0.55 + reachY * (out + 0.06) + generator.between(-0.08, 0.08)],
    degrees,
    width,
    fingers,
    skin: generator.choose(skins),
    light: generator.between(80, 140),
    mirrored: generator.chance(0.5),
    seed: generator.seed(),
  };
}

/** Card and ink. */
const cards: readonly (readonly [readonly [number, number, number], readonly [number, number, number]])[] = [
  [
    [0.96, 0.95, 0.92],
    [0.1, 0.1, 0.11],
  ],
  [
    [0.84, 0.74, 0.58],
    [0.16, 0.12, 0.09],
  ],
  [
    [0.8, 0.11, 0.14],
    [0.99, 0.97, 0.94],
  ],
  [
    [0.98, 0.85, 0.2],
    [0.12, 0.1, 0.05],
  ],
];

/** Length of the tag, in shares of the shorter side. */
export function tagOcclusion(generator: ParameterGenerator, magnitude: number): OcclusionParams {
  const [card, ink] = generator.choose(cards);
  return {
    by: "tag",
    centre: [generator.between(0.4, 0.6), generator.between(0.42, 0.6)],
    degrees: generator.between(-30, 30),
    length: limited(near(generator, magnitude), 0.02, 2),
    card,
    ink,
    price: 95 + 100 * generator.index(200),
    seed: generator.seed(),
  };
}

/** Width of the strip, in shares of the shorter side. */
export function matteError(generator: ParameterGenerator, magnitude: number, size: Size): MatteErrorParams {
  const shorter = shorterSide(size);
  const reach = limited(near(generator, magnitude) * shorter, 0, 200);
  const dark = generator.between(0.15, 0.55);
  return {
    kind: generator.choose(["erode", "dilate", "halo"]),
    reach,
    softness: limited(generator.between(0.1, 0.5) * reach, 0.5, 100),
    roughness: limited(generator.between(0.1, 0.35) * reach, 0, 100),
    fringe: [
      limited(dark + generator.between(-0.1, 0.1), 0, 1),
      limited(dark + generator.between(-0.05, 0.1), 0, 1),
      limited(dark + generator.between(-0.1, 0.15), 0, 1),
    ],
    seed: generator.seed(),
  };
}
