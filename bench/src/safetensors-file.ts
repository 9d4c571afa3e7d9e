import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { elementCount, formulaTensor } from "@refadgen/graph";

/** One tensor of formula weights. */
export interface FormulaEntry {
  /** Its name in the file, which with the salt gives its values. */
  readonly name: string;
  readonly dims: readonly number[];
}

/**
 * Writes formula weights as float32 into a safetensors file, one tensor in memory at a time; a file of that size that is there is kept.
 *
 * @returns its size in bytes
 */
export async function writeFormulaFile(
  path: string,
  { salt, entries, onProgress }: { readonly salt: string; readonly entries: readonly FormulaEntry[]; readonly onProgress: (bytes: number) => void },
): Promise<number> {
  const header = safetensorsHeader(entries);
  const size = formulaFileBytes(entries);
  if ((await stat(path).catch(() => undefined))?.size === size) return size;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.partial`;
  try {
    const file = await open(draft, "w");
    try {
      await write(file, header);
      for (const { name, dims } of entries) {
        const bytes = await formulaTensor(salt, name, dims).read();
        await write(file, bytes);
        onProgress(bytes.length);
      }
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return size;
}

/** The size of the file, header included. */
export function formulaFileBytes(entries: readonly FormulaEntry[]): number {
  return safetensorsHeader(entries).length + entries.reduce((sum, { dims }) => sum + elementCount(dims) * 4, 0);
}

function safetensorsHeader(entries: readonly FormulaEntry[]): Buffer {
  let offset = 0;
  const table = entries.map(({ name, dims }) => {
    const begin = offset;
    offset += elementCount(dims) * 4;
    return [name, { dtype: "F32", shape: dims, data_offsets: [begin, offset] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(table));
  // Spaces up to a multiple of 8, so that the values are aligned.
  const json = Buffer.from(text + " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

async function write(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}
