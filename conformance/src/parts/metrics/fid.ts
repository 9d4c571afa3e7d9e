import { type InceptionInput, type InceptionLevel, loadInception } from "@refadgen/metrics";
import { type Comparison, compareRecorded } from "../../compare.js";
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
