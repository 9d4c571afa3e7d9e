import type { Command } from "commander";
import { addCacheCommand } from "./cache-command.js";
import { addCompletionCommand } from "./completion-command.js";
import { addConvertCommand } from "./convert-command.js";
import { addDoctorCommand } from "./doctor-command.js";
import { addGenerateCommand } from "./generate-command.js";
import { addInspectCommand } from "./inspect-command.js";

/** Adds one subcommand to `refadgen`. The signal is aborted by Ctrl-C. */
export type AddSubcommand = (program: Command, signal: AbortSignal) => void;

/** Every subcommand, in the order in which help lists them. */
export const subcommands: readonly AddSubcommand[] = [
  addGenerateCommand,
  addInspectCommand,
  addConvertCommand,
  addDoctorCommand,
  addCacheCommand,
  addCompletionCommand,
];
