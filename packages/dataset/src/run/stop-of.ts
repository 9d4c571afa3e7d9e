import type { StageResult, Stop } from "../ledger/records.js";
import type { Step } from "./steps.js";

/** How a result that is no row ends an item's way. */
export function stopOf(step: Step, result: Exclude<StageResult, { readonly outcome: "done" }>): Stop {
  if (result.outcome === "rejected") return { step, outcome: "rejected", reasons: result.reasons };
  return { step, outcome: result.outcome, reasons: [{ code: result.code, message: result.message }] };
}
