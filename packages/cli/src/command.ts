import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { adviceFor } from "./advice.js";
import type { CommandContext } from "./command-context.js";
import { augmentCommand } from "./commands/augment.js";
import { cacheCommand } from "./commands/cache.js";
import { calibrateCommand } from "./commands/calibrate.js";
import { completionCommand } from "./commands/completion.js";
import { convertCommand } from "./commands/convert.js";
import { datasetCommand } from "./commands/dataset.js";
import { doctorCommand } from "./commands/doctor.js";
import { generateCommand } from "./commands/generate.js";
import { inspectCommand } from "./commands/inspect.js";
import { runtimeCommand } from "./commands/runtime.js";
import { exitCode, exitCodeOf } from "./exit-code.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

/** The subcommands, in the order of `--help`. */
const subcommands: readonly ((program: Command, context: CommandContext) => void)[] = [
  generateCommand,
  calibrateCommand,
  augmentCommand,
  datasetCommand,
  inspectCommand,
  convertCommand,
  doctorCommand,
  runtimeCommand,
  cacheCommand,
  completionCommand,
];

/**
 * Runs `refadgen` with these arguments and gives its exit code. Ctrl-C stops after the step that runs; a second one at once.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(exitCode.interrupted);
    process.stderr.write("\nstopping after this step; Ctrl-C again stops at once\n");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  const debug = args.includes("--debug");
  try {
    let code: number = exitCode.ok;
    const finish = (other: number) => {
      code = other;
    };
    await program({ signal: abort.signal, finish }).parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // commander has printed its own.
    if (!(error instanceof CommanderError)) {
      const message = error instanceof Error ? (debug ? (error.stack ?? error.message) : error.message) : String(error);
      const advice = abort.signal.aborted ? undefined : adviceFor(error);
      process.stderr.write(`refadgen: ${message}${advice === undefined ? "" : `${/[.!?]$/.test(message) ? "" : "."} ${advice}`}\n`);
    }
    return exitCodeOf(error, abort.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function program(context: CommandContext): Command {
  const command = new Command("refadgen")
    .enablePositionalOptions()
    .description("Advertising images from a product photo and a prompt.")
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError("(add --help for every option, with examples)")
    .addHelpText("after", exitCodes);
  for (const add of subcommands) add(command, context);
  return command;
}

const exitCodes = `
refadgen COMMAND --help explains a command with examples.

Exit codes: 0 done; 1 failed while running; 2 wrong usage or input; 3 weights missing or unusable; 130 interrupted.`;
