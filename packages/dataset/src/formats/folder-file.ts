import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatasetError } from "../error.js";
import { entryPath } from "./names.js";
import { defaultMaxFileBytes, type ReadOptions, type StoredFile } from "./stored.js";

/** The file of a relative name; nothing is read yet. */
export type PathToFile = (where: string, name: string) => StoredFile;

/**
 * Files of a folder by the names that a list gives them.
 *
 * @throws DatasetError when called: `refused` for names that leave the folder; when read: `format` if the file is missing or no file, `too-large`
 */
export function folderFiles(folder: string, { maxFileBytes = defaultMaxFileBytes }: ReadOptions): PathToFile {
  return (where, name) => {
    const path = join(folder, entryPath(where, name));
    return {
      where: `${where}: ${path}`,
      async read() {
        const status = await stat(path).catch((error: unknown) => {
          throw new DatasetError("format", `${where}: expected a file ${path}, got none`, { cause: error });
        });
        if (!status.isFile()) throw new DatasetError("format", `${where}: expected a file, got something else: ${path}`);
        if (status.size > maxFileBytes)
          throw new DatasetError("too-large", `${where}: expected files of at most ${maxFileBytes} bytes, got ${status.size}: ${path}`);
        return readFile(path);
      },
    };
  };
}
