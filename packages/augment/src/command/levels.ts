import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { decodeImage, type Image, toGrey, toRgb } from "@refadgen/image";
import { writeWhole } from "../batch/augment-product.js";
import { contactSheet, type SheetRow } from "../batch/contact-sheet.js";
import { findProducts } from "../batch/find-products.js";
import { productMask } from "../batch/product-mask.js";
import { degradationNames, degrade, sampleDegradation } from "../degradations/catalogue.js";
import { strengths } from "../degradations/magnitudes.js";
import type { Sample } from "../degradations/sample.js";
import { psnr, ssim } from "../degradations/similarity.js";
import { parameterGenerator } from "../random/generator.js";
import { numberOption, parseArguments, type Subcommand } from "./subcommand.js";

const usage = `Usage: refadgen-augment levels IN [options]

Measures what each degradation leaves of the photos below IN at the strengths 1 to 5, as a Markdown table: SSIM / PSNR in dB, mean over
photos and draws. Masks as for refadgen-augment.

  --draws N      draws per photo and strength (default: 3)
  --only NAME    this degradation only
  --sheets DIR   also write a picture of all strengths for each degradation
`;

export const levelsCommand: Subcommand = {
  name: "levels",
  summary: "SSIM and PSNR of each degradation at the strengths 1 to 5",
  usage,
  async run(args, { stdout, signal }) {
    const parsed = parseArguments("levels", args, { draws: { type: "string" }, only: { type: "string" }, sheets: { type: "string" } });
    const [input, ...more] = parsed.positionals;
    if (input === undefined || more.length > 0) throw new ArgumentError(`levels: expected IN, got ${parsed.positionals.length} names`);
    const draws = numberOption("levels", parsed, "draws") ?? 3;
    if (!Number.isInteger(draws) || draws < 1) throw new ArgumentError(`levels: expected --draws to be a positive whole number, got ${draws}`);
    const only = parsed.texts.get("only");
    const names = degradationNames.filter((name) => only === undefined || name === only);
    if (names.length === 0) throw new ArgumentError(`levels: expected --only ${degradationNames.join(", ")}, got ${only}`);
    const sheets = parsed.texts.get("sheets");
    if (sheets !== undefined) await mkdir(sheets, { recursive: true });
    const photos = await photosBelow(input);
    if (photos.length === 0) throw new ArgumentError(`levels: expected photos below ${input}, got none`);

    stdout.write(`| degradation | 1 | 2 | 3 | 4 | 5 |\n|---|---|---|---|---|---|\n`);
    for (const name of names) {
      const cells: string[] = [];
      const rows = photos.map(({ id, sample }) => ({ title: `${name}: ${id}`, cells: [{ picture: sample.image, caption: "photo" }] }));
      for (const strength of strengths) {
        let [similarity, noise, count] = [0, 0, 0];
        for (const [index, { id, sample }] of photos.entries()) {
          for (let variant = 0; variant < draws; variant++) {
            signal.throwIfAborted();
            const generator = parameterGenerator({ seed: "levels", item: id, variant, transform: name });
            const { image } = await degrade(sample, name, sampleDegradation(name, generator, strength, sample.image));
            const own = ssim(sample.image, image);
            similarity += own;
            noise += Math.min(psnr(sample.image, image), 99);
            count++;
            if (variant === 0) rows[index]!.cells.push({ picture: image, caption: `${strength}: SSIM ${own.toFixed(2)}` });
          }
        }
        cells.push(`${(similarity / count).toFixed(2)} / ${(noise / count).toFixed(1)}`);
      }
      stdout.write(`| ${name} | ${cells.join(" | ")} |\n`);
      if (sheets !== undefined) await writeWhole(join(sheets, `${name}.png`), await contactSheet(rows satisfies SheetRow[], { cell: 240 }));
    }
  },
};

async function photosBelow(folder: string): Promise<{ readonly id: string; readonly sample: Sample & { readonly image: Image } }[]> {
  const { products } = await findProducts(folder);
  return Promise.all(
    products.map(async ({ id, image: path, mask: maskPath }) => {
      const photo = await decodeImage(path);
      return { id, sample: { image: toRgb(photo), mask: maskPath === undefined ? productMask(photo) : toGrey(await decodeImage(maskPath)) } };
    }),
  );
}
