import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../command-context.js";
import { wholeNumber } from "../option-values.js";
import type { BrowseSettings, InitSettings, MiniSettings, RunSettings } from "./dataset-actions.js";
import type { DeadSettings, WorkerSettings } from "./dataset-queue.js";

const stages: readonly (readonly [name: string, description: string])[] = [
  ["ingest", "Take in the pictures of the sources."],
  ["score", "Measure pictures: size, blur, darkness, text, watermarks."],
  ["dedup", "Fingerprint pictures and find those that repeat others."],
  ["extract", "Find the product in each picture."],
  ["inspect", "Measure the product, and what is around it."],
  ["filter", "Leave out what does not keep to the thresholds."],
  ["caption", "Write captions and check them."],
  ["augment", "Make variants of each product."],
  ["split", "Divide what is left into training and test."],
  ["shard", "Write what is left in each format."],
  ["report", "Write the page about the run."],
];

const again = ["ingest", "score", "fingerprint", "dedup", "extract", "inspect", "caption", "augment", "split", "shard", "report"] as const;

/** `refadgen dataset`. */
export function datasetCommand(program: Command, context: CommandContext): void {
  const dataset = program
    .command("dataset")
    .description("From a pile of advertising pictures to triplets for training: ad, product, mask, captions, variants.")
    .enablePositionalOptions()
    .addHelpText(
      "after",
      `
A run is described by a JSON file and done by one command. Stopped or killed, it goes on where it was;
with other settings, only what they touch is done again.

Examples:
  refadgen dataset init --pictures photos
  refadgen dataset run dataset.json
  refadgen dataset browse dataset.json`,
    );

  runOptions(dataset.command("run <config>").description("Do everything that a config says: from pictures to shards and a report."))
    .addOption(new Option("--from <step>", "do this step and all after it again").choices(again))
    .option("--redis <address>", "have workers on other machines do it, over Redis or Valkey: redis://host:6379")
    .option("--queue <name>", "of the work there; runs at the same time need different ones", "refadgen-dataset")
    .addHelpText(
      "after",
      `
Examples:
  refadgen dataset run dataset.json --limit 100       the first 100 pictures
  refadgen dataset run dataset.json --retry-failed    what failed, again
  refadgen dataset run dataset.json --from caption    captions and all after them, again
  refadgen dataset run dataset.json --shard 0/4       one of four machines that share a folder; then once without --shard`,
    )
    .action(async (config: string, settings: RunSettings) => (await import("./dataset-actions.js")).runAction(config, settings, context));

  for (const [name, description] of stages) {
    const command = runOptions(dataset.command(`${name} <config>`).description(description)).option("--again", "do it again, known or not");
    if (name === "filter") command.option("--what-if", "only count what the thresholds would leave out");
    command
      .addHelpText(
        "after",
        `\nThis step alone, on what earlier ones have left; refadgen dataset run does them all.\n\nExample:\n  refadgen dataset ${name} dataset.json${name === "filter" ? " --what-if" : ""}`,
      )
      .action(async (config: string, settings: RunSettings) => (await import("./dataset-actions.js")).stepAction(name, config, settings, context));
  }

  dataset
    .command("init [file]")
    .description("Write a config to begin with (default dataset.json).")
    .option("--pictures <folder>", "where the pictures are, a folder for each category", "pictures")
    .option("--category <name>", "the category of all pictures, where folders do not say")
    .option("--output <folder>", "where everything goes", "dataset")
    .option("--force", "replace the file if it is there")
    .addHelpText("after", "\nExamples:\n  refadgen dataset init\n  refadgen dataset init mugs.json --pictures photos --category cup --output mugs")
    .action(async (file: string | undefined, settings: InitSettings) => (await import("./dataset-actions.js")).initAction(file, settings));

  dataset
    .command("status <config>")
    .description("Where the items of a run are, and what failed; also while it runs.")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  refadgen dataset status dataset.json")
    .action(async (config: string, settings: { readonly json?: boolean }) => (await import("./dataset-actions.js")).statusAction(config, settings));

  dataset
    .command("browse <config>")
    .description("Serve a page on this machine to look at items, accept and reject them by keyboard.")
    .option("--port <n>", "default: any that is free", wholeNumber)
    .addHelpText("after", "\nWhat is decided counts from the next run on.\n\nExample:\n  refadgen dataset browse dataset.json --port 8080")
    .action(async (config: string, settings: BrowseSettings) => (await import("./dataset-actions.js")).browseAction(config, settings, context));

  dataset
    .command("worker")
    .description("Do work of runs that were started with --redis, until stopped.")
    .requiredOption("--redis <address>", "redis://host:6379")
    .option("--queue <name>", "as the run says", "refadgen-dataset")
    .option("--workers <n>", "jobs at the same time (default: the processors)", wholeNumber)
    .option("--store <folder>", "the run's folder files/, if it lies elsewhere on this machine")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nThe output folder of the run has to be shared.\n\nExample:\n  refadgen dataset worker --redis redis://10.0.0.5:6379")
    .action(async (settings: WorkerSettings) => (await import("./dataset-queue.js")).workerAction(settings, context));

  dataset
    .command("dead")
    .description("List work that was given up because its workers died each time.")
    .requiredOption("--redis <address>", "redis://host:6379")
    .option("--queue <name>", "as the run says", "refadgen-dataset")
    .option("--retry", "put it back into the queue")
    .addHelpText("after", "\nExample:\n  refadgen dataset dead --redis redis://10.0.0.5:6379 --retry")
    .action(async (settings: DeadSettings) => (await import("./dataset-queue.js")).deadAction(settings));

  dataset
    .command("mini <folder>")
    .description("Write AdProd-Mini: advertising scenes drawn by a program, with product, mask and captions.")
    .option("--count <n>", "how many triplets", wholeNumber, 100)
    .option("--size <WxH>", "of the pictures, 64 to 640 each", size, { width: 256, height: 320 })
    .option("--seed <n>", "of what is drawn", wholeNumber, 0)
    .addOption(
      new Option("--format <name>", "pictures: only the ads, in a folder for each category")
        .choices(["webdataset", "parquet", "image-folder", "authors", "pictures"])
        .default("webdataset"),
    )
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      "\nThe same seed draws the same pictures.\n\nExamples:\n  refadgen dataset mini adprod-mini --count 1000 --size 128x160\n  refadgen dataset mini pictures --count 50 --format pictures",
    )
    .action(async (folder: string, settings: MiniSettings) => (await import("./dataset-actions.js")).miniAction(folder, settings, context));
}

function runOptions(command: Command): Command {
  return command
    .option("--limit <n>", "only the first so many items of the sources", wholeNumber)
    .option("--shard <i/n>", "only every n-th item, from the i-th on, into a record of its own", shard)
    .option("--workers <n>", "threads (default: as the config says, else the processors)", wholeNumber)
    .option("--retry-failed", "try failed items again")
    .option("--json", "progress as JSON lines on standard output, the summary last")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from");
}

function shard(text: string): { readonly index: number; readonly count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || count === undefined || Number(index) >= Number(count))
    throw new InvalidArgumentError(`Expected a shard from 0/n to (n-1)/n, got "${text}".`);
  return { index: Number(index), count: Number(count) };
}

function size(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (width === undefined || height === undefined) throw new InvalidArgumentError(`Expected WIDTHxHEIGHT, got "${text}".`);
  return { width: Number(width), height: Number(height) };
}
