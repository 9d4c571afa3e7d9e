import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";
import type { ReadContext } from "./limits.js";
import { unpickle } from "./pickle.js";
import { type PytorchFile, pytorchFile, torchPickle } from "./pytorch-file.js";
import type { TorchStorage } from "./torch-object.js";
import type { StorageBytes } from "./torch-tensor.js";
import { scriptChildren } from "./torchscript.js";
import { isStored, locateRecord, readRecord, type ZipEntry } from "./zip.js";

/** Whether a zip file's entries are those of `torch.save` or `torch.jit.save`, whole or not. */
export function looksLikePytorch(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return [...entries.keys()].some((name) => /^[^/]+\/(data\.pkl|constants\.pkl|version|byteorder|data\/\d+)$/.test(name));
}

/**
 * Reads a zip file of `torch.save` (pytorch/pytorch torch/serialization.py): one top folder with `data.pkl`, storages under `data/`, perhaps
 * `byteorder`. With `constants.pkl` it is a TorchScript archive. Throws a `WeightsError`.
 */
export async function readPytorchZip(file: WeightFile, entries: ReadonlyMap<string, ZipEntry>, context: ReadContext): Promise<PytorchFile> {
  const { path } = file;
  const tops = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name)).map((name) => name.slice(0, -"/data.pkl".length));
  const [top] = tops;
  if (top === undefined || tops.length > 1)
    throw new WeightsError("malformed", `${path}: expected one data.pkl in one top folder, got ${tops.length}`);
  const record = (name: string) => {
    const entry = entries.get(`${top}/${name}`);
    return entry && locateRecord(file, entry);
  };

  const order = await record("byteorder");
  const byteOrder = order ? (await readRecord(file, order, { maximum: 64 })).toString("latin1").trim() : "little";
  if (byteOrder !== "little" && byteOrder !== "big")
    throw new WeightsError("malformed", `${path}: expected byteorder little or big, got ${byteOrder}`);

  const pickle = await readRecord(file, (await record("data.pkl"))!, { maximum: context.limits.pickleBytes });
  const referred = new Map<string, TorchStorage>();
  const { value } = await unpickle(pickle, torchPickle(path, file.size, context, referred));

  const storages = new Map<string, StorageBytes>();
  for (const [key, storage] of referred) {
    context.signal?.throwIfAborted();
    const found = await record(`data/${key}`);
    if (!found) throw new WeightsError("malformed", `${path}: storage ${JSON.stringify(key)} is not in the archive`);
    if (found.entry.size !== storage.byteLength) {
      throw new WeightsError(
        "malformed",
        `${path}: storage ${JSON.stringify(key)} should have ${storage.byteLength} bytes, the archive has ${found.entry.size}`,
      );
    }
    storages.set(key, {
      offset: isStored(found) ? found.offset : undefined,
      read: async (offset, length) => {
        if (isStored(found)) return file.read(found.offset + offset, length);
        const whole = await readRecord(file, found, { maximum: storage.byteLength });
        return offset === 0 && length === whole.length ? whole : Buffer.from(Uint8Array.from(whole.subarray(offset, offset + length)).buffer);
      },
    });
  }
  const script = entries.has(`${top}/constants.pkl`);
  return pytorchFile(file, value, {
    container: script ? "torchscript" : "zip",
    storages,
    bigEndian: byteOrder === "big",
    context,
    ...(script ? { children: scriptChildren } : {}),
  });
}
