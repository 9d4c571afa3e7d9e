import { readFile } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { augmentFolder } from "../batch/augment-folder.js";
import { BatchError } from "../batch/product-mask.js";
import { type Strength, strengths } from "../degradations/magnitudes.js";
import { parseRecipe } from "../recipe/transform.js";
import { uploadRecipe } from "../recipe/upload-recipe.js";
import { numberOption, parseArguments, type Subcommand } from "./subcommand.js";

const usage = `Usage: refadgen-augment IN OUT --seed S [options]

Makes variants of every product photo below IN: degraded as real uploads are, and seen from nearby. For IN/NAME.png come
OUT/NAME_00.png, its mask OUT/NAME_00_mask.png and what was done, OUT/NAME_00.json; then _01 and so on, degraded ones first.

  --seed S           number or text; the same seed, photos and options give the same bytes
  --degrade N        degraded variants per photo (default: 3)
  --views N          novel views per photo (default: 2)
  --strength N       how bad the degraded ones are, 1 to 5 (default: 2)
  --recipe FILE      JSON of a recipe instead (see the README)
  --masks DIR        masks by name, white where the product is (default: NAME_mask.png beside NAME.png, else the photo's transparency,
                     else what is not plain background)
  --workers N        threads (default: all processors)
  --compression N    effort of the PNG files, 0 to 9 (default: 3)
  --no-sheets        no contact sheets in OUT/contact-sheets
  --replace          replace outputs that were made with other options
  --json             one JSON object per event on standard output
  --quiet            no progress

A run that was stopped is resumed by the same command. Photos that cannot be used are listed, stand in OUT/failed.json, and make the exit
code 1; they stop nothing. IN is never written to.
`;

const texts = ["seed", "degrade", "views", "strength", "recipe", "masks", "workers", "compression"];
const flags = ["no-sheets", "replace", "json", "quiet"];

/** The main part of the command: a folder of photos. */
export const augmentCommand: Subcommand = {
  name: "run",
  summary: "variants of every product photo in a folder (the default)",
  usage,
  async run(args, { stdout, stderr, signal }) {
    const parsed = parseArguments("refadgen-augment", args, {
      ...Object.fromEntries(texts.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(flags.map((name) => [name, { type: "boolean" as const }])),
    });
    const [input, out, ...more] = parsed.positionals;
    if (input === undefined || out === undefined || more.length > 0)
      throw new ArgumentError(`refadgen-augment: expected IN and OUT, got ${parsed.positionals.length} names`);
    const seedText = parsed.texts.get("seed");
    if (seedText === undefined) throw new ArgumentError("refadgen-augment: expected --seed, got none");
    const number = (name: string) => numberOption("refadgen-augment", parsed, name);
    const strength = number("strength");
    if (strength !== undefined && !strengths.includes(strength as Strength))
      throw new ArgumentError(`refadgen-augment: expected --strength from 1 to 5, got ${strength}`);
    const recipeFile = parsed.texts.get("recipe");
    if (recipeFile !== undefined && strength !== undefined) throw new ArgumentError("refadgen-augment: expected --recipe or --strength, got both");
    const recipe =
      recipeFile === undefined ? uploadRecipe({ strength: (strength ?? 2) as Strength }) : parseRecipe(await readFile(recipeFile, "utf8"));
    const [degrade, views, workers, compressionLevel] = [number("degrade"), number("views"), number("workers"), number("compression")];
    const masks = parsed.texts.get("masks");
    const json = parsed.flags.has("json");
    const say = (line: string) => void (parsed.flags.has("quiet") || json || stderr.write(`${line}\n`));

    const started = performance.now();
    let [total, done] = [0, 0];
    const events = augmentFolder({
      input,
      out,
      seed: /^-?\d+$/.test(seedText) && Number.isSafeInteger(Number(seedText)) ? Number(seedText) : seedText,
      recipe,
      contactSheets: !parsed.flags.has("no-sheets"),
      replace: parsed.flags.has("replace"),
      signal,
      ...(degrade !== undefined && { degrade }),
      ...(views !== undefined && { views }),
      ...(workers !== undefined && { workers }),
      ...(compressionLevel !== undefined && { compressionLevel }),
      ...(masks !== undefined && { masks }),
    });
    for await (const event of events) {
      if (json) stdout.write(`${JSON.stringify(event)}\n`);
      if (event.type === "start") {
        total = event.products;
        say(`${total} photos, ${event.variants} variants each`);
      } else if (event.type === "product") say(`[${++done}/${total}] ${event.id}${event.status === "skipped" ? ": there already" : ""}`);
      else if (event.type === "failed") {
        done++;
        if (!json) stderr.write(`[${done}/${total}] ${event.id}: FAILED: ${event.message}\n`);
      } else if (event.type === "sheet") say(`contact sheet: ${out}/${event.file}`);
      else {
        const seconds = (performance.now() - started) / 1000;
        say(`${event.written} written, ${event.skipped} there already, ${event.failed.length} failed; ${seconds.toFixed(1)} s`);
        if (event.failed.length > 0)
          throw new BatchError("some-failed", `${event.failed.length} of ${total} photos could not be used; see ${out}/failed.json`);
      }
    }
  },
};
