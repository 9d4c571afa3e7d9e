import { createHash } from "node:crypto";
import { decodeImage, encodeImage } from "@refadgen/image";
import type { FileStore, Json, StoredFile, Triplet, TripletPicture } from "../contract.js";
import { DatasetError } from "../error.js";
import { decodeMask } from "../formats/mask-file.js";
import { shortHash } from "../ledger/hash.js";
import type { LedgerEntry } from "../ledger/records.js";
import type { Run } from "../run/create-run.js";
import { onWhite } from "../stages/pictures.js";

/**
 * Keys of the items that are going, in the order in which they are written: drawn, so that each shard has something of everything, and the same every time.
 */
export function shardOrder(run: Run): readonly string[] {
  const drawn: { readonly key: string; readonly draw: string }[] = [];
  for (const { key } of run.ledger.items({ going: true }))
    drawn.push({
      key,
      draw: createHash("sha256")
        .update(JSON.stringify([run.config.seed ?? 0, "shard", key]))
        .digest("base64"),
    });
  return drawn.sort((a, b) => (a.draw < b.draw ? -1 : 1)).map(({ key }) => key);
}

/** Says in one line what would be written: the same line, the same triplets. */
export function tripletsSignature(run: Run, keys: readonly string[]): string {
  const hash = createHash("sha256");
  for (const key of keys) {
    const entry = run.ledger.item(key);
    if (!entry) continue;
    const { split, results, rows } = entry;
    const hashes = results.filter(({ result }) => result.outcome === "done").map(({ stage, hash: own }) => `${stage} ${own}`);
    hash.update(JSON.stringify([key, split, rows.ingest && run.known(rows.ingest).category, hashes]));
  }
  return hash.digest("hex");
}

/** Triplets from the ledger and the store, one at a time. */
export async function* ledgerTriplets(run: Run, keys: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<Triplet, void, void> {
  for (const key of keys) {
    signal?.throwIfAborted();
    const entry = run.ledger.item(key);
    if (!entry) throw new DatasetError("ledger", `shard: ${key} left the ledger while shards were written: start again`);
    yield tripletOf(entry, run);
  }
}

/** @throws DatasetError `ledger` if a stage has not been run; `storage` if a file is missing */
async function tripletOf(entry: LedgerEntry, run: Pick<Run, "files" | "known">): Promise<Triplet> {
  const { key, split, rows } = entry;
  const { ingest, extract, caption, augment, score, inspect } = rows;
  if (!ingest || !extract || !caption || !augment)
    throw new DatasetError("ledger", `shard: ${key} has not been through every stage: start again without --from and --only`);
  const { files } = run;
  const { provenance } = ingest;
  const category = run.known(ingest).category ?? "";
  const [ad, product, mask, ...variants] = await Promise.all([
    opaque(files, ingest.picture),
    pictureOf(files, extract.product),
    maskOf(files, extract.mask, key),
    ...augment.variants.map(async ({ index, kind, product: file, mask: own }) => ({
      index,
      kind,
      product: await pictureOf(files, file),
      ...(own && { mask: await maskOf(files, own, key) }),
    })),
  ]);
  const extra = {
    provenance,
    scores: { ...score, ...inspect },
    extract: { driver: extract.driver, score: extract.score, reasons: extract.reasons },
    caption: { writer: caption.writer },
    records: augment.variants.map(({ record }) => record),
  };
  return {
    key,
    category,
    ad,
    product,
    mask,
    captions: caption.captions,
    variants,
    ...(split && { split }),
    extra: JSON.parse(JSON.stringify(extra)) as { readonly [name: string]: Json },
  };
}

async function pictureOf(files: FileStore, file: StoredFile): Promise<TripletPicture> {
  if (file.type === "application/json") throw new DatasetError("format", `shard: expected a picture, got ${file.type}`);
  return { bytes: await files.get(file), type: file.type };
}

/** Loaders that drop alpha would show what a cut-out hides. */
async function opaque(files: FileStore, file: StoredFile): Promise<TripletPicture> {
  const picture = await pictureOf(files, file);
  if (picture.type === "image/jpeg" || (picture.type === "image/png" && !pngHasAlpha(picture.bytes))) return picture;
  const image = await decodeImage(picture.bytes, { maxPixels: Number.MAX_SAFE_INTEGER });
  if (image.channels !== 2 && image.channels !== 4) return picture;
  return { bytes: await encodeImage(onWhite(image), { format: "png" }), type: "image/png" };
}

/** Colour types 4 and 6 have alpha; 3, a palette, may have. */
function pngHasAlpha(bytes: Uint8Array): boolean {
  return bytes[25] === 4 || bytes[25] === 6 || bytes[25] === 3;
}

async function maskOf(files: FileStore, file: StoredFile, key: string): ReturnType<typeof decodeMask> {
  return decodeMask(`shard: ${key}`, await files.get(file));
}

/** Of the settings that a format's files depend on. */
export function formatSignature(format: string, settings: object, triplets: string): string {
  return shortHash(format, JSON.stringify(settings), triplets);
}
