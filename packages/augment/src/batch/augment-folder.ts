import { mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { checkTransform, type Transform } from "../recipe/transform.js";
import { uploadRecipe } from "../recipe/upload-recipe.js";
import { type BatchSettings, type ProductJob, partial, type VariantFiles, variantFiles, writeWhole } from "./augment-product.js";
import { contactSheet, type SheetRow } from "./contact-sheet.js";
import { findProducts, type ProductFile } from "./find-products.js";
import { BatchError } from "./product-mask.js";
import { runJobs } from "./worker-pool.js";

export interface AugmentFolderOptions {
  /** Folder of product photos; never written to. */
  readonly input: string;
  /** Folder of the outputs: empty, not there yet, or that of an earlier run, which is then resumed. */
  readonly out: string;
  readonly seed: number | string;
  /** Degraded variants per product; default 3. */
  readonly degrade?: number;
  /** Novel views per product; default 2. */
  readonly views?: number;
  /** A folder of masks; default NAME_mask.EXT beside the photo, else its transparency, else its plain background. */
  readonly masks?: string;
  /** Default `uploadRecipe()`. */
  readonly recipe?: Transform;
  /** Threads, 1 to 256; default one per processor. */
  readonly workers?: number;
  /** zlib effort, 0 to 9; default 3. */
  readonly compressionLevel?: number;
  /** Whether sheets of thumbnails are drawn into OUT/contact-sheets. Default true. */
  readonly contactSheets?: boolean;
  /** Whether outputs made with other settings are replaced. Default false: that is refused. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
}

/** A product that could not be made. */
export interface FailedProduct {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

export type BatchEvent =
  | { readonly type: "start"; readonly products: number; readonly variants: number }
  | { readonly type: "product"; readonly id: string; readonly status: "written" | "skipped"; readonly files: readonly VariantFiles[] }
  | ({ readonly type: "failed" } & FailedProduct)
  | { readonly type: "sheet"; readonly file: string }
  | { readonly type: "end"; readonly written: number; readonly skipped: number; readonly failed: readonly FailedProduct[] };

const markerName = ".refadgen-augment.json";
const sheetFolder = "contact-sheets";
const rowsPerSheet = 20;

/**
 * Augments every product photo below a folder: OUT/NAME_00.png with OUT/NAME_00_mask.png and the record OUT/NAME_00.json, and so on.
 *
 * Outputs depend on the seed, names and pixels only, not on order, threads, or how often the run was stopped: each file is there whole or
 * not at all, and a further run goes on where the last one was. Photos that cannot be used are `failed` events and stand in
 * OUT/failed.json; they stop nothing.
 *
 * @throws ArgumentError; BatchError `not-ours` for an output folder that holds other things, `other-settings` for one of a run with others
 */
export async function* augmentFolder(options: AugmentFolderOptions): AsyncGenerator<BatchEvent, void, void> {
  const { input, out, seed, degrade = 3, views = 2, masks, recipe = uploadRecipe(), compressionLevel = 3, contactSheets = true, signal } = options;
  const workers = options.workers ?? availableParallelism();
  wholeNumber("degrade", degrade, 0, 1000);
  wholeNumber("views", views, 0, 1000);
  wholeNumber("workers", workers, 1, 256);
  wholeNumber("compressionLevel", compressionLevel, 0, 9);
  if (degrade + views === 0) throw new ArgumentError("augmentFolder: expected degrade or views to be more than 0, got 0 and 0");
  if (typeof seed !== "string" && !Number.isFinite(seed))
    throw new ArgumentError(`augmentFolder: expected seed to be text or a number, got ${String(seed)}`);
  checkTransform(recipe, "augmentFolder");
  signal?.throwIfAborted();
  await checkFolders(input, out);
  const { products, refused } = await findProducts(input, { out, ...(masks !== undefined && { masks }) });
  const settings: BatchSettings = { seed, variants: degrade + views, views, recipe, compressionLevel };
  await takeFolder(out, settings, options.replace ?? false);

  yield { type: "start", products: products.length + refused.length, variants: settings.variants };
  const failed: FailedProduct[] = [];
  for (const { id, reason } of refused) {
    failed.push({ id, code: "same-name", message: reason });
    yield { type: "failed", ...failed.at(-1)! };
  }
  const counts = { written: 0, skipped: 0 };
  const jobs = products.map((product): ProductJob => ({ product, out, settings }));
  for await (const { job, answer } of runJobs(jobs, { workers: Math.min(workers, Math.max(jobs.length, 1)), ...(signal && { signal }) })) {
    const { id } = job.product;
    if ("failed" in answer) {
      failed.push({ id, ...answer.failed });
      yield { type: "failed", id, ...answer.failed };
    } else {
      counts[answer.result.status]++;
      yield { type: "product", id, ...answer.result };
    }
  }
  failed.sort((a, b) => (a.id < b.id ? -1 : 1));
  await writeWhole(join(out, "failed.json"), Buffer.from(`${JSON.stringify(failed, undefined, 2)}\n`));
  if (contactSheets) yield* drawSheets(out, products, settings, new Set(failed.map(({ id }) => id)), signal);
  yield { type: "end", ...counts, failed };
}

function wholeNumber(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most)
    throw new ArgumentError(`augmentFolder: expected ${name} to be a whole number from ${least} to ${most}, got ${String(value)}`);
}

/** Originals are never touched: outputs must not lie among them. */
async function checkFolders(input: string, out: string): Promise<void> {
  const from = await realpath(input).catch(() => resolve(input));
  const to = await realpath(out).catch(() => resolve(out));
  if (from === to || from.startsWith(to + sep))
    throw new ArgumentError(`augmentFolder: expected an output folder that does not hold the photos, got ${out} for photos in ${input}`);
}

/** Marks the folder as one of outputs, or finds out why it cannot be. */
async function takeFolder(out: string, settings: BatchSettings, replace: boolean): Promise<void> {
  await mkdir(out, { recursive: true });
  const marker = `${JSON.stringify({ version: 1, ...settings, compressionLevel: undefined }, undefined, 2)}\n`;
  const path = join(out, markerName);
  const found = await readFile(path, "utf8").catch(() => undefined);
  if (found === undefined) {
    const others = (await readdir(out)).filter((name) => !name.endsWith(partial));
    if (others.length > 0)
      throw new BatchError("not-ours", `augmentFolder: expected an empty folder, or one of an earlier run, got ${out} with ${others.length} entries`);
  } else if (found !== marker && !replace) {
    throw new BatchError(
      "other-settings",
      `augmentFolder: expected the settings of the run that ${out} is of, got others: take another folder, or replace`,
    );
  }
  if (found !== marker) await writeWhole(path, Buffer.from(marker));
  await removeUnfinished(out);
}

/** What a run that was killed left half written. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) if (name.endsWith(partial)) await rm(join(folder, name), { force: true });
}

async function* drawSheets(
  out: string,
  products: readonly ProductFile[],
  settings: BatchSettings,
  failed: ReadonlySet<string>,
  signal?: AbortSignal,
): AsyncGenerator<BatchEvent, void, void> {
  const made = products.filter(({ id }) => !failed.has(id));
  await mkdir(join(out, sheetFolder), { recursive: true });
  for (let first = 0, sheet = 1; first < made.length; first += rowsPerSheet, sheet++) {
    signal?.throwIfAborted();
    const rows = made.slice(first, first + rowsPerSheet).map(({ id, image }): SheetRow => {
      const variants = variantFiles(out, id, settings.variants).map(({ image: picture }, index) => ({
        picture,
        caption: `_${String(index).padStart(2, "0")} ${index < settings.variants - settings.views ? "degraded" : "view"}`,
      }));
      return { title: id, cells: [{ picture: image, caption: "photo" }, ...variants] };
    });
    const file = join(out, sheetFolder, `sheet-${String(sheet).padStart(3, "0")}.png`);
    await writeWhole(file, await contactSheet(rows));
    yield { type: "sheet", file: relative(out, file) };
  }
}
