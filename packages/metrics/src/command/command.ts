import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { metricOptionNames, recipeNames } from "../evaluate/plan.js";
import { parseRegression } from "../evaluate/regression.js";
import { parseThreshold } from "../evaluate/threshold.js";
import { metricNames } from "../metrics/contract.js";
import type { CompareSettings } from "./compare.js";
import type { EvalSettings } from "./eval.js";
import { exitCode, exitCodeOf } from "./exit-code.js";
import { readableError } from "./readable-error.js";
import type { StatsSettings } from "./stats.js";
import type { WeightsSettings } from "./weights.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };

/**
 * Runs `refadgen-metrics` with these arguments and gives its exit code. Ctrl-C stops after the batch that runs, with what is done kept in
 * the cache; a second one stops at once.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(exitCode.interrupted);
    process.stderr.write("\nstopping after this batch; the next run goes on from here; Ctrl-C again stops at once\n");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  // A reader that closes the pipe early, such as `head`, is no failure.
  const closed = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  };
  process.stdout.on("error", closed);
  let code: number = exitCode.passed;
  try {
    await program(abort.signal, (passed) => {
      code = passed ? exitCode.passed : exitCode.missed;
    }).parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // commander has printed its own.
    if (!(error instanceof CommanderError)) process.stderr.write(readableError(error, { debug: args.includes("--debug") }));
    return await exitCodeOf(error, abort.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    process.stdout.off("error", closed);
  }
}

/** The subcommands' modules are loaded when they are run, so that help comes at once. */
function program(signal: AbortSignal, ended: (passed: boolean) => void): Command {
  const command = new Command("refadgen-metrics")
    .description("Measures generated images and gates a CI job by the numbers: FID, CLIP-Score, LPIPS, MP-LPIPS, ImageReward and more.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(refadgen-metrics eval --help explains every option)")
    .addHelpText("after", overview);
  evalOptions(command.command("eval"))
    .addHelpText("after", evalHelp)
    .action(async (settings: EvalSettings) => ended(await (await import("./eval.js")).evalCommand(settings, signal)));
  command
    .command("compare")
    .description("Compare two JSON reports picture by picture: is B different from A, or is it chance?")
    .argument("<a>", "report of the first model")
    .argument("<b>", "report of the second model")
    .option("--alpha <p>", "significance level, after Holm's correction for the number of metrics (default: 0.05)", share)
    .option("--gate", "exit with 1 when B is significantly worse in any metric")
    .option("--json <file>", "write the comparison; - is standard output")
    .option("--markdown [file]", "write it as Markdown (default: the step summary on GitHub, else standard output)")
    .option("--debug", "print where an error came from")
    .addHelpText("after", compareHelp)
    .action(async (a: string, b: string, settings: CompareSettings) => ended(await (await import("./compare.js")).compareReports(a, b, settings)));
  weightOptions(command.command("stats"))
    .description("Write the statistics of a folder's pictures, to use as the real set of FID without its pictures.")
    .argument("<folder>", "pictures")
    .argument("<out.npz>", "mu and sigma, as pytorch-fid and clean-fid write them")
    .option("--recipe <name>", "FID's recipe (default: that of eval)")
    .option("--force", "replace the file if it is there")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText("after", statsHelp)
    .action(async (folder: string, out: string, settings: StatsSettings) => {
      await (await import("./stats.js")).statsCommand(folder, out, settings, signal);
    });
  const weights = weightOptions(command.command("weights"))
    .description("List the weight files that metrics need: size, licence, source, and whether they are here.")
    .option("--metrics <names>", "only those of these metrics, separated by commas", metricList)
    .option("--json", "as JSON")
    .option("--debug", "print where an error came from")
    .addHelpText("after", weightsHelp)
    .action(async (settings: WeightsSettings) => {
      await (await import("./weights.js")).listWeights(settings);
    });
  weights
    .command("fetch")
    .description("Download what is not here yet into the cache; a download that was stopped goes on.")
    .action(async () => {
      await (await import("./weights.js")).fetchWeights(weights.opts<WeightsSettings>(), signal);
    });
  return command;
}

