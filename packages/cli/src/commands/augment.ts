import type { Command } from "commander";
import type { CommandContext } from "../command-context.js";

/** `refadgen augment`, which is `refadgen-augment` with its own options and help. */
export function augmentCommand(program: Command, { signal, finish }: CommandContext): void {
  program
    .command("augment")
    .description("Variants of product photos: degraded as real uploads are, and seen from nearby.")
    .argument("[args...]", "as refadgen-augment takes them; refadgen augment --help explains them")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: readonly string[]) => {
      const { runAugmentCommand } = await import("@refadgen/augment");
      finish(await runAugmentCommand(args, { signal }));
    });
}
