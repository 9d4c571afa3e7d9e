import { ArgumentError } from "@refadgen/errors";
import { type Image, type PillowMode, toGrey, toRgb, toRgba } from "@refadgen/image";
import type { Picture } from "./contract.js";

/** The pixels of a picture. */
export function imageOf(picture: Picture): Image {
  return "image" in picture ? picture.image : picture;
}

/** The mode in which Pillow would have opened it; that of its channels when the file is not known. */
export function modeOf(picture: Picture): PillowMode {
  if ("image" in picture) return picture.mode;
  return (["L", "LA", "RGB", "RGBA"] as const)[picture.channels - 1]!;
}

/** Throws unless there is at least one picture. */
export function expectPictures(where: string, pictures: readonly unknown[]): void {
  if (!Array.isArray(pictures) || pictures.length === 0)
    throw new ArgumentError(`${where}: expected at least one picture, got ${pictures?.length ?? String(pictures)}`);
}

/** Throws unless a tensor is float32 of these sizes; null stands for any size. */
export function expectTensor(
  where: string,
  { dtype, dims, data }: { readonly dtype: string; readonly dims: readonly number[]; readonly data: ArrayLike<unknown> },
  sizes: readonly (number | null)[],
): void {
  const fits = dims.length === sizes.length && dims.every((size, axis) => size > 0 && (sizes[axis] === null || sizes[axis] === size));
  const wanted = sizes.map((size) => size ?? "any").join(", ");
  if (dtype !== "float32" || !fits) throw new ArgumentError(`${where}: expected float32 [${wanted}], got ${dtype} [${dims.join(", ")}]`);
  const count = dims.reduce((product, size) => product * size, 1);
  if (!(data instanceof Float32Array) || data.length !== count) throw new ArgumentError(`${where}: expected ${count} values, got ${data?.length}`);
}

/** The pixels with the channels that Pillow would have: it keeps the transparency of grey and RGB files outside of the pixels. */
export function pillowImage(picture: Picture): Image {
  const image = imageOf(picture);
  switch (modeOf(picture)) {
    case "1":
    case "L":
      return toGrey(image);
    case "RGB":
      return toRgb(image);
    case "RGBA":
      return toRgba(image);
    default:
      return image;
  }
}
