import { createReadStream } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import { entryPath } from "../formats/names.js";
import type { IncomingItem, IncomingSource } from "../run/incoming.js";
import { notesOf, pictureItem, refusedItem } from "./picture-item.js";

/** The tables of a folder in Hugging Face's ImageFolder layout, in its splits too. */
export async function metadataFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /^metadata\.(jsonl|csv)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Pictures with words about them: `metadata.jsonl` or `.csv` with `file_name` and, if there are, `text` (`caption`), `category` (`label`), `license`. */
export function imageFolderSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    // Pictures may change while the table stays.
    state: async () => undefined,
    async *items(signal) {
      const { maxBytes = 30e6 } = limits;
      for (const table of await metadataFiles(source.path)) {
        const name = relative(source.path, table);
        for await (const { row, line } of rowsOf(table)) {
          signal?.throwIfAborted();
          const where = `${name}, row ${line}`;
          if (!row) {
            yield refusedItem(where, { code: "format", message: `${where} cannot be read` }, prefix);
            continue;
          }
          yield await item(row, where, table, maxBytes);
        }
      }

      async function item(row: Readonly<Record<string, unknown>>, where: string, table: string, maxBytes: number): Promise<IncomingItem> {
        const file = row.file_name ?? row.ad_file_name;
        if (typeof file !== "string" || file === "") return refusedItem(where, { code: "format", message: `${where} has no file_name` }, prefix);
        try {
          const inside = entryPath(where, file);
          const path = join(dirname(table), inside);
          const status = await lstat(path);
          if (!status.isFile()) return refusedItem(where, { code: "refused", message: `${where}: expected a regular file, got ${inside}` }, prefix);
          if (status.size > maxBytes)
            return refusedItem(where, { code: "too-large", message: `${where}: expected at most ${maxBytes} bytes, got ${status.size}` }, prefix);
          const bytes = await readFile(path);
          return pictureItem({ location: relative(source.path, path), bytes, ...notesOf(row) }, source, prefix, limits);
        } catch (error) {
          const code = Reflect.get(Object(error), "code") === "ENOENT" ? "missing-file" : "refused";
          return refusedItem(where, { code, message: `${where}: ${(error as Error).message}` }, prefix);
        }
      }
    },
  };
}

interface Row {
  readonly row?: Readonly<Record<string, unknown>>;
  readonly line: number;
}

/** Rows of a table from 1. */
export async function* rowsOf(path: string): AsyncGenerator<Row, void, void> {
  let line = 0;
  if (path.endsWith(".csv")) {
    const parser = createReadStream(path).pipe(
      parse({ columns: true, bom: true, skip_empty_lines: true, relax_column_count: true, max_record_size: 65_536 }),
    );
    for await (const row of parser as AsyncIterable<Record<string, unknown>>) yield { row, line: ++line };
    return;
  }
  for await (const text of createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text.trim() === "") continue;
    line++;
    try {
      const value: unknown = JSON.parse(text);
      yield typeof value === "object" && value !== null ? { row: value as Record<string, unknown>, line } : { line };
    } catch {
      yield { line };
    }
  }
}
