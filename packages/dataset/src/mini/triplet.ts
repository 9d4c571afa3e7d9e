import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { captionsOf, type Mentions } from "./captions.js";
import { placed } from "./geometry/mesh.js";
import type { Vector } from "./geometry/vector.js";
import { type MiniCategory, miniCategories } from "./products/catalogue.js";
import { bounds, type Product, standing, turned } from "./products/product.js";
import { type Random, random } from "./random.js";
import type { CameraPose } from "./render/camera.js";
import { type Rendering, render } from "./render/render.js";
import type { Part, Scene } from "./render/scene.js";
import { studioLighting } from "./scenes/lighting.js";
import { type Backdrop, sceneKinds } from "./scenes/scenes.js";

export interface MiniOptions {
  /** Any whole number or text: another seed is another set. */
  readonly seed: number | string;
  /** In pixels, 64 to 640. */
  readonly width: number;
  readonly height: number;
  /** Names of `miniCategories`; default all of them, in turn. */
  readonly categories?: readonly string[];
  /** Further pictures of the product alone, from other sides. Default 0. */
  readonly views?: number;
}

export interface MiniMask {
  readonly width: number;
  readonly height: number;
  /** `[H, W]`, 1 where the product covers at least half of the pixel. */
  readonly data: Uint8Array;
}

export interface MiniPicture {
  /** RGB. */
  readonly image: Image;
  readonly mask: MiniMask;
  /** `[H, W]`, how much of each pixel is the product, 0 to 255. */
  readonly matte: Uint8Array;
  /** `[H, W]`, distance along the line of sight, the product's largest side being 1; Infinity for the sky. */
  readonly depth: Float32Array;
  readonly camera: CameraPose;
}

/** One advertisement and its product. */
export interface MiniTriplet {
  /** `000017`, from the index. */
  readonly key: string;
  readonly category: string;
  readonly ad: MiniPicture;
  /** The same product on white, in other light and from a slightly other angle: a shop's photo. */
  readonly product: MiniPicture;
  readonly views: readonly MiniPicture[];
  /** Four. */
  readonly captions: readonly string[];
  readonly mentions: Mentions;
}

/**
 * The triplet with this number of the set with this seed; it depends on nothing else.
 *
 * @throws ArgumentError for a negative or fractional index, sides that are not whole numbers from 64 to 640, unknown categories
 */
export function miniTriplet(index: number, options: MiniOptions): MiniTriplet {
  checkOptions("miniTriplet", index, options);
  const { width, height, views = 0 } = options;
  const { draw, category, product, upright } = productOf(index, options);
  const { scene, backdrop, props } = advertisement(draw.fork("scene"), category, product, upright, width / height);
  const shop = (key: string, spread: number) => shopPhoto(draw.fork(key), category, upright, scene.facing, spread, width / height);
  const { captions, mentions } = captionsOf(draw.fork("captions"), category, product, backdrop, props);
  const white = { width, height, alone: { backdrop: [255, 255, 255] as const } };
  return {
    key: String(index).padStart(6, "0"),
    category: category.name,
    ad: picture(render(scene.scene, { width, height }), scene.scene.camera),
    product: drawn(shop("product photo", 0.22), white),
    views: Array.from({ length: views }, (_, view) => drawn(shop(`view ${view}`, 0.6), white)),
    captions,
    mentions,
  };
}

/** A product's picture on white alone: like that of `miniTriplet`, seen from a side of its own. */
export function miniProduct(index: number, options: MiniOptions): { readonly category: string; readonly picture: MiniPicture } {
  checkOptions("miniProduct", index, options);
  const { width, height } = options;
  const { draw, category, upright } = productOf(index, options);
  const facing = draw.fork("facing").between(-1, 1) * (category.turn ?? 0.55);
  return {
    category: category.name,
    picture: drawn(shopPhoto(draw.fork("product photo"), category, upright, facing, 0.22, width / height), {
      width,
      height,
      alone: { backdrop: [255, 255, 255] },
    }),
  };
}

function productOf(
  index: number,
  options: MiniOptions,
): { readonly draw: Random; readonly category: MiniCategory; readonly product: Product; readonly upright: ReturnType<typeof standing> } {
  const draw = random("adprod-mini", options.seed, index);
  const category = categoryOf(index, options);
  const product = category.make(draw.fork("product"));
  return { draw, category, product, upright: standing(product.parts) };
}

/** @throws ArgumentError */
export function checkOptions(name: string, index: number, { seed, width, height, categories, views }: MiniOptions): void {
  if (!Number.isSafeInteger(index) || index < 0)
    throw new ArgumentError(`${name}: expected index to be a whole number of at least 0, got ${String(index)}`);
  if (typeof seed !== "string" && !Number.isFinite(seed))
    throw new ArgumentError(`${name}: expected seed to be a number or text, got ${String(seed)}`);
  for (const [side, value] of Object.entries({ width, height }))
    if (!Number.isInteger(value) || value < 64 || value > 640)
      throw new ArgumentError(`${name}: expected ${side} to be a whole number from 64 to 640, got ${String(value)}`);
  if (views !== undefined && (!Number.isInteger(views) || views < 0 || views > 32))
    throw new ArgumentError(`${name}: expected views to be 0 to 32, got ${String(views)}`);
  const unknown = categories?.filter((wanted) => !miniCategories.some((known) => known.name === wanted));
  if (unknown && unknown.length > 0)
    throw new ArgumentError(`${name}: expected categories of ${miniCategories.map((known) => known.name).join(", ")}, got ${unknown.join(", ")}`);
  if (categories?.length === 0) throw new ArgumentError(`${name}: expected at least one category, got none`);
}

