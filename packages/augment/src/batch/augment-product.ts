import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { decodeImage, encodeImage, type Image, resizeImage, toGrey, toRgb } from "@refadgen/image";
import { type AugmentedVariant, dualAugmentation } from "../recipe/dual-augmentation.js";
import type { Transform } from "../recipe/transform.js";
import type { ProductFile } from "./find-products.js";
import { BatchError, productMask } from "./product-mask.js";

/** What decides the pixels of a batch: plain JSON. */
export interface BatchSettings {
  readonly seed: number | string;
  readonly variants: number;
  readonly views: number;
  readonly recipe: Transform;
  /** zlib effort of the PNG files, 0 to 9: pixels are the same at any. */
  readonly compressionLevel: number;
}

export interface ProductJob {
  readonly product: ProductFile;
  readonly out: string;
  readonly settings: BatchSettings;
}

/** One variant's files. */
export interface VariantFiles {
  readonly image: string;
  readonly mask: string;
  readonly record: string;
}

export interface ProductResult {
  readonly status: "written" | "skipped";
  readonly files: readonly VariantFiles[];
}

/** What stands in the JSON beside each output. */
interface VariantRecord {
  readonly version: 1;
  readonly product: string;
  readonly variant: number;
  readonly kind: AugmentedVariant["kind"];
  /** SHA-256 of the photo's and the mask's file. */
  readonly source: { readonly image: string; readonly mask?: string };
  readonly settings: { readonly seed: number | string; readonly variants: number; readonly views: number; readonly recipe: string };
  /** SHA-256 of the files beside it. */
  readonly output: { readonly image: string; readonly mask: string };
  /** Of `augment`, or pose, camera and quality of a view. */
  readonly record: unknown;
}

/** Where the outputs of a product lie. */
export function variantFiles(out: string, id: string, variants: number): VariantFiles[] {
  return Array.from({ length: variants }, (_, index) => {
    const stem = join(out, `${id}_${String(index).padStart(2, "0")}`);
    return { image: `${stem}.png`, mask: `${stem}_mask.png`, record: `${stem}.json` };
  });
}

/**
 * Makes the variants of one product, each with its mask and a record. What is there already from the same photo and settings is left as it is.
 *
 * Every file is written under another name and renamed; the record comes last, with the digests of the others, so that a variant with
 * a record is whole.
 */
export async function augmentProduct({ product, out, settings }: ProductJob): Promise<ProductResult> {
  const photoBytes = await readFile(product.image);
  const maskBytes = product.mask === undefined ? undefined : await readFile(product.mask);
  const source = { image: sha256(photoBytes), ...(maskBytes && { mask: sha256(maskBytes) }) };
  const { seed, variants, views, recipe, compressionLevel } = settings;
  const kept: VariantRecord["settings"] = { seed, variants, views, recipe: sha256(Buffer.from(JSON.stringify(recipe))) };
  const files = variantFiles(out, product.id, variants);
  const whole = await Promise.all(files.map((each) => isWhole(each, source, kept)));
  if (whole.every(Boolean)) return { status: "skipped", files };

  const photo = await decodeImage(photoBytes);
  const mask = maskBytes ? await readMask(maskBytes, photo) : productMask(photo);
  await mkdir(dirname(files[0]?.image ?? join(out, product.id)), { recursive: true });
  const writing: Promise<void>[] = [];
  const item = { id: product.id, image: toRgb(photo), mask };
  try {
    for await (const variant of dualAugmentation(item, { seed, variants, views, recipe })) {
      if (!whole[variant.index]) writing.push(write(variant));
      // One is encoded while the next is made; more would only fill memory.
      if (writing.length > 1) await writing[writing.length - 2];
    }
  } finally {
    await Promise.allSettled(writing);
  }
  await Promise.all(writing);
  return { status: "written", files };

  async function write(variant: AugmentedVariant): Promise<void> {
    const place = files[variant.index]!;
    if (!variant.mask) throw new Error("augmentProduct: expected a mask with every variant");
    const [image, outline] = await Promise.all([encoded(variant.image), encoded(variant.mask)]);
    await rm(place.record, { force: true });
    await writeWhole(place.image, image);
    await writeWhole(place.mask, outline);
    const record: VariantRecord = {
      version: 1,
      product: product.id,
      variant: variant.index,
      kind: variant.kind,
      source,
      settings: kept,
      output: { image: sha256(image), mask: sha256(outline) },
      record: variant.record,
    };
    await writeWhole(place.record, Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`));
  }

  function encoded(image: Image): Promise<Uint8Array> {
    return encodeImage(image, { format: "png", compressionLevel });
  }
}

async function readMask(bytes: Uint8Array, photo: Image): Promise<Image> {
  const mask = toGrey(await decodeImage(bytes));
  if (mask.width === photo.width && mask.height === photo.height) return mask;
  // The same picture at another resolution is a mask of it; anything else is one of another picture.
  const [a, b] = [mask.width * photo.height, mask.height * photo.width];
  if (Math.abs(a - b) > Math.max(mask.width, mask.height, photo.width, photo.height))
    throw new BatchError("no-mask", `expected a mask of the picture's shape, ${photo.width} × ${photo.height}, got ${mask.width} × ${mask.height}`);
  return resizeImage(mask, photo, { filter: "bilinear" });
}

async function isWhole(
  { image, mask, record }: VariantFiles,
  source: VariantRecord["source"],
  settings: VariantRecord["settings"],
): Promise<boolean> {
  try {
    const found: VariantRecord = JSON.parse(await readFile(record, "utf8"));
    const same = JSON.stringify([found.version, found.source, found.settings]) === JSON.stringify([1, source, settings]);
    return same && found.output.image === sha256(await readFile(image)) && found.output.mask === sha256(await readFile(mask));
  } catch {
    return false; // not there, or not what is written here: made anew
  }
}

/** Writes a file so that it is there whole or not at all, also when the power fails. */
export async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}${partial}`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

/** How the names of unfinished files end. */
export const partial = ".refadgen-partial";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
