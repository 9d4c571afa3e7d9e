// node dist/filter/fit-detectors.test.support.js [--ads 480] [--seed fit] [--out src/score]: fits the trees of text, watermarks and occluders on AdProd-Mini
// with faults of two makers, and writes them as source. Takes about a quarter of an hour on two cores and 3 GB.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "../mini/random.js";
import { miniTriplet } from "../mini/triplet.js";
import { occlusionFeatures } from "../score/occlusion-features.js";
import { strokeFeatures } from "../score/stroke-features.js";
import { type Trees, treesProbability } from "../score/trees.js";
import { watermarkEvidence, watermarkFeatures } from "../score/watermark-evidence.js";
import type { Style } from "./faults.test.support.js";
import { type Examples, type FitOptions, fitTrees } from "./fit.test.support.js";
import { occlusionExample, type PictureExamples, sizedAdvert, spoilt, strokeExamples } from "./fit-examples.test.support.js";

interface AdExamples {
  readonly key: string;
  readonly pictures: readonly PictureExamples[];
  readonly outlines: readonly { readonly values: Float32Array; readonly occluded: boolean }[];
}

const options = {
  strokes: { depth: 5, trees: 120, rate: 0.15, leastWeight: 20, shrink: 10 },
  watermark: { depth: 3, trees: 60, rate: 0.12, leastWeight: 6, shrink: 6 },
  occlusion: { depth: 3, trees: 220, rate: 0.06, leastWeight: 5, shrink: 6 },
} as const satisfies Readonly<Record<string, FitOptions>>;

const { values } = parseArgs({
  options: { ads: { type: "string", default: "480" }, seed: { type: "string", default: "fit" }, out: { type: "string", default: "src/score" } },
});

const all: AdExamples[] = [];
for (let index = 0; index < Number(values.ads); index++) {
  // Three quarters with the styles to tune on; all of them where nothing is held out.
  all.push(await examplesOf(index, index % 4 === 3 ? "held-out" : "tune"));
  process.stderr.write(`\r${index + 1} ads `);
}
const halves = [all.filter((_, index) => index % 2 === 0), all.filter((_, index) => index % 2 === 1)];
const strokesOf = (ads: readonly AdExamples[]) => ({
  mark: fitTrees(strokeRows(ads, "watermark"), options.strokes),
  letter: fitTrees(strokeRows(ads, "text"), options.strokes),
});
// What strokes say together is learnt from strokes that the trees of the other half judge: they would be too sure of their own.
const [even, odd] = halves.map(strokesOf);
const strokes = strokesOf(all);
await write("mark-trees", "markTrees", strokes.mark);
await write("text-trees", "textTrees", strokes.letter);
await write(
  "watermark-trees",
  "watermarkTrees",
  fitTrees(watermarkRows([...judged(halves[0]!, odd!), ...judged(halves[1]!, even!)]), options.watermark),
);
await write("occlusion-trees", "occlusionTrees", fitTrees(outlineRows(all), options.occlusion));

async function examplesOf(index: number, style: Style): Promise<AdExamples> {
  const wide = index % 7 === 3;
  const { key, ad } = miniTriplet(index, { seed: values.seed, width: wide ? 640 : 512, height: wide ? 512 : 640 });
  const advert = sizedAdvert(ad, key);
  const pictures = [strokeExamples({ ...advert, how: "clean" }, "clean")];
  for (const kind of ["watermark", "text"] as const) pictures.push(strokeExamples(await spoilt(advert, kind, style, key), kind));
  const outlines = [{ values: occlusionExample(advert), occluded: false }];
  for (let fault = 0; fault < 2; fault++)
    outlines.push({ values: occlusionExample(await spoilt(advert, "occlusion", style, `${key}${fault}`)), occluded: true });
  return { key, pictures, outlines: outlines.flatMap((one) => (one.values ? [{ ...one, values: one.values }] : [])) };
}

