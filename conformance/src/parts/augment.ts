import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult, Part } from "../case.js";
import { degradations } from "./augment/degradations.js";
import { lifts } from "./augment/lift.js";
import { failed, messageOf } from "./augment/recording.js";
import { renders } from "./augment/renders.js";
import { splatFiles } from "./augment/splat-files.js";

/** What runs the cases of each folder of the part. */
const parts: Readonly<Record<string, (folder: string) => AsyncIterable<CaseResult>>> = {
  files: splatFiles,
  image: degradations,
  scene: lifts,
  splat: renders,
};

/** Splat files, pictures and gradients of splats, degradations, lifted views: every folder of the part. */
export const augment: Part = async function* (folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.filter((each) => !each.isFile()).sort((a, b) => a.name.localeCompare(b.name))) {
    const run = parts[entry.name];
    if (!run) {
      yield failed(entry.name, "a folder of no known cases");
      continue;
    }
    try {
      yield* run(join(folder, entry.name));
    } catch (error) {
      yield failed(`${entry.name} (whole folder)`, messageOf(error));
    }
  }
};
