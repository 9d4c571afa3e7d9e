import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { miniTriplet } from "@refadgen/dataset";
import { ArgumentError } from "@refadgen/errors";
import { saveImage } from "@refadgen/image";
import type { MiniSettings } from "./dataset-actions.js";

/** The ads alone, as a shop would have them. */
export async function writeMiniSet(folder: string, settings: MiniSettings, signal: AbortSignal): Promise<void> {
  const { count, size, seed, format, quiet = false } = settings;
  if (format !== "pictures") throw new ArgumentError(`dataset mini: expected the format pictures, got ${format}`);
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    const { key, category, ad } = miniTriplet(index, { seed, ...size });
    const path = join(folder, category.replaceAll(" ", "-"), `${key}.jpg`);
    await mkdir(join(folder, category.replaceAll(" ", "-")), { recursive: true });
    await saveImage(ad.image, path, { quality: 92 });
    if (!quiet && (index + 1) % 50 === 0) process.stderr.write(`${index + 1} of ${count}\n`);
  }
  process.stdout.write(`${folder}\n`);
}
