import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { IngestSettings, RunConfig, SourceSettings } from "../config/run-config.js";
import { readTar } from "../formats/tar-read.js";
import { sampleName } from "../formats/webdataset-sample.js";
import { imageFolderSource, metadataFiles, rowsOf } from "../ingest/image-folder.js";
import { parquetColumnsOf, parquetSource } from "../ingest/parquet.js";
import { archives, tarSource } from "../ingest/tar.js";
import { urlListSource } from "../ingest/url-list.js";
import { folderSource } from "./folder-source.js";
import type { IncomingSource } from "./incoming.js";
import { tripletSource } from "./triplet-source.js";

/** The sources of a config, in its order. */
export function openSources(config: RunConfig): readonly IncomingSource[] {
  return config.sources.map((source, index) => {
    const prefix = source.name ?? (config.sources.length > 1 ? `s${index}` : "");
    return openSource(source, prefix, config.ingest ?? {});
  });
}

function openSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  const { kind } = source;
  switch (kind) {
    case "folder":
      return folderSource(source, prefix, limits);
    case "url-list":
      return urlListSource(source, prefix, limits);
    case "tar":
      return tarSource(source, prefix, limits);
    case "authors":
      return tripletSource({ ...source, kind }, prefix, limits);
    case "webdataset":
      return chosen(async () =>
        (await hasMasksInTar(source.path)) ? tripletSource({ ...source, kind }, prefix, limits) : tarSource(source, prefix, limits),
      );
    case "parquet":
      return chosen(async () => {
        const triplets = (await parquetColumnsOf(source.path)).includes("mask");
        return triplets ? tripletSource({ ...source, kind }, prefix, limits) : parquetSource(source, prefix, limits);
      });
    case "image-folder":
      return chosen(async () =>
        (await hasMasksInTable(source.path)) ? tripletSource({ ...source, kind }, prefix, limits) : imageFolderSource(source, prefix, limits),
      );
  }
}

/** The same formats hold triplets and pictures alone; which of them is looked up when the source is first asked. */
function chosen(choose: () => Promise<IncomingSource>): IncomingSource {
  let choice: Promise<IncomingSource> | undefined;
  const made = (): Promise<IncomingSource> => {
    choice ??= choose();
    return choice;
  };
  return {
    state: async () => (await made()).state(),
    async *items(signal) {
      yield* (await made()).items(signal);
    },
  };
}

async function hasMasksInTable(folder: string): Promise<boolean> {
  for (const table of await metadataFiles(folder))
    for await (const { row } of rowsOf(table)) return row !== undefined && Object.hasOwn(row, "mask_file_name");
  return false;
}

/** Whether the first sample has a mask. */
async function hasMasksInTar(path: string): Promise<boolean> {
  for (const archive of await archives(path)) {
    const stream = createReadStream(archive);
    try {
      let key: string | undefined;
      for await (const entry of readTar(/\.(tgz|gz)$/i.test(archive) ? stream.pipe(createGunzip()) : stream, { onRefused: () => undefined })) {
        const name = sampleName(entry.path);
        if (!name) continue;
        key ??= name.key;
        if (name.key !== key) return false;
        if (/^mask\./.test(name.suffix)) return true;
      }
    } catch {
      // What is wrong with it is told when it is read.
      return false;
    } finally {
      stream.destroy();
    }
  }
  return false;
}
