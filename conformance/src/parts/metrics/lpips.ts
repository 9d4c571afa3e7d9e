import type { WeightLookup } from "@refadgen/graph";
import { type Lpips, type LpipsBackbone, type LpipsRecipe, loadLpips } from "@refadgen/metrics";
import { type Comparison, compareRecorded, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { formulaLookup } from "./formula.js";
import { picture } from "./inputs.js";

interface Settings {
  readonly net: LpipsBackbone;
  readonly images: readonly [string, string];
  readonly salt: string;
  readonly weight_gain?: number;
  readonly weight_scale?: number;
  readonly lin_salt: string;
}

/** 1e-5 of the value; where features were scaled down until the epsilons part, 1e-4. */
export async function lpipsDistances(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { settings, names } = recording;
  const { net, salt, weight_gain: gain = 1, weight_scale: scale = 1 } = settings;
  const allowed = scale === 1 ? 1e-5 : 1e-4;
  const backbone = formulaLookup({ salt, gain, scale });
  const open = (lin: WeightLookup | "none" | undefined): Promise<Lpips> =>
    loadLpips(backbone, { backbone: net, ...(lin === undefined ? {} : { lin }) });
  const [first, second] = [await picture(folder, settings.images[0]), await picture(folder, settings.images[1])];
  const comparisons: Comparison[] = [];
  const compare = async (name: string, actual: ArrayLike<number>) => {
    const expected = await recording.values(name);
    for (const [index, value] of expected.entries())
      comparisons.push(compareValues(`${name}[${index}]`, [actual[index]!], Float64Array.of(value), { max: allowed * Math.abs(value) }));
  };

  for (const kind of ["published", "formula"] as const) {
    const keys = names.filter((name) => name.includes(`.${kind}-lin.`));
    if (keys.length === 0) continue;
    const lpips = await open(kind === "published" ? undefined : formulaLookup({ salt: settings.lin_salt, absolute: true }));
    try {
      for (const recipe of ["lpips", "torchmetrics"] satisfies LpipsRecipe[]) {
        const prefix = `${recipe}.${kind}-lin.`;
        if (!keys.some((key) => key.startsWith(prefix))) continue;
        const spatial = keys.some((key) => key.startsWith(`${prefix}spatial`));
        const distances = await lpips.distances([first], [second], { recipe, spatial });
        if (recording.has(`${prefix}total`)) await compare(`${prefix}total`, distances.total);
        if (recording.has(`${prefix}layers`))
          await compare(
            `${prefix}layers`,
            distances.layers.map((layer) => layer[0]!),
          );
        if (spatial) {
          const { absolute, mean } = magnitude(distances.spatial!.data);
          const tolerance = { max: allowed * absolute, rms: allowed * mean };
          comparisons.push(...(await compareRecorded(recording, `${prefix}spatial`, distances.spatial!.data, tolerance)));
        }
      }
    } finally {
      await lpips.dispose();
    }
  }
  if (recording.has("baseline.total")) {
    const lpips = await open("none");
    try {
      await compare("baseline.total", (await lpips.distances([first], [second], { recipe: "lpips" })).total);
    } finally {
      await lpips.dispose();
    }
  }
  return comparisons;
}

function magnitude(values: Float32Array): { readonly absolute: number; readonly mean: number } {
  let [absolute, sum] = [0, 0];
  for (const value of values) {
    absolute = Math.max(absolute, Math.abs(value));
    sum += Math.abs(value);
  }
  return { absolute, mean: sum / values.length };
}
