import { ArgumentError, RefAdGenError } from "@refadgen/errors";
import { BatchError } from "../batch/product-mask.js";
import { augmentCommand } from "./augment.js";
import { convertCommand } from "./convert.js";
import { levelsCommand } from "./levels.js";
import { scoresCommand } from "./scores.js";
import type { Subcommand, SubcommandContext } from "./subcommand.js";
import { turntableCommand } from "./turntable.js";
import { viewerCommand } from "./viewer.js";

const subcommands: readonly Subcommand[] = [augmentCommand, levelsCommand, scoresCommand, convertCommand, turntableCommand, viewerCommand];

const overview = `${augmentCommand.usage}
Other commands: refadgen-augment COMMAND --help explains each.
${subcommands
  .slice(1)
  .map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  .join("\n")}

Exit codes: 0 done; 1 failed while running, or some photos failed; 2 wrong usage or input; 130 interrupted.
`;

/**
 * The command `refadgen-augment`, also offered as `refadgen augment`.
 *
 * @param args without the command's own name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage or input, 130 when `signal` has aborted. Nothing is thrown.
 */
export async function runAugmentCommand(args: readonly string[], context: Partial<SubcommandContext> = {}): Promise<number> {
  const { stdout = process.stdout, stderr = process.stderr, signal = new AbortController().signal } = context;
  const named = subcommands.find(({ name }) => name === args[0]);
  const rest = named ? args.slice(1) : args;
  try {
    if (rest.includes("--help") || rest.includes("-h") || (!named && rest[0] === "help"))
      stdout.write(named && named !== augmentCommand ? named.usage : overview);
    else if (args.length === 0) {
      stderr.write(overview);
      return 2;
    } else await (named ?? augmentCommand).run(rest, { stdout, stderr, signal });
    return 0;
  } catch (error) {
    if (signal.aborted) {
      stderr.write("refadgen-augment: stopped; the same command goes on\n");
      return 130;
    }
    stderr.write(`refadgen-augment: ${error instanceof Error ? error.message : String(error)}\n`);
    if (ArgumentError.isInstance(error)) stderr.write("(refadgen-augment --help explains every option)\n");
    return RefAdGenError.isInstance(error) && !(BatchError.isInstance(error) && error.code === "some-failed") ? 2 : 1;
  }
}
