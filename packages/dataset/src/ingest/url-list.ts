import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import type { StageContext } from "../contract.js";
import { DatasetError } from "../error.js";
import type { IncomingItem, IncomingSource } from "../run/incoming.js";
import { FetchError } from "./fetch/fetch-error.js";
import type { Fetcher } from "./fetch/safe-fetch.js";
import { notesOf, type PictureBytes, pictureItem, refusedItem } from "./picture-item.js";

const longestLine = 65_536;
/** Kinds of refusal that belong to the address and not to the moment. */
const lasting: ReadonlySet<string> = new Set(["refused", "too-large"]);

/**
 * A list of addresses: `.txt` with one a line, `.csv` or `.tsv` with a heading, `.jsonl`. Columns: `url`, and if there are `caption` (`text`), `category`,
 * `licence`, `sha256` of the bytes. An address is fetched once; the answer is what the item is from then on.
 */
export function urlListSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    async state() {
      const { size, mtimeMs, ctimeMs } = await listed(source.path);
      return createHash("sha256")
        .update(JSON.stringify([size, mtimeMs, ctimeMs]))
        .digest("hex");
    },
    async *items(signal) {
      await listed(source.path);
      // The HTTP client takes longer to load than everything else here, and most runs do not need it.
      const { createFetcher } = await import("./fetch/safe-fetch.js");
      const fetcher = createFetcher({
        ...(limits.maxBytes !== undefined && { maxBytes: limits.maxBytes }),
        ...(limits.timeout !== undefined && { timeout: limits.timeout }),
        ...(limits.allowPrivate && { privateHosts: "all" }),
      });
      const seen = new Set<string>();
      try {
        for await (const { row, line } of rows(source.path)) {
          signal?.throwIfAborted();
          yield row ? addressItem(row, line) : refusedItem(`line ${line}`, { code: "format", message: `line ${line} cannot be read` }, prefix);
        }
      } finally {
        await fetcher.dispose();
      }

      function addressItem(row: Readonly<Record<string, unknown>>, line: number): IncomingItem {
        const url = [row.url, row.URL, row.image_url].find((value) => typeof value === "string") as string | undefined;
        if (url === undefined || url.trim() === "")
          return refusedItem(`line ${line}`, { code: "format", message: `line ${line} has no url` }, prefix);
        const address = url.trim();
        if (seen.has(address))
          return refusedItem(`line ${line}`, { code: "repeated", message: `line ${line} repeats an address: ${shown(address)}` }, prefix);
        seen.add(address);
        const sha256 = typeof row.sha256 === "string" && row.sha256 !== "" ? row.sha256.toLowerCase() : undefined;
        const item = {
          location: address,
          input: sha256 ?? address,
          bytes: (context: StageContext) => fetched(fetcher, address, sha256, context),
          ...notesOf(row),
        };
        return pictureItem(item, source, prefix, limits);
      }
    },
  };
}

async function fetched(
  fetcher: Fetcher,
  url: string,
  sha256: string | undefined,
  { signal }: StageContext,
): Promise<PictureBytes | { readonly rejected: { readonly code: string; readonly message: string } }> {
  try {
    const { bytes, robots } = await fetcher.fetch(url, signal ? { signal } : {});
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (sha256 !== undefined && actual !== sha256)
      return { rejected: { code: "other-content", message: `${shown(url)} has the sha256 ${actual}, the list says ${sha256}` } };
    return { bytes, robots };
  } catch (error) {
    if (!(error instanceof FetchError) || !(lasting.has(error.code) || /^http-4(04|10|51)$/.test(error.reason) || error.reason === "content-type"))
      throw error;
    return { rejected: { code: error.reason, message: error.message } };
  }
}

const shown = (url: string) => JSON.stringify(url.slice(0, 200));

async function listed(path: string): ReturnType<typeof lstat> {
  const status = await lstat(path).catch((error: Error) => {
    throw new DatasetError("unreadable", `ingest: cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (!status.isFile()) throw new DatasetError("unreadable", `ingest: expected a list of addresses, got ${path}`);
  return status;
}

interface Row {
  /** Absent where the line cannot be read. */
  readonly row?: Readonly<Record<string, unknown>>;
  readonly line: number;
}

async function* rows(path: string): AsyncGenerator<Row, void, void> {
  const extension = extname(path).toLowerCase();
  if (extension === ".csv" || extension === ".tsv") {
    const options = { columns: true, bom: true, skip_empty_lines: true, relax_column_count: true, info: true, max_record_size: longestLine } as const;
    const parser = createReadStream(path).pipe(parse({ ...options, delimiter: extension === ".tsv" ? "\t" : "," }));
    try {
      for await (const { record, info } of parser as AsyncIterable<{ record: Record<string, unknown>; info: { lines: number } }>)
        yield { row: record, line: info.lines };
    } catch (error) {
      throw new DatasetError("format", `${path}: ${(error as Error).message}`, { cause: error });
    }
    return;
  }
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    const trimmed = text.replace(/^\uFEFF/, "").trim();
    if (trimmed === "" || (extension !== ".jsonl" && trimmed.startsWith("#"))) continue;
    yield extension === ".jsonl" ? { ...(trimmed.length <= longestLine && objectIn(trimmed)), line } : { row: { url: trimmed }, line };
  }
}

function objectIn(text: string): { readonly row?: Readonly<Record<string, unknown>> } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { row: value as Record<string, unknown> } : {};
  } catch {
    return {};
  }
}
