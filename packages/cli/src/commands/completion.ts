import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.js";
import { type CompletionShell, completionScript, completionShells } from "../completion.js";

/** `refadgen completion`. */
export function completionCommand(program: Command, _context: CommandContext): void {
  program
    .command("completion")
    .description("Print a script that completes commands and options in a shell.")
    .addOption(new Option("--shell <name>", "which shell").choices([...completionShells]).makeOptionMandatory())
    .addHelpText(
      "after",
      `
Examples:
  refadgen completion --shell bash >> ~/.bashrc
  refadgen completion --shell zsh > "\${fpath[1]}/_refadgen"
  refadgen completion --shell fish > ~/.config/fish/completions/refadgen.fish`,
    )
    .action(({ shell }: { readonly shell: CompletionShell }) => {
      process.stdout.write(completionScript(program, shell));
    });
}
