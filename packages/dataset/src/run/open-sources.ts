import type { RunConfig } from "../config/run-config.js";
import { DatasetError } from "../error.js";
import { folderSource } from "./folder-source.js";
import type { IncomingSource } from "./incoming.js";
import { tripletSource } from "./triplet-source.js";

/**
 * The sources of a config, in its order.
 *
 * @throws DatasetError `invalid-config` for kinds that cannot be read
 */
export function openSources(config: RunConfig): readonly IncomingSource[] {
  return config.sources.map((source, index) => {
    const prefix = source.name ?? (config.sources.length > 1 ? `s${index}` : "");
    const limits = config.ingest ?? {};
    const { kind } = source;
    if (kind === "folder") return folderSource(source, prefix, limits);
    if (kind === "webdataset" || kind === "parquet" || kind === "image-folder" || kind === "authors")
      return tripletSource({ ...source, kind }, prefix, limits);
    throw new DatasetError("invalid-config", `sources[${index}]: expected folder, webdataset, parquet, image-folder or authors, got ${kind}`);
  });
}
