import type { RunConfig } from "./run-config.js";

export interface NewConfigOptions {
  /** Folder of the pictures, relative to the config. */
  readonly pictures: string;
  readonly output: string;
  /** Of all pictures; without it each folder of pictures is named by its category. */
  readonly category?: string;
}

/** A config to begin with, as JSON: the settings that people change first, at their defaults. */
export function newConfig({ pictures, output, category }: NewConfigOptions): string {
  const config: RunConfig & { readonly $schema: string } = {
    $schema: "https://unpkg.com/@refadgen/dataset/config.schema.json",
    sources: [{ kind: "folder", path: pictures, ...(category !== undefined && { category }) }],
    output,
    seed: 0,
    extract: { drivers: [{ name: "given" }, { name: "alpha" }, { name: "plain-background" }, { name: "grabcut" }], confidence: 0.6 },
    caption: { writers: ["source", "template"] },
    augment: { variants: 5, views: 2 },
    split: { test: 0.1 },
    shard: { formats: ["webdataset"], maxTriplets: 1000 },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
