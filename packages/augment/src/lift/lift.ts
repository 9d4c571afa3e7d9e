import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { type Camera, centredIntrinsics, checkCamera, type Vector3 } from "../render/camera.js";
import type { SplatScene } from "../splats/scene.js";
import { alignDepth, checkDepthMap } from "./align-depth.js";
import { bothSides, ownColours, sharpened } from "./colour.js";
import type { DepthMap } from "./depth.js";
import { fitOutline } from "./fit-outline.js";
import { type Inflation, inflate } from "./inflate.js";
import { measuredRelief } from "./measured-relief.js";
import { paintOut } from "./plate.js";
import type { ShapePrior } from "./shape.js";
import { type Silhouette, silhouetteOf } from "./silhouette.js";
import { sceneFromBuffer, splatBuffer } from "./splat-buffer.js";
import { coverWithSplats, type TwoSidedRelief } from "./surface.js";
import { closeTears } from "./tears.js";

export interface LiftOptions {
  /** Depth of the photo; without one the shape is made from the outline. */
  readonly depth?: DepthMap;
  /** Default `"auto"`; with a depth, it only helps with the back. */
  readonly shape?: ShapePrior;
  /** The camera that took the photo; its size is that of the photo. Default: at the origin, looking along +z, `fieldOfView` wide. */
  readonly camera?: Camera;
  /** Degrees across the longer side, 5 to 120; default 35; not looked at with `camera`. */
  readonly fieldOfView?: number;
  /** From the camera to the product, in the scene's unit, more than 0; default: such that the longer side of the product is 1. Not looked at with a metric depth. */
  readonly distance?: number;
}

/** A product in three dimensions, as far as one photo tells. */
export interface Lift {
  readonly scene: SplatScene;
  /** Splats from here on stand for the back, which the photo does not show. */
  readonly frontCount: number;
  /** The camera that took the photo. */
  readonly camera: Camera;
  /** The middle of the product, in world coordinates. */
  readonly target: Vector3;
  /** What its shape was made from. */
  readonly source: "depth" | Exclude<ShapePrior, "auto">;
  /** Whether that is more than a guess; `similarViews` stays nearer to the photo where it is not. */
  readonly certain: boolean;
  /** [H, W, 3] the photo with the product painted out, 0 to 1. */
  readonly plate: Float32Array;
  /** What the coverage of outline pixels stands for; see `outlineCurve`. */
  readonly outlineCurve: Float32Array;
}

/** Most pixels of a photo that is lifted: up to two splats for each. */
export const maxLiftedPixels: number = 1 << 23;

/** Standard deviation of a splat as a part of the distance to its neighbours: with the low-pass of `viewLowPass`, closed and still sharp. */
const splatSigma = 0.5;
const splatOpacity = 0.99;

/**
 * Lifts a product photo to Gaussian splats: one per pixel of the product in the surface that the photo shows, more where that runs steeply
 * into the depth, and a back that closes it.
 *
 * @param image 1 to 4 channels. Colours under an alpha channel are taken as they are (not premultiplied); alpha narrows the mask.
 * @param mask the product: same size; the first channel counts, 0 outside, 255 inside.
 * @throws ArgumentError for pictures or options outside what is said here; LiftError `empty-mask`, `no-depth`.
 */
export function lift(image: Image, mask: Image, options: LiftOptions = {}): Lift {
  const { width, height } = image;
  checkPicture(image, "image");
  checkPicture(mask, "mask");
  if (mask.width !== width || mask.height !== height) {
    throw new ArgumentError(`lift: expected a mask of ${width} × ${height}, got ${mask.width} × ${mask.height}`);
  }
  if (width * height > maxLiftedPixels) {
    throw new ArgumentError(`lift: expected a photo of at most ${maxLiftedPixels} pixels, got ${width} × ${height}; scale it down first`);
  }
  const { depth, shape = "auto", distance } = options;
  if (!["auto", "round", "box", "flat"].includes(shape))
    throw new ArgumentError(`lift: expected a shape auto, round, box or flat, got ${String(shape)}`);
  if (distance !== undefined && !(distance > 0 && Number.isFinite(distance)))
    throw new ArgumentError(`lift: expected a distance of more than 0, got ${distance}`);
  if (depth) checkDepthMap(depth, "lift");
  const camera = photoCamera(image, options);
  const coverage = coverageOf(image, mask);
  const silhouette = silhouetteOf(coverage, width, height);
  const rgb = coloursOf(image);
  const plate = paintOut(rgb, coverage, width, height);
  const straight = image.channels === 2 || image.channels === 4;
  const own = ownColours(rgb, straight ? undefined : plate, width, silhouette);

  const extent = Math.max(silhouette.width, silhouette.height) - 4;
  const away = distance ?? camera.fx / extent;
  const inflation = inflate(silhouette, depth && shape === "auto" ? "round" : shape);
  const relief = depth
    ? measuredRelief(silhouette, alignDepth(depth, silhouette, inflation, { photo: image, distance: away, focal: camera.fx }), inflation, camera.fx)
    : inflatedRelief(silhouette, inflation, away, camera);
  const colours = bothSides(sharpened(own, silhouette), silhouette, !depth && inflation.shape !== "round");
  const buffer = splatBuffer(Math.ceil(silhouette.area * 1.9) + 64);
  coverWithSplats(buffer, "front", silhouette, relief, colours, { camera, sigma: splatSigma });
  const frontCount = buffer.count;
  if (relief.torn) {
    const nearest = relief.middle.map((z, i) => z - Math.sqrt(relief.front[i]!));
    closeTears(buffer, nearest, silhouette, colours.front, { camera, sigma: splatSigma });
  }
  coverWithSplats(buffer, "back", silhouette, relief, colours, { camera, sigma: splatSigma });
  const scene = sceneFromBuffer(buffer, camera.view, splatOpacity);
  const found = { scene, frontCount, camera, source: depth ? ("depth" as const) : inflation.shape };
  return {
    ...found,
    certain: depth !== undefined || inflation.certain,
    target: middleOf(silhouette, relief, camera),
    plate,
    outlineCurve: fitOutline(found, buffer.sources, silhouette),
  };
}

