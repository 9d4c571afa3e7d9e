import { CommanderError } from "commander";
import { errorCode } from "./error-code.js";

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
  if (errorCode(error, "WeightsError") !== undefined || errorCode(error, "HubError") !== undefined) return exitCode.weights;
  const pipeline = errorCode(error, "PipelineError");
  if (pipeline !== undefined) return pipeline === "missing-component" || pipeline === "unsupported-component" ? exitCode.weights : exitCode.usage;
  if (errorCode(error, "ArgumentError") !== undefined || errorCode(error, "ImageError") !== undefined) return exitCode.usage;
  if (["invalid-config", "missing-package", "refused"].includes(errorCode(error, "DatasetError") ?? "")) return exitCode.usage;
  if (errorCode(error, "SessionError") === "provider-unavailable") return exitCode.usage;
  return exitCode.failed;
}
