import { createHash } from "node:crypto";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import type { Rejection, StageContext } from "../contract.js";
import { shortHash } from "../ledger/hash.js";
import { bake } from "../run/bake.js";
import { keyOf } from "../run/folder-source.js";
import type { IncomingItem } from "../run/incoming.js";

/** What a source says of a picture. */
export interface PictureNotes {
  readonly captions?: readonly string[];
  readonly category?: string;
  readonly licence?: string;
}

export interface PictureItem extends PictureNotes {
  readonly location: string;
  /** Changes when the bytes change. Default their digest. */
  readonly input?: string;
  /** The file, there already or still to be had. */
  readonly bytes: Uint8Array | ((context: StageContext) => Promise<PictureBytes | { readonly rejected: Rejection }>);
}

export interface PictureBytes {
  readonly bytes: Uint8Array;
  readonly robots?: readonly string[];
}

/** An item of a source that holds pictures and at most words about them. */
export function pictureItem(item: PictureItem, source: SourceSettings, prefix: string, limits: IngestSettings): IncomingItem {
  const { location, bytes, captions = [], category = source.category, licence = source.licence } = item;
  const notes = JSON.stringify([captions, category ?? null, licence ?? null]);
  return {
    key: keyOf(prefix, location),
    location,
    input: shortHash(item.input ?? digest(bytes as Uint8Array), notes),
    async ingest(context) {
      const found: PictureBytes | { readonly rejected: Rejection } = typeof bytes === "function" ? await bytes(context) : { bytes };
      if ("rejected" in found) return { outcome: "rejected", reasons: [found.rejected] };
      const baked = await bake(found.bytes, context.files, limits);
      if ("rejected" in baked) return { outcome: "rejected", reasons: baked.rejected };
      const { orientation, format, ...rest } = baked;
      const provenance = {
        kind: source.kind,
        location,
        sha256: digest(found.bytes),
        orientation,
        format,
        ...(licence !== undefined && { licence }),
        ...(found.robots && found.robots.length > 0 && { robots: found.robots }),
      };
      return { outcome: "done", row: { provenance, ...rest, ...(category !== undefined && { category }), ...(captions.length > 0 && { captions }) } };
    },
  };
}

/** An entry that cannot come in, listed with its reason. */
export function refusedItem(location: string, reason: Rejection, prefix: string): IncomingItem {
  return {
    key: keyOf(prefix, location),
    location,
    input: shortHash(reason.code, reason.message),
    ingest: async () => ({ outcome: "rejected", reasons: [reason] }),
  };
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Captions and the like from a row of another tool's table; what is not text is not taken. */
export function notesOf(row: Readonly<Record<string, unknown>>): PictureNotes {
  const first = (...names: readonly string[]) =>
    names.map((name) => row[name]).find((value) => typeof value === "string" && value.trim() !== "") as string | undefined;
  const listed = [row.captions, row.image_text, row.text, row.caption, row.TEXT].find((value) => value !== undefined && value !== null);
  const captions = (Array.isArray(listed) ? listed : [listed]).filter((value): value is string => typeof value === "string" && value.trim() !== "");
  const category = first("category", "image_type", "label");
  const licence = first("licence", "license", "LICENSE");
  return { ...(captions.length > 0 && { captions }), ...(category !== undefined && { category }), ...(licence !== undefined && { licence }) };
}
