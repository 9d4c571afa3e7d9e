import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { miniTriplet, writeMini } from "@refadgen/dataset";
import { saveImage } from "@refadgen/image";
import type { MiniSettings } from "./dataset-actions.js";

/** AdProd-Mini as a data set, or its ads alone, as a shop would have them. */
export async function writeMiniSet(folder: string, settings: MiniSettings, signal: AbortSignal): Promise<void> {
  const { count, size, seed, format, quiet = false } = settings;
  const tell = (done: number) => {
    if (!quiet && done % 50 === 0) process.stderr.write(`${done} of ${count}\n`);
  };
  if (format !== "pictures") {
    await writeMini(folder, count, { seed, ...size, format, signal, onProgress: ({ done }) => tell(done) });
    process.stdout.write(`${folder}\n`);
    return;
  }
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    const { key, category, ad } = miniTriplet(index, { seed, ...size });
    const path = join(folder, category.replaceAll(" ", "-"), `${key}.jpg`);
    await mkdir(join(folder, category.replaceAll(" ", "-")), { recursive: true });
    await saveImage(ad.image, path, { quality: 92 });
    tell(index + 1);
  }
  process.stdout.write(`${folder}\n`);
}