function categoryOf(index: number, { categories }: MiniOptions): MiniCategory {
  const wanted = categories ? miniCategories.filter(({ name }) => categories.includes(name)) : miniCategories;
  return wanted[index % wanted.length]!;
}

function drawn(scene: Scene, options: Parameters<typeof render>[1]): MiniPicture {
  return picture(render(scene, options), scene.camera);
}

function picture({ width, height, data, coverage, depth }: Rendering, camera: CameraPose): MiniPicture {
  const mask = new Uint8Array(coverage.length);
  const matte = new Uint8Array(coverage.length);
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    mask[pixel] = coverage[pixel]! >= 0.5 ? 1 : 0;
    matte[pixel] = Math.round(255 * coverage[pixel]!);
  }
  return { image: { width, height, channels: 3, data }, mask: { width, height, data: mask }, matte, depth, camera };
}

interface Staged {
  readonly scene: { readonly scene: Scene; readonly facing: number };
  readonly backdrop: Backdrop;
  readonly props: readonly string[];
}

function advertisement(draw: Random, category: MiniCategory, product: Product, upright: ReturnType<typeof standing>, aspect: number): Staged {
  const kinds = sceneKinds.filter(({ setting }) => category.setting === "anywhere" || setting === "anywhere" || setting === category.setting);
  const backdrop = draw.pick(kinds).make(draw.fork("backdrop"));
  const facing = draw.between(-1, 1) * (category.turn ?? 0.55);
  const lift = product.pose === "flies" ? draw.between(0.7, 1.1) : product.pose === "hangs" ? draw.between(0.02, 0.16) : 0;
  const parts: Part[] = turned(upright, [0, facing, 0]).map((one) => ({ ...one, mesh: placed(one.mesh, { move: [0, lift, 0] }), product: true }));
  const names: string[] = [];
  const [low, high] = bounds(parts);
  const count = product.pose === "flies" ? 0 : draw.pick([0, 0, 1, 1, 2]);
  for (let index = 0; index < count; index++) {
    const prop = draw.pick(backdrop.props)(draw.fork("prop", index));
    // Behind and beside, so that the product stays whole.
    const side = index === 0 ? draw.pick([-1, 1]) : -Math.sign(lastSide(parts));
    const x = side * (Math.max(-low[0], high[0]) + prop.radius + draw.between(0.02, 0.15));
    const z = low[2] - draw.between(-0.05, 0.25);
    parts.push(...prop.parts.map((one): Part => ({ ...one, mesh: placed(one.mesh, { move: [x, 0, z] }), product: false })));
    if (!names.includes(prop.name)) names.push(prop.name);
  }
  const camera = framing(
    draw,
    parts.filter((one) => one.product),
    category,
    aspect,
    draw.between(0.5, 0.68),
    0.35,
  );
  return {
    scene: { scene: { parts, stage: backdrop.stage, lighting: backdrop.lighting, camera, exposure: backdrop.exposure }, facing },
    backdrop,
    props: names,
  };
}

function lastSide(parts: readonly Part[]): number {
  const { mesh } = parts.at(-1)!;
  return mesh.positions[0]! < 0 ? -1 : 1;
}

function shopPhoto(
  draw: Random,
  category: MiniCategory,
  upright: ReturnType<typeof standing>,
  facing: number,
  spread: number,
  aspect: number,
): Scene {
  const parts: Part[] = turned(upright, [0, facing + draw.between(-spread, spread), 0]).map((one) => ({ ...one, product: true }));
  const camera = framing(draw, parts, category, aspect, draw.between(0.72, 0.86), 0);
  const nothing = () => undefined;
  return {
    parts,
    stage: { ground: nothing, mirror: 0, sky: nothing, haze: Number.POSITIVE_INFINITY },
    lighting: studioLighting(draw.fork("light")),
    camera,
    exposure: 0.62,
  };
}

/**
 * A camera that sees the product in this share of the frame.
 *
 * @param wander how far it may be from the middle, as a share of the room that is left
 */
function framing(
  draw: Random,
  parts: readonly Part[],
  { elevation: range = [4, 24] }: MiniCategory,
  aspect: number,
  share: number,
  wander: number,
): CameraPose {
  const [low, high] = bounds(parts);
  const center: Vector = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
  const elevation = (draw.between(...range) * Math.PI) / 180;
  const fieldOfView = draw.between(0.42, 0.62);
  const depth = high[2] - low[2];
  const tall = (high[1] - low[1]) * Math.cos(elevation) + depth * Math.sin(elevation);
  const wide = high[0] - low[0];
  // Half the frame's height at distance 1.
  const half = Math.tan(fieldOfView / 2);
  const distance = Math.max(tall / share / (2 * half), wide / share / (2 * half * aspect)) + depth / 2;
  const room = { x: Math.max(0, half * distance * aspect - wide / 2), y: Math.max(0, half * distance - tall / 2) };
  const aside = draw.between(-1, 1) * wander * room.x;
  const above = draw.between(-0.2, 0.8) * wander * room.y;
  const target: Vector = [center[0] + aside, center[1] + above, center[2]];
  return {
    position: [target[0], Math.max(0.06, target[1] + distance * Math.sin(elevation)), target[2] + distance * Math.cos(elevation)],
    target,
    fieldOfView,
    roll: draw.between(-0.02, 0.02),
  };
}
