import { ArgumentError } from "@refadgen/errors";
import type { Json, Triplet, TripletMask, TripletPicture, TripletVariant } from "../contract.js";
import { checkKey } from "./names.js";
import { pictureType } from "./picture-type.js";

/** Variants are numbered with two digits in every format. */
const mostVariants = 100;

/**
 * A check for the triplets of one writer, which also finds keys that come twice. It hands back the triplet with its variants in the order of
 * their indices.
 *
 * What it lets through every format can hold and give back unchanged.
 */
export function tripletChecker(where: string): (triplet: Triplet) => Triplet {
  const keys = new Set<string>();
  return (triplet) => {
    checkTriplet(where, triplet);
    if (keys.has(triplet.key)) throw new ArgumentError(`${where}: expected every key once, got ${triplet.key} twice`);
    keys.add(triplet.key);
    return { ...triplet, variants: triplet.variants.toSorted((a, b) => a.index - b.index) };
  };
}

function checkTriplet(where: string, triplet: Triplet): void {
  checkKey(where, triplet?.key);
  const at = `${where}: ${triplet.key}`;
  checkText(`${at}: category`, triplet.category);
  if (triplet.category === "") throw new ArgumentError(`${at}: expected a category, got an empty text`);
  checkPicture(`${at}: ad`, triplet.ad);
  checkPicture(`${at}: product`, triplet.product);
  checkMask(`${at}: mask`, triplet.mask);
  if (!Array.isArray(triplet.captions)) throw new ArgumentError(`${at}: expected a list of captions, got ${typeof triplet.captions}`);
  for (const [index, caption] of triplet.captions.entries()) checkText(`${at}: caption ${index}`, caption);
  if (triplet.split !== undefined && triplet.split !== "train" && triplet.split !== "test")
    throw new ArgumentError(`${at}: expected split "train", "test" or none, got ${JSON.stringify(triplet.split)}`);
  checkVariants(at, triplet.variants);
  if (triplet.extra === undefined) return;
  if (typeof triplet.extra !== "object" || triplet.extra === null || Array.isArray(triplet.extra))
    throw new ArgumentError(`${at}: expected extra to be an object, got ${JSON.stringify(triplet.extra)}`);
  checkJson(`${at}: extra`, triplet.extra);
}

function checkVariants(at: string, variants: readonly TripletVariant[]): void {
  if (!Array.isArray(variants)) throw new ArgumentError(`${at}: expected a list of variants, got ${typeof variants}`);
  const indices = new Set<number>();
  for (const { index, kind, product, mask } of variants as readonly TripletVariant[]) {
    if (!Number.isInteger(index) || index < 0 || index >= mostVariants)
      throw new ArgumentError(`${at}: expected a variant's index from 0 to ${mostVariants - 1}, got ${String(index)}`);
    if (indices.has(index)) throw new ArgumentError(`${at}: expected every variant once, got index ${index} twice`);
    indices.add(index);
    if (kind !== "degraded" && kind !== "view") throw new ArgumentError(`${at}: expected variant ${index} degraded or view, got ${String(kind)}`);
    checkPicture(`${at}: variant ${index}`, product);
    if (mask !== undefined) checkMask(`${at}: mask of variant ${index}`, mask);
  }
}

function checkPicture(at: string, picture: TripletPicture): void {
  if (!(picture?.bytes instanceof Uint8Array)) throw new ArgumentError(`${at}: expected the bytes of a picture, got ${typeof picture?.bytes}`);
  const type = pictureType(picture.bytes);
  if (type !== picture.type) throw new ArgumentError(`${at}: expected bytes of ${picture.type}, got ${type ?? "something else"}`);
}

/** @throws ArgumentError unless every value is 0 or 1: 0 and 255 would be an empty mask to the authors' loader */
function checkMask(at: string, mask: TripletMask): void {
  const { width, height, data } = mask ?? {};
  for (const [name, side] of Object.entries({ width, height }))
    if (!Number.isInteger(side) || side < 1) throw new ArgumentError(`${at}: expected ${name} to be a positive integer, got ${String(side)}`);
  if (!(data instanceof Uint8Array) || data.length !== width * height)
    throw new ArgumentError(`${at}: expected ${width * height} bytes for ${width} × ${height}, got ${String(data?.length)}`);
  const wrong = data.find((value) => value > 1);
  if (wrong !== undefined) throw new ArgumentError(`${at}: expected values 0 and 1, got ${wrong}`);
}

/** A lone surrogate has no UTF-8, so that no file could hold it. */
function checkText(at: string, text: unknown): void {
  if (typeof text !== "string") throw new ArgumentError(`${at}: expected a text, got ${typeof text}`);
  if (/\p{Surrogate}/u.test(text)) throw new ArgumentError(`${at}: expected well-formed Unicode, got a lone surrogate`);
}

function checkJson(at: string, value: Json | undefined): void {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    checkText(at, value);
    return;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new ArgumentError(`${at}: expected a value that JSON holds, got ${String(value)}`);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) checkJson(`${at}[${index}]`, element);
    return;
  }
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype)
    throw new ArgumentError(`${at}: expected a value that JSON holds, got ${typeof value}`);
  for (const [name, element] of Object.entries(value)) {
    checkText(`${at}: name`, name);
    if (name === "__proto__") throw new ArgumentError(`${at}: expected another name than __proto__`);
    checkJson(`${at}.${name}`, element);
  }
}
