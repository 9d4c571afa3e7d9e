import type { SessionOptions } from "@refadgen/graph";

/** What one recorded case gave. */
export interface CaseResult {
  /** Unique within its part, e.g. `ddim-leading/20` or `good/torch-zip.pt`. */
  readonly name: string;
  /** Worst error over everything compared, in units of `tolerance` (pass: ≤ 1); 0 when all exact values agree. */
  readonly error: number;
  /** What was compared and how closely, for the table: `max 3.1e-7 of 1e-3·std, rms 4e-8 of 1e-4·std`. */
  readonly detail: string;
  readonly passed: boolean;
}

export interface PartOptions {
  /** What networks run on, in which precision; default: what the pipeline chooses, fp32. */
  readonly session?: Pick<SessionOptions, "runtime" | "precision" | "provider" | "backend" | "library">;
  /** Also run the full-size networks: minutes, up to 9 GB. */
  readonly full: boolean;
}

/**
 * Runs every case found in the folder of one part, finding the cases by file name; a case that cannot be run is a failed
 * result, never an exception and never left out.
 */
export type Part = (folder: string, options: PartOptions) => AsyncIterable<CaseResult>;