function evalOptions(command: Command): Command {
  const own = command
    .description("Measure generated pictures, and hold the numbers against thresholds and an earlier report.")
    .optionsGroup("Pictures:")
    .option("--generated <folder>", "generated pictures")
    .option("--reference <folder>", "what they are compared with, by file stem: ads/a/1.png with products/a/1.jpg")
    .option("--prompts <file>", ".jsonl, .json, .csv, .tsv, .txt or a folder of .txt: what each picture should show")
    .option("--masks <folder>", "light where the product is in the generated picture; with subfolders generated/ and product/: both kinds")
    .option("--product-masks <folder>", "light where the product is in the reference (default: its transparency)")
    .option("--manifest <file>", "JSONL instead of folders: {generated, reference, prompt, mask, productMask, name} per line")
    .option("--real <folder|npz>", "the real set of FID, KID, precision/recall (default: the reference)")
    .addOption(new Option("--pairing <how>", "variants: shoe-1.png, shoe-2.png belong to shoe.jpg").choices(["exact", "variants"]))
    .addOption(
      new Option("--resize-references <filter>", "bring references to the size of their generated picture").choices([
        "bicubic",
        "bilinear",
        "lanczos",
        "box",
        "nearest",
      ]),
    )
    .optionsGroup("Metrics:")
    .option("--metrics <names>", "separated by commas, or all (default: clip-score,fid,image-reward,mp-lpips,lpips)", metricList)
    .option("--recipe <metric=name>", "whose conventions to follow; may be given more than once", collect)
    .option("--set <metric.option=value>", "an option of a metric, as in kid.subsets=50; may be given more than once", collect)
    .addOption(new Option("--lpips <backbone>", "for LPIPS (default: alex)").choices(["alex", "vgg", "squeeze"]))
    .addOption(new Option("--clip <network>", "for CLIP-Score and CLIP-I (default: b-32)").choices(["b-32", "b-16", "l-14"]))
    .addOption(new Option("--dino <network>", "for DINO-I (default: s-16)").choices(["s-16", "b-16"]))
    .addOption(new Option("--matching <network>", "what finds product points for MP-LPIPS (default: dift)").choices(["dift", "dino"]))
    .option("--seed <n>", "of everything that is drawn (default: 0)", wholeNumber)
    .option("--no-interval", "leave out confidence intervals")
    .optionsGroup("Gates:")
    .option("--threshold <rule>", 'what has to hold: "lpips<0.6", "precision-recall.recall>=0.4", "lpips.high<0.6"; repeatable', threshold)
    .option("--baseline <file>", "JSON report of an earlier run")
    .option("--max-regression <limit>", "how much worse than it is allowed: 2%, 0.01, fid=5%; repeatable", regression)
    .option("--significance <p>", "a regression counts only when its paired p-value is below this", share)
    .option("--fail-fast", "stop at the first metric that fails; cheap ones come first")
    .option("--strict", "unmatched and unusable files are an error")
    .optionsGroup("Reports:")
    .option("--json <file>", "report for programs and for --baseline; - is standard output")
    .option("--junit <file>", "report for CI systems")
    .option("--html <file>", "report for people: one file, worst and best pictures with it")
    .option("--csv <file>", "scores per picture")
    .option("--markdown [file]", "table for a pull request (default: the step summary on GitHub, else standard output)")
    .option("--label <text>", "what the reports call this run (default: the generated folder)")
    .optionsGroup("Running:")
    .option("--no-cache", "keep nothing between runs")
    .option("--quiet", "print failures only")
    .option("--debug", "print where an error came from");
  return weightOptions(own);
}

