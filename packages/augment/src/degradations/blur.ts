import { premultiplied } from "./alpha.js";
import { shrinkByArea, stretchLinearly } from "./area-resize.js";
import { checkKernelSize, convolve, convolveSeparable, type Kernel } from "./convolution.js";
import { checkNumber, checkPicture, type Picture } from "./picture.js";

/** Blurs reach at most this far, px. */
const longest = 500;

export interface GaussianBlurParams {
  /** Standard deviation, px: 0 to 100; 0 changes nothing. */
  readonly sigma: number;
  /** Odd; default reaches 3 sigma. */
  readonly kernelSize?: number;
}

/** Out of focus, softly. At the border the picture is reflected, as in all blurs here. */
export function gaussianBlur<P extends Picture>(picture: P, { sigma, kernelSize }: GaussianBlurParams): P {
  checkPicture("gaussianBlur", picture);
  checkNumber("gaussianBlur", "sigma", sigma, 0, 100);
  const size = kernelSize ?? 2 * Math.max(1, Math.round(3 * sigma)) + 1;
  checkKernelSize("gaussianBlur", "kernelSize", size);
  return premultiplied(picture, (plain) => convolveSeparable(plain, gaussianTaps(size, sigma)));
}

/** exp(-i² / 2 sigma²), normalised; sigma 0 is the picture itself. */
export function gaussianTaps(size: number, sigma: number): Float64Array {
  const reach = (size - 1) / 2;
  const taps = Float64Array.from({ length: size }, (_, i) =>
    sigma === 0 ? Number(i === reach) : Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)),
  );
  return normalised(taps);
}

export interface MotionBlurParams {
  /** Px, 0 to 500. */
  readonly length: number;
  /** Direction from +x towards -y (up), degrees. */
  readonly degrees: number;
}

/** A camera or product that moved in a straight line. The kernel is centred, so nothing shifts. */
export function motionBlur<P extends Picture>(picture: P, params: MotionBlurParams): P {
  checkPicture("motionBlur", picture);
  const kernel = motionKernel(params);
  return premultiplied(picture, (plain) => convolve(plain, kernel));
}

/** A line through the centre, 32 points per px, each shared out to four pixels by bilinear weights. */
export function motionKernel({ length, degrees }: MotionBlurParams): Kernel {
  checkNumber("motionBlur", "length", length, 0, longest);
  checkNumber("motionBlur", "degrees", degrees, -3600, 3600);
  const size = 2 * Math.ceil((length + 1) / 2) + 1;
  const values = new Float64Array(size * size);
  const centre = (size - 1) / 2;
  const count = Math.max(1, Math.round(32 * length));
  const [dx, dy] = [Math.cos((degrees * Math.PI) / 180), -Math.sin((degrees * Math.PI) / 180)];
  for (let i = 0; i < count; i++) {
    const along = ((i + 0.5) / count) * length - length / 2;
    const [x, y] = [centre + along * dx, centre + along * dy];
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - x0, y - y0];
    const at = y0 * size + x0;
    values[at]! += (1 - fx) * (1 - fy);
    values[at + 1]! += fx * (1 - fy);
    values[at + size]! += (1 - fx) * fy;
    values[at + size + 1]! += fx * fy;
  }
  return { width: size, height: size, values: normalised(values) };
}

export interface DefocusBlurParams {
  /** Of the disk that a point becomes, px: 0 to 100. */
  readonly radius: number;
  /** Standard deviation of the smoothing of the disk's edge, px, 0 to 5; default 0.5. */
  readonly alias?: number;
}

/** A lens out of focus: points become disks (the kernel is ImageNet-C's). */
export function defocusBlur<P extends Picture>(picture: P, params: DefocusBlurParams): P {
  checkPicture("defocusBlur", picture);
  const { radius, alias = 0.5 } = params;
  return blurred(picture, radius, defocusKernel(params), (times) => defocusKernel({ radius: radius / times, alias: alias / times }));
}

