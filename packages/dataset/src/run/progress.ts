import type { Step } from "./steps.js";

/** How far a step is. */
export interface RunProgress {
  readonly step: Step;
  readonly state: "begin" | "going" | "end";
  /** Items looked at so far. */
  readonly done: number;
  /** Items that the step gets; absent while the sources have not told. */
  readonly total?: number;
  /** Taken from earlier runs. */
  readonly known: number;
  readonly rejected: number;
  readonly failed: number;
}

/** Counts of a step as they grow. */
export interface StepProgress {
  readonly done: number;
  count(outcome: "done" | "rejected" | "failed" | "quarantined", known: boolean): void;
  end(): void;
}

export function stepProgress(step: Step, total: number | undefined, onProgress: ((progress: RunProgress) => void) | undefined): StepProgress {
  const counts = { done: 0, known: 0, rejected: 0, failed: 0 };
  const tell = (state: RunProgress["state"]) => onProgress?.({ step, state, ...counts, ...(total !== undefined && { total }) });
  tell("begin");
  return {
    get done() {
      return counts.done;
    },
    count(outcome, known) {
      counts.done++;
      if (known) counts.known++;
      if (outcome === "rejected") counts.rejected++;
      else if (outcome !== "done") counts.failed++;
      tell("going");
    },
    end: () => tell("end"),
  };
}
