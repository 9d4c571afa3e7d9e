import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { addImpulseLevels, addNormalLevels, addNormalLight, drawLevels, normalField, uniformField } from "./noise-field.js";
import { photonCount, photonCounts, photonLevels } from "./photon-counts.js";
import { checkInteger, checkNumber, checkPicture, colourChannels, isFloat, type Picture, toByte, withData } from "./picture.js";
import { byteOfLinear, linearOfByte, linearSteps, toLinear, toSrgb } from "./srgb.js";

/** Seeds of noise are 32 bits. */
const largestSeed = 0xffff_ffff;

interface Seeded {
  /** 0 to 2^32 - 1; which noise. */
  readonly seed: number;
}

export interface GaussianNoiseParams extends Seeded {
  /** Of sRGB from 0 to 1: 0 to 2. */
  readonly standardDeviation: number;
  /** Whether each colour has noise of its own, or the pixel one for all. Default true. */
  readonly coloured?: boolean;
}

/** Additive noise in sRGB. */
export function gaussianNoise<P extends Picture>(picture: P, { standardDeviation, seed, coloured = true }: GaussianNoiseParams): P {
  check("gaussianNoise", picture, seed);
  checkNumber("gaussianNoise", "standardDeviation", standardDeviation, 0, 2);
  const noise = { seed, plain: 255 * standardDeviation, proportional: 0 };
  // The same pixels as below, sooner.
  if (isOpaqueBytes(picture))
    return withData(picture, addNormalLevels(picture.data, { ...noise, spread: coloured || picture.channels === 1 ? 1 : 3 }));
  return addGaussianNoise(picture, noiseFor(picture, seed, coloured), { standardDeviation });
}

/** As `gaussianNoise`, with standard normals given per value `[H, W, C]`. */
export function addGaussianNoise<P extends Picture>(
  picture: P,
  normals: Float32Array,
  { standardDeviation }: { readonly standardDeviation: number },
): P {
  checkField("addGaussianNoise", picture, normals);
  const { data, channels } = picture;
  if (!isFloat(picture) && (channels === 1 || channels === 3)) {
    const out = new Uint8ClampedArray(data.length);
    const scale = 255 * standardDeviation;
    for (let i = 0; i < data.length; i++) out[i] = Math.floor(data[i]! + scale * normals[i]! + 0.5);
    return withData(picture, new Uint8Array(out.buffer));
  }
  return perValue(
    picture,
    (value, i) => value + standardDeviation * normals[i]!,
    (level, i) => level + 255 * standardDeviation * normals[i]!,
  );
}

export interface SpeckleNoiseParams extends Seeded {
  /** 0 to 2, times the value. */
  readonly standardDeviation: number;
}

/** Noise in proportion to the value. */
export function speckleNoise<P extends Picture>(picture: P, { standardDeviation, seed }: SpeckleNoiseParams): P {
  check("speckleNoise", picture, seed);
  checkNumber("speckleNoise", "standardDeviation", standardDeviation, 0, 2);
  const noise = { seed, spread: 1, plain: 0, proportional: standardDeviation } as const;
  if (isOpaqueBytes(picture)) return withData(picture, addNormalLevels(picture.data, noise));
  return addSpeckleNoise(picture, noiseFor(picture, seed, true), { standardDeviation });
}

/** As `speckleNoise`, with standard normals given per value. */
export function addSpeckleNoise<P extends Picture>(
  picture: P,
  normals: Float32Array,
  { standardDeviation }: { readonly standardDeviation: number },
): P {
  checkField("addSpeckleNoise", picture, normals);
  const factor = (value: number, i: number) => value + value * standardDeviation * normals[i]!;
  return perValue(picture, factor, factor);
}

export interface ImpulseNoiseParams extends Seeded {
  /** Share of values that become 0 or full, 0 to 1. */
  readonly amount: number;
}

/** Dead and hot pixels: salt and pepper, half of each. */
export function impulseNoise<P extends Picture>(picture: P, { amount, seed }: ImpulseNoiseParams): P {
  check("impulseNoise", picture, seed);
  checkNumber("impulseNoise", "amount", amount, 0, 1);
  if (isOpaqueBytes(picture)) return withData(picture, addImpulseLevels(picture.data, seed, amount));
  return addImpulseNoise(picture, uniformField(picture.data.length, seed), { amount });
}

/** As `impulseNoise`, with uniform numbers given per value. */
export function addImpulseNoise<P extends Picture>(picture: P, uniforms: Float32Array, { amount }: { readonly amount: number }): P {
  checkField("addImpulseNoise", picture, uniforms);
  checkNumber("addImpulseNoise", "amount", amount, 0, 1);
  const struck = (full: number) => (value: number, i: number) => (uniforms[i]! < amount / 2 ? 0 : uniforms[i]! >= 1 - amount / 2 ? full : value);
  return perValue(picture, struck(1), struck(255));
}

export interface PoissonNoiseParams extends Seeded {
  /** Photons that white stands for, 0.1 to 10 000: fewer, noisier. */
  readonly peak: number;
}

/** Photon noise: each value becomes a count of photons. In sRGB, as ImageNet-C has it. */
export function poissonNoise<P extends Picture>(picture: P, { peak, seed }: PoissonNoiseParams): P {
  check("poissonNoise", picture, seed);
  checkNumber("poissonNoise", "peak", peak, 0.1, 10_000);
  if (isOpaqueBytes(picture)) return withData(picture, drawLevels(picture.data, seed, photonLevels(peak)));
  return addPoissonNoise(picture, uniformField(picture.data.length, seed), { peak });
}

