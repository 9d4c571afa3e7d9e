import { ArgumentError } from "@refadgen/errors";
import { CommanderError } from "commander";
import { EvaluationError } from "../evaluate/error.js";
import { MetricError } from "../metrics/error.js";
import { MetricWeightsError } from "../weights/error.js";

/** What the command's exit code says. */
export const exitCode = {
  /** Measured, and every gate holds. */
  passed: 0,
  /** A threshold is missed, or the baseline. */
  missed: 1,
  /** Wrong usage, or inputs that cannot be used. */
  usage: 2,
  /** Weights are missing or do not fit. */
  weights: 3,
  /** Something failed that nobody foresaw. */
  failed: 70,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** The exit code that an error means. A failure is never 1: that would read as a missed threshold. */
export async function exitCodeOf(error: unknown, interrupted: boolean): Promise<number> {
  if (interrupted) return exitCode.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.passed : exitCode.usage;
  // Loaded now, so that help and wrong usage come at once.
  const { SessionError, WeightsError } = await import("@refadgen/graph");
  const { ImageError } = await import("@refadgen/image");
  if (MetricWeightsError.isInstance(error) || WeightsError.isInstance(error)) return exitCode.weights;
  if (EvaluationError.isInstance(error) || ArgumentError.isInstance(error) || ImageError.isInstance(error)) return exitCode.usage;
  // Features that are no numbers come from broken weights.
  if (MetricError.isInstance(error)) return error.code === "not-finite" ? exitCode.weights : exitCode.usage;
  if (SessionError.isInstance(error) && error.code === "provider-unavailable") return exitCode.usage;
  return isHubError(error) ? exitCode.weights : exitCode.failed;
}

/** Downloads are made by an optional package, whose error class is not known here. */
function isHubError(error: unknown): boolean {
  return error instanceof Error && error.name === "HubError";
}
