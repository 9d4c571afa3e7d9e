import { HubError } from "@refadgen/hub";
import { ArgumentError, ImageError, PipelineError, SessionError, WeightsError } from "@refadgen/pipeline";
import { CommanderError } from "commander";
import { datasetErrorCode } from "./dataset-error.js";

/** What the command's exit code says. */
export const exitCode = {
  ok: 0,
  /** Something failed while it ran. */
  failed: 1,
  /** Wrong usage, or a picture or setting that cannot be used. */
  usage: 2,
  /** Weights are missing or do not fit. */
  weights: 3,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** The exit code that an error means. */
export function exitCodeOf(error: unknown, interrupted: boolean): number {
  if (interrupted) return exitCode.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (WeightsError.isInstance(error) || HubError.isInstance(error)) return exitCode.weights;
  if (PipelineError.isInstance(error))
    return error.code === "missing-component" || error.code === "unsupported-component" ? exitCode.weights : exitCode.usage;
  if (ArgumentError.isInstance(error) || ImageError.isInstance(error)) return exitCode.usage;
  if (["invalid-config", "missing-package", "refused"].includes(datasetErrorCode(error) ?? "")) return exitCode.usage;
  if (SessionError.isInstance(error) && error.code === "provider-unavailable") return exitCode.usage;
  return exitCode.failed;
}
