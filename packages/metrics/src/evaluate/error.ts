import { RefAdGenError } from "@refadgen/errors";

/**
 * Why an evaluation cannot be made:
 * `input` folders, manifests or prompts cannot be read or do not fit together · `empty` nothing is left to measure ·
 * `baseline` the earlier report cannot be compared with · `report` a report file cannot be read · `unwritable` an output cannot be written.
 */
export type EvaluationErrorCode = "input" | "empty" | "baseline" | "report" | "unwritable";

/** An evaluation that cannot be made, with what to do about it. */
export class EvaluationError extends RefAdGenError {
  declare readonly code: EvaluationErrorCode;

  constructor(code: EvaluationErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
