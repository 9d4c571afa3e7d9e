import { runAugmentCommand } from "@refadgen/augment";
import type { Command } from "commander";

/** Adds `refadgen augment`, which is `refadgen-augment` with its own options and help; its exit code becomes the process's. */
export function addAugment(program: Command, signal: AbortSignal, finish: (exitCode: number) => void): void {
  program
    .command("augment")
    .description("Variants of product photos: degraded as real uploads are, and seen from nearby.")
    .argument("[args...]", "as refadgen-augment takes them; refadgen augment --help explains them")
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: readonly string[]) => finish(await runAugmentCommand(args, { signal })));
}
