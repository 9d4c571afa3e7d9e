import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { adviceFor } from "./advice.js";
import { exitCode, exitCodeOf } from "./exit-code.js";
import { subcommands } from "./subcommands.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

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
    await program(abort.signal).parseAsync([...args], { from: "user" });
    return exitCode.ok;
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

/** The command with all its subcommands; completion reads them too. */
export function program(signal: AbortSignal): Command {
  const command = new Command("refadgen")
    .description("Advertising images from a product photo and a prompt.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("(refadgen COMMAND --help explains every option)")
    .addHelpText(
      "after",
      '\nExamples:\n  refadgen doctor\n  refadgen generate --base SG161222/Realistic_Vision_V5.1_noVAE --checkpoint mp_rank_00_model_states.pt --product bottle.jpg --prompt "on a wooden table" --out ads\n  refadgen generate --help',
    );
  for (const add of subcommands) add(command, signal);
  return command;
}
