import type { Command } from "commander";
import { addGenerateCommand } from "./generate-command.js";

/** Adds one subcommand to `refadgen`. The signal is aborted by Ctrl-C. */
export type AddSubcommand = (program: Command, signal: AbortSignal) => void;

/** Every subcommand, in the order in which help lists them. */
export const subcommands: readonly AddSubcommand[] = [addGenerateCommand];
