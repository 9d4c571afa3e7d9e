import { join } from "node:path";
import { decodeWithMode, type Image } from "@refadgen/image";

/** A picture as Pillow opens it: neither profile nor orientation counts. */
export async function picture(folder: string, file: string): Promise<Image> {
  return (await decodeWithMode(join(folder, file), { applyProfile: false, applyOrientation: false })).image;
}

export async function pictures(folder: string, files: readonly string[]): Promise<Image[]> {
  return Promise.all(files.map((file) => picture(folder, file)));
}

/** Rows of a recorded matrix. */
export function rowsOf(values: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => Array.from({ length: width }, (_, column) => values[row * width + column]!));
}