function weightOptions(command: Command): Command {
  return command
    .optionsGroup("Weights:")
    .option("--weights-dir <folder>", "weight files under their published names")
    .option("--weights <id=path>", "where one file is: a path, URL or hub id; may be given more than once", collect)
    .option("--offline", "never fetch anything")
    .option("--cache <folder>", "where features and downloads are kept (default: REFADGEN_CACHE, else the platform's cache folder)")
    .addOption(new Option("--device <name>", "where networks run (default: cpu)").choices(["cpu", "cuda", "webgpu", "dml", "coreml", "tensorrt"]))
    .option("--threads <n>", "processors to use (default: all)", wholeNumber)
    .optionsGroup("Options:");
}

const overview = `
Examples:
  refadgen-metrics eval --generated ads --reference products --prompts prompts.jsonl --metrics clip-score,lpips --threshold "lpips<0.6"
  refadgen-metrics compare before.json after.json
  refadgen-metrics weights

Exit codes: 0 measured, and every gate holds; 1 a threshold or the baseline is missed; 2 wrong usage or input; 3 weights missing or
unusable; 70 an unforeseen failure; 130 interrupted.`;

const evalHelp = `
Metrics: ${metricNames.join(", ")}.
psnr, ssim and ms-ssim need no weights; what the others need says refadgen-metrics weights.

Recipes, the default first:
${Object.entries(recipeNames)
  .filter(([, names]) => names.length > 1)
  .map(([metric, names]) => `  ${metric}: ${names.join(", ")}`)
  .join("\n")}

Options for --set:
${Object.entries(metricOptionNames)
  .filter(([, names]) => names.length > 0)
  .map(([metric, names]) => `  ${metric}: ${names.join(", ")}`)
  .join("\n")}

Examples:
  # the paper's Table 3 for a model, as a report to look at
  refadgen-metrics eval --generated ads --reference products --prompts prompts.jsonl --masks masks --html report.html

  # gate a pull request: absolute limits, and nothing more than 2 % worse than the main branch
  refadgen-metrics eval --manifest pairs.jsonl --metrics lpips,clip-score --threshold "lpips<0.6" --threshold "clip-score>30" \\
    --baseline main.json --max-regression 2% --json metrics.json --junit metrics.xml --markdown

  # no weights, no downloads
  refadgen-metrics eval --generated out --reference expected --metrics psnr,ssim --threshold "ssim.min>=0.95"

Exit codes: 0 every gate holds; 1 a threshold or the baseline is missed; 2 wrong usage or input; 3 weights missing or unusable.`;

const compareHelp = `
Both reports need the same metrics, recipes and weights; pictures are paired by name. Metrics of whole sets (fid, kid, precision-recall)
are listed without a test, since one value per report is all there is.

Example:
  refadgen-metrics compare main.json branch.json --gate`;

const statsHelp = `
Example:
  refadgen-metrics stats data/test/real real.npz
  refadgen-metrics eval --generated ads --real real.npz --metrics fid`;

const weightsHelp = `
Examples:
  refadgen-metrics weights --metrics lpips,fid
  refadgen-metrics weights --metrics lpips,fid fetch`;

function collect(value: string, all: readonly string[] = []): string[] {
  return [...all, value];
}

function metricList(text: string): string[] {
  if (text.trim() === "all") return [...metricNames];
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !(metricNames as readonly string[]).includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`Expected some of ${metricNames.join(", ")}, got "${unknown.join('", "')}".`);
  return [...new Set(names)];
}

function threshold(text: string, all: readonly string[] = []): string[] {
  return [...all, checked(text, parseThreshold)];
}

function regression(text: string, all: readonly string[] = []): string[] {
  return [...all, checked(text, parseRegression)];
}

/** commander prints what is wrong with an argument beside the option's name. */
function checked(text: string, parse: (text: string) => unknown): string {
  try {
    parse(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message.replace(/^parse\w+: e/, "E"));
  }
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got "${text}".`);
  return Number(text);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) throw new InvalidArgumentError(`Expected a number between 0 and 1, got "${text}".`);
  return value;
}