/** Strokes of clean pictures and of those with this fault; the other fault is neither, and print on the product is text of its own. */
function strokeRows(ads: readonly AdExamples[], target: "watermark" | "text"): Examples {
  const f = strokeFeatures.length;
  const rows: { readonly values: Float32Array; readonly label: number; readonly weight: number }[] = [];
  for (const { key, pictures } of ads)
    for (const { kind, pixels, sets } of pictures) {
      if (kind !== "clean" && kind !== target) continue;
      const draw = random("strokes", key, kind, target);
      for (const set of sets) {
        const slots = [...set.areas.keys()].filter((slot) => target === "watermark" || set.inside[slot]! <= 0.5);
        const take = (chosen: readonly number[], label: number, most: number, weight: number) => {
          for (const slot of chosen)
            if (draw.chance(most / chosen.length))
              rows.push({
                values: set.values.subarray(slot * f, (slot + 1) * f),
                label,
                weight: weight * Math.min(3, 100 * Math.sqrt(set.areas[slot]! / pixels)),
              });
        };
        take(
          slots.filter((slot) => set.covered[slot]! >= 0.6),
          1,
          150,
          1,
        );
        take(
          slots.filter((slot) => set.covered[slot]! < 0.15),
          0,
          kind === "clean" ? 200 : 80,
          kind === "clean" ? 1.5 : 0.7,
        );
      }
    }
  return table(strokeFeatures, rows);
}

function judged(ads: readonly AdExamples[], { mark, letter }: { readonly mark: Trees; readonly letter: Trees }) {
  return ads.flatMap(({ pictures }) =>
    pictures
      .filter(({ kind }) => kind !== "text")
      .map(({ kind, sets, pixels }) => {
        const evidence = watermarkEvidence(
          sets.map(({ areas, chains, values: features }) => ({
            areas,
            chains,
            mark: judge(mark, features, areas),
            letter: judge(letter, features, areas),
          })),
          pixels,
        );
        return { values: Float32Array.from(watermarkFeatures, (name) => evidence[name]), label: kind === "watermark" ? 1 : 0, weight: 1 };
      }),
  );
}

function judge(trees: Trees, features: Float32Array, areas: Float32Array): Float32Array {
  return Float32Array.from(areas, (_, slot) => treesProbability(trees, features, slot * strokeFeatures.length));
}

function watermarkRows(rows: ReturnType<typeof judged>): Examples {
  return table(watermarkFeatures, rows);
}

function outlineRows(ads: readonly AdExamples[]): Examples {
  return table(
    occlusionFeatures,
    ads.flatMap(({ outlines }) => outlines.map(({ values: row, occluded }) => ({ values: row, label: occluded ? 1 : 0, weight: 1 }))),
  );
}

function table(
  features: readonly string[],
  rows: readonly { readonly values: Float32Array; readonly label: number; readonly weight: number }[],
): Examples {
  const flat = new Float32Array(rows.length * features.length);
  for (const [row, one] of rows.entries()) flat.set(one.values, row * features.length);
  return {
    features,
    values: flat,
    labels: Uint8Array.from(rows, ({ label }) => label),
    weights: Float32Array.from(rows, ({ weight }) => weight),
  };
}

async function write(file: string, name: string, { depth, features, bias, table: numbers }: Trees): Promise<void> {
  const path = join(values.out, `${file}.ts`);
  const rounded = numbers.map((value) => Number(value.toPrecision(4)));
  await writeFile(
    `${path}.new`,
    `import type { Trees } from "./trees.js";\n\n/** Fitted by \`fit-detectors.test.support.ts\`. */\nexport const ${name}: Trees = {\n  depth: ${depth},\n  features: ${JSON.stringify(features)},\n  bias: ${bias},\n  table: ${JSON.stringify(rounded)},\n};\n`,
  );
  await rename(`${path}.new`, path);
}