/** As `poissonNoise`: the smallest count whose cumulative probability reaches the uniform number given per value. */
export function addPoissonNoise<P extends Picture>(picture: P, uniforms: Float32Array, { peak }: { readonly peak: number }): P {
  checkField("addPoissonNoise", picture, uniforms);
  checkNumber("addPoissonNoise", "peak", peak, 0.1, 10_000);
  if (isFloat(picture))
    return perValue(
      picture,
      (value, i) => photonCount(photonCounts(Math.max(value, 0) * peak), uniforms[i]!) / peak,
      (level) => level,
    );
  const tables = Array.from({ length: 256 }, (_, level) => photonCounts((level / 255) * peak));
  return perValue(
    picture,
    (value) => value,
    (level, i) => (photonCount(tables[level]!, uniforms[i]!) / peak) * 255,
  );
}

export interface IsoNoiseParams extends Seeded {
  /** Photon noise: variance per unit of linear light, 0 to 1. 0.0001 is base ISO, 0.01 a phone at night. */
  readonly shot: number;
  /** Noise of the electronics: variance of linear light, 0 to 1. */
  readonly read: number;
}

/**
 * Noise of a sensor at high ISO: in linear light, of variance light·shot + read.
 *
 * Source: the model of Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019).
 */
export function isoNoise<P extends Picture>(picture: P, { shot, read, seed }: IsoNoiseParams): P {
  check("isoNoise", picture, seed);
  checkNumber("isoNoise", "shot", shot, 0, 1);
  checkNumber("isoNoise", "read", read, 0, 1);
  if (isOpaqueBytes(picture)) return withData(picture, addNormalLight(picture.data, seed, levelDeviation(shot, read)));
  return addIsoNoise(picture, noiseFor(picture, seed, true), { shot, read });
}

/** As `isoNoise`, with standard normals given per value. */
export function addIsoNoise<P extends Picture>(
  picture: P,
  normals: Float32Array,
  { shot, read }: { readonly shot: number; readonly read: number },
): P {
  checkField("addIsoNoise", picture, normals);
  checkNumber("addIsoNoise", "shot", shot, 0, 1);
  checkNumber("addIsoNoise", "read", read, 0, 1);
  if (isFloat(picture)) {
    const noisy = (value: number, i: number) => {
      const light = toLinear(value);
      return toSrgb(light + normals[i]! * Math.sqrt(Math.max(light * shot + read, 0)));
    };
    return perValue(picture, noisy, noisy);
  }
  const deviation = levelDeviation(shot, read);
  const { data, channels } = picture;
  const out = new Uint8Array(data);
  const colours = colourChannels(picture);
  for (let i = 0; i < data.length; i += channels) {
    for (let c = 0; c < colours; c++) {
      const level = data[i + c]!;
      const light = linearOfByte[level]! + normals[i + c]! * deviation[level]!;
      out[i + c] = byteOfLinear[light >= 1 ? linearSteps : light > 0 ? (light * linearSteps + 0.5) | 0 : 0]!;
    }
  }
  return withData(picture, out);
}

function levelDeviation(shot: number, read: number): Float32Array {
  return Float32Array.from(linearOfByte, (light) => Math.sqrt(light * shot + read));
}

/** What the kernel is made for. */
function isOpaqueBytes(picture: Picture): picture is Image {
  return !isFloat(picture) && (picture.channels === 1 || picture.channels === 3);
}

function check(name: string, picture: Picture, seed: number): void {
  checkPicture(name, picture);
  checkInteger(name, "seed", seed, 0, largestSeed);
}

function checkField(name: string, picture: Picture, field: Float32Array): void {
  checkPicture(name, picture);
  if (!(field instanceof Float32Array) || field.length !== picture.data.length)
    throw new ArgumentError(`${name}: expected ${picture.data.length} random numbers, one per value of the picture, got ${String(field?.length)}`);
}

function noiseFor(picture: Picture, seed: number, coloured: boolean): Float32Array {
  const { channels, data } = picture;
  if (coloured || channels < 3) return normalField(data.length, seed);
  const grey = normalField(data.length / channels, seed);
  const field = new Float32Array(data.length);
  for (let pixel = 0, i = 0; pixel < grey.length; pixel++) for (let c = 0; c < channels; c++) field[i++] = grey[pixel]!;
  return field;
}

/** A function of each colour value and its place, in 0 to 1 for floats and in levels for 8 bits; clipped. Alpha stays. */
function perValue<P extends Picture>(picture: P, ofFloat: (value: number, i: number) => number, ofLevel: (level: number, i: number) => number): P {
  const { channels } = picture;
  const hasAlpha = channels === 2 || channels === 4;
  const isAlpha = (i: number) => hasAlpha && i % channels === channels - 1;
  if (isFloat(picture)) {
    const data = picture.data.slice();
    for (let i = 0; i < data.length; i++) if (!isAlpha(i)) data[i] = Math.min(Math.max(ofFloat(data[i]!, i), 0), 1);
    return withData(picture, data);
  }
  const data = picture.data.slice();
  // Without a modulo per value where there is no alpha.
  if (hasAlpha) for (let i = 0; i < data.length; i++) data[i] = isAlpha(i) ? data[i]! : toByte(ofLevel(data[i]!, i) / 255);
  else for (let i = 0; i < data.length; i++) data[i] = toByte(ofLevel(data[i]!, i) / 255);
  return withData(picture, data);
}
