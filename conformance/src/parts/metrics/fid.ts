import { join } from "node:path";
import { type FidRecipe, fid, fidRecipes, type InceptionInput, type InceptionLevel, loadInception } from "@refadgen/metrics";
import { type Comparison, compareRecorded, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { formulaLookup } from "./formula.js";
import { picture } from "./inputs.js";

interface Settings {
  readonly salt: string;
  readonly weight_gain?: number;
  readonly image: string;
  readonly recipes: Readonly<Record<string, string>>;
}

const inputs: Readonly<Record<string, InceptionInput>> = {
  "pytorch-fid": "pytorch-fid",
  "torch-fidelity": "torch-fidelity",
  "torchmetrics-antialias": "torchmetrics",
  clean: "clean-fid",
};

export async function fidFeatures(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { settings, names } = recording;
  const inception = await loadInception(formulaLookup({ salt: settings.salt, gain: settings.weight_gain ?? 1 }));
  try {
    const image = await picture(folder, settings.image);
    const comparisons: Comparison[] = [];
    for (const recipe of new Set(names.map((name) => name.slice(0, name.lastIndexOf("."))))) {
      const input = inputs[recipe];
      if (!input) throw new Error(`unknown recipe ${recipe}`);
      const recorded = names.filter((name) => name.startsWith(`${recipe}.`));
      const levelOf = (name: string) => {
        const level = name.slice(recipe.length + 1);
        return (Number(level) > 0 ? Number(level) : level) as InceptionLevel;
      };
      const features = await inception.features([image], { input, levels: recorded.map(levelOf) });
      for (const name of recorded)
        comparisons.push(...(await compareRecorded(recording, name, features.get(levelOf(name))!.data, { max: 1e-4, relative: true })));
    }
    return comparisons;
  } finally {
    await inception.dispose();
  }
}

interface FolderCase {
  readonly folders: readonly [string, string];
  readonly salt: string;
  readonly weight_gain?: number;
  readonly batch_size: number;
  readonly recipe: string;
  /** What the package itself answered, by level; or the message of its error. */
  readonly fid: Readonly<Record<string, number | string>>;
  /** The same features through the exact formula. */
  readonly value: Readonly<Record<string, number>>;
}

/** The whole of pytorch-fid on two folders: 1e-4 of the exact value. */
export async function fidFolders(
  { folders, salt, weight_gain: gain = 1, recipe, value, ...recorded }: FolderCase,
  folder: string,
): Promise<Comparison[]> {
  if (!fidRecipes.includes(recipe as FidRecipe)) throw new Error(`unknown recipe ${recipe}`);
  const features = await loadInception(formulaLookup({ salt, gain }));
  try {
    const comparisons: Comparison[] = [];
    const [real, generated] = folders.map((name) => join(folder, name)) as [string, string];
    for (const [name, expected] of Object.entries(value)) {
      const level = Number(name) as InceptionLevel;
      const found = await fid(real, generated, { features, recipe: recipe as FidRecipe, level });
      const allowed = { max: 1e-4 * Math.abs(expected) };
      comparisons.push(compareValues(`${recipe} ${name}`, [found.value], Float64Array.of(expected), allowed));
      const theirs = recorded.fid[name];
      // Where the package gave up there is only the exact value.
      if (typeof theirs === "number")
        comparisons.push(compareValues(`${recipe} ${name}, the package's`, [found.value], Float64Array.of(theirs), allowed));
    }
    return comparisons;
  } finally {
    await features.dispose();
  }
}