/** A disk in a grid of ±8 (±radius if that is more), smoothed by 3 × 3 (5 × 5) Gaussian taps, reflected at the grid's border. */
export function defocusKernel({ radius, alias = 0.5 }: DefocusBlurParams): Kernel {
  checkNumber("defocusBlur", "radius", radius, 0, 100);
  checkNumber("defocusBlur", "alias", alias, 0, 5);
  const small = radius <= 8;
  const reach = small ? 8 : Math.ceil(radius);
  const size = 2 * reach + 1;
  const disk = Float32Array.from({ length: size * size }, (_, i) =>
    Number(((i % size) - reach) ** 2 + (Math.trunc(i / size) - reach) ** 2 <= radius * radius),
  );
  const total = disk.reduce((sum, value) => sum + value, 0);
  const picture = { width: size, height: size, channels: 1 as const, data: disk.map((value) => value / total) };
  const { data } = convolveSeparable(picture, gaussianTaps(small ? 3 : 5, alias));
  return { width: size, height: size, values: Float64Array.from(data) };
}

export interface AnisotropicBlurParams {
  /** Standard deviation along the direction, px: 0 to 50. */
  readonly sigmaAlong: number;
  /** Across it, px: 0 to 50. */
  readonly sigmaAcross: number;
  /** From +x towards -y (up). */
  readonly degrees: number;
}

/** A Gaussian that is wider in one direction: shake while out of focus, astigmatism. */
export function anisotropicBlur<P extends Picture>(picture: P, params: AnisotropicBlurParams): P {
  checkPicture("anisotropicBlur", picture);
  const { sigmaAlong, sigmaAcross, degrees } = params;
  const coarser = (times: number): Kernel => anisotropicKernel({ sigmaAlong: sigmaAlong / times, sigmaAcross: sigmaAcross / times, degrees });
  return blurred(picture, 2 * Math.min(sigmaAlong, sigmaAcross), anisotropicKernel(params), coarser);
}

function anisotropicKernel({ sigmaAlong, sigmaAcross, degrees }: AnisotropicBlurParams): Kernel {
  checkNumber("anisotropicBlur", "sigmaAlong", sigmaAlong, 0, 50);
  checkNumber("anisotropicBlur", "sigmaAcross", sigmaAcross, 0, 50);
  checkNumber("anisotropicBlur", "degrees", degrees, -3600, 3600);
  // Narrower than a quarter of a pixel, samples miss the Gaussian.
  const [along, across] = [Math.max(sigmaAlong, 0.25), Math.max(sigmaAcross, 0.25)];
  const reach = Math.max(1, Math.ceil(3 * Math.max(along, across)));
  const size = 2 * reach + 1;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), -Math.sin((degrees * Math.PI) / 180)];
  const values = Float64Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [(i % size) - reach, Math.trunc(i / size) - reach];
    const exponent = ((x * cos + y * sin) / along) ** 2 + ((y * cos - x * sin) / across) ** 2;
    return exponent > 18 ? 0 : Math.exp(-exponent / 2);
  });
  return { width: size, height: size, values: normalised(values) };
}

/** Pixels that the narrowest detail of a blurred picture is wide from which it is blurred smaller, and those to which it is brought then. */
const coarseFrom = 40;
const coarseTo = 20;

/**
 * Convolved; where the kernel leaves nothing finer than `smooth` pixels, in a picture so many times smaller: the work of a wide kernel grows with
 * the square of its width, and large photos have wide ones.
 */
function blurred<P extends Picture>(picture: P, smooth: number, kernel: Kernel, coarser: (times: number) => Kernel): P {
  if (smooth < coarseFrom) return premultiplied(picture, (plain) => convolve(plain, kernel));
  const times = Math.floor(smooth / coarseTo);
  const { width, height } = picture;
  const small = { width: Math.ceil(width / times), height: Math.ceil(height / times) };
  return premultiplied(picture, (plain) => stretchLinearly(convolve(shrinkByArea(plain, small), coarser(times)), { width, height }));
}

function normalised(values: Float64Array): Float64Array {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
