import { createHash } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { encodeImage } from "@refadgen/image";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import type { FileStore, IngestRow, StageOutcome, Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { readAuthors } from "../formats/authors-read.js";
import { readImageFolder } from "../formats/image-folder-read.js";
import { readParquet } from "../formats/parquet-read.js";
import type { BrokenTriplet } from "../formats/stored.js";
import { readWebDataset } from "../formats/webdataset-read.js";
import { shortHash } from "../ledger/hash.js";
import { bake } from "./bake.js";
import { keyOf } from "./folder-source.js";
import type { IncomingItem, IncomingSource } from "./incoming.js";

type TripletKind = "webdataset" | "parquet" | "image-folder" | "authors";

/** A data set of triplets that is there already: its masks, products and captions come along. */
export function tripletSource(source: SourceSettings & { readonly kind: TripletKind }, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    async state() {
      const hash = createHash("sha256");
      for (const path of await pathsOf(source.path)) {
        const { size, mtimeMs, ctimeMs } = await lstat(path);
        hash.update(JSON.stringify([path.slice(source.path.length), size, mtimeMs, ctimeMs]));
      }
      return hash.digest("hex");
    },
    async *items(signal) {
      const broken: BrokenTriplet[] = [];
      const options = {
        ...(signal && { signal }),
        ...(limits.maxPixels !== undefined && { maxPixels: limits.maxPixels }),
        onBroken: (one: BrokenTriplet) => void broken.push(one),
      };
      for await (const triplet of read(source, options)) {
        for (const one of broken.splice(0)) yield brokenItem(one, prefix);
        yield item(triplet, source, prefix, limits);
      }
      for (const one of broken.splice(0)) yield brokenItem(one, prefix);
    },
  };
}

function read(source: { readonly kind: TripletKind; readonly path: string }, options: object): AsyncIterable<Triplet> {
  const readers = { webdataset: readWebDataset, parquet: readParquet, "image-folder": readImageFolder, authors: readAuthors };
  return readers[source.kind](source.path, options);
}

function item(triplet: Triplet, source: SourceSettings & { readonly kind: TripletKind }, prefix: string, limits: IngestSettings): IncomingItem {
  const { key, ad, product, mask, captions, category } = triplet;
  const hash = createHash("sha256");
  for (const part of [ad.bytes, product.bytes, mask.data, Buffer.from(JSON.stringify([captions, category]))])
    hash.update(`${part.length}:`).update(part);
  return {
    key: prefix === "" ? key : `${prefix}-${key}`,
    location: key,
    input: hash.digest("hex"),
    ingest: ({ files }) => taken(triplet, source, files, limits),
  };
}

async function taken(
  { key, ad, product, mask, captions, category }: Triplet,
  source: SourceSettings & { readonly kind: TripletKind },
  files: FileStore,
  limits: IngestSettings,
): Promise<StageOutcome<IngestRow>> {
  // Sizes stay: a mask and a product belong to the picture's.
  const { maxSide: _, ...bounds } = limits;
  const baked = await bake(ad.bytes, files, bounds);
  if ("rejected" in baked) return { outcome: "rejected", reasons: baked.rejected };
  const { orientation, format, ...rest } = baked;
  if (rest.width !== mask.width || rest.height !== mask.height)
    return {
      outcome: "rejected",
      reasons: [{ code: "mask-size", message: `the mask is ${mask.width} × ${mask.height}, the picture ${rest.width} × ${rest.height}` }],
    };
  const cut = await bake(product.bytes, files, bounds);
  const same = !("rejected" in cut) && cut.width === rest.width && cut.height === rest.height;
  const { width, height } = mask;
  const grey = await encodeImage({ width, height, channels: 1, data: mask.data.map((value) => value * 255) }, { format: "png" });
  const sha256 = createHash("sha256").update(ad.bytes).digest("hex");
  return {
    outcome: "done",
    row: {
      provenance: { kind: source.kind, location: key, sha256, orientation, format, ...(source.licence !== undefined && { licence: source.licence }) },
      ...rest,
      category: category === "" ? (source.category ?? category) : category,
      captions,
      mask: await files.put(grey, "image/png"),
      ...(same && { product: cut.picture }),
    },
  };
}

function brokenItem({ where, error }: { readonly where: string; readonly error: Error }, prefix: string): IncomingItem {
  return {
    key: keyOf(prefix, where),
    location: where,
    input: shortHash(error.message),
    ingest: () =>
      Promise.resolve({ outcome: "rejected", reasons: [{ code: DatasetError.isInstance(error) ? error.code : "format", message: error.message }] }),
  };
}

async function pathsOf(path: string): Promise<string[]> {
  let status: Awaited<ReturnType<typeof lstat>>;
  try {
    status = await lstat(path);
  } catch (error) {
    throw new DatasetError("unreadable", `ingest: cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (!status.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
