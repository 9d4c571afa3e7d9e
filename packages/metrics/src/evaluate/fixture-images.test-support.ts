import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Channels, type Image, saveImage } from "@refadgen/image";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder that is gone after the tests of a file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-metrics-test-"));
  folders.push(folder);
  return folder;
}

/** A picture by formula: the same for the same numbers, another for others. */
export function formulaImage(
  seed: number,
  { width = 24, height = 20, channels = 3 }: { width?: number; height?: number; channels?: Channels } = {},
): Image {
  const data = new Uint8Array(width * height * channels);
  for (let index = 0; index < data.length; index++) {
    const [x, y] = [Math.floor(index / channels) % width, Math.floor(index / channels / width)];
    data[index] = Math.round(127.5 + 120 * Math.sin(seed * 1.7 + x * 0.31 + y * 0.17 + (index % channels)));
  }
  return { width, height, channels, data };
}

/** Writes formula pictures: file name → seed. */
export async function writeImages(folder: string, files: Readonly<Record<string, number>>, size?: Parameters<typeof formulaImage>[1]): Promise<void> {
  for (const [name, seed] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await saveImage(formulaImage(seed, size), path);
  }
}