function checkPicture(image: Image, name: string): void {
  const { width, height, channels, data } = image;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new ArgumentError(`lift: expected the ${name} to have a size, got ${String(width)} × ${String(height)}`);
  }
  if (![1, 2, 3, 4].includes(channels)) throw new ArgumentError(`lift: expected the ${name} to have 1 to 4 channels, got ${String(channels)}`);
  if (!(data instanceof Uint8Array) || data.length !== width * height * channels) {
    throw new ArgumentError(`lift: expected ${name} data of ${width} × ${height} × ${channels} bytes, got ${String(data?.length)}`);
  }
}

function photoCamera({ width, height }: Image, { camera, fieldOfView = 35 }: LiftOptions): Camera {
  if (camera) {
    checkCamera(camera, "lift");
    if (camera.width !== width || camera.height !== height) {
      throw new ArgumentError(`lift: expected a camera of ${width} × ${height}, the size of the photo, got ${camera.width} × ${camera.height}`);
    }
    return camera;
  }
  if (!(fieldOfView >= 5 && fieldOfView <= 120)) throw new ArgumentError(`lift: expected a fieldOfView of 5 to 120, got ${fieldOfView}`);
  return { ...centredIntrinsics({ width, height }, { fieldOfView }), view: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
}

function coverageOf(image: Image, mask: Image): Float32Array {
  const coverage = new Float32Array(image.width * image.height);
  for (let i = 0; i < coverage.length; i++) coverage[i] = mask.data[i * mask.channels]! / 255;
  if (image.channels === 2 || image.channels === 4) {
    for (let i = 0; i < coverage.length; i++) coverage[i]! *= image.data[i * image.channels + image.channels - 1]! / 255;
  }
  return coverage;
}

/** [H, W, 3], 0 to 1; grey becomes three equal channels. */
function coloursOf({ width, height, channels, data }: Image): Float32Array {
  const rgb = new Float32Array(width * height * 3);
  const [green, blue] = channels >= 3 ? [1, 2] : [0, 0];
  for (let i = 0; i < width * height; i++) {
    rgb[i * 3] = data[i * channels]! / 255;
    rgb[i * 3 + 1] = data[i * channels + green]! / 255;
    rgb[i * 3 + 2] = data[i * channels + blue]! / 255;
  }
  return rgb;
}

function inflatedRelief({ inside }: Silhouette, { relief }: Inflation, distance: number, camera: Camera): TwoSidedRelief {
  // A ball seen from nearby shows less than its half: its outline lies before its middle, by the sine of the angle that its radius spans.
  const deepest = Math.sqrt(relief.reduce((most, square) => Math.max(most, square), 0));
  const sine = Math.min(Math.sin(Math.atan(deepest / camera.fx)), 0.5);
  const cosine = Math.sqrt(1 - sine * sine);
  const pixel = ((distance * cosine) / camera.fx) * Math.min(1, (0.5 * camera.fx) / deepest);
  const side = (part: number): Float32Array => relief.map((square) => square * (pixel * part) ** 2);
  return { middle: new Float32Array(inside.length).fill(distance * cosine * cosine), front: side(1 - sine), back: side(1 + sine), torn: false };
}

/** Half way between the foremost front and the hindmost back, on the ray of the centre of mass, in world coordinates. */
function middleOf(
  { left, top, width, inside, area }: Silhouette,
  { middle, front, back }: TwoSidedRelief,
  { fx, fy, cx, cy, view }: Camera,
): Vector3 {
  let [x, y, z, foremost, hindmost] = [0, 0, 0, 0, 0];
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    const depth = middle[i]!;
    x += ((left + (i % width) + 0.5 - cx) / fx) * depth;
    y += ((top + Math.floor(i / width) + 0.5 - cy) / fy) * depth;
    z += depth;
    foremost = Math.max(foremost, front[i]!);
    hindmost = Math.max(hindmost, back[i]!);
  }
  const farther = 1 + ((Math.sqrt(hindmost) - Math.sqrt(foremost)) / 2) * (area / z);
  x *= farther;
  y *= farther;
  z *= farther;
  const [dx, dy, dz] = [x / area - view[3]!, y / area - view[7]!, z / area - view[11]!];
  return [
    view[0]! * dx + view[4]! * dy + view[8]! * dz,
    view[1]! * dx + view[5]! * dy + view[9]! * dz,
    view[2]! * dx + view[6]! * dy + view[10]! * dz,
  ];
}
