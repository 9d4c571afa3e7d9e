import { expect, test } from "vitest";
import { measureFilters } from "./measure-filters.js";

test("recall of at least 0.95 at a precision of at least 0.9, on ads that nothing was fitted on", { timeout: 1_800_000 }, async () => {
  for (const { kind, recall, precision, missed, alarmed } of await measureFilters({ count: 60, seed: "long" })) {
    expect(recall, `${kind} missed ${JSON.stringify(missed)}`).toBeGreaterThanOrEqual(0.95);
    expect(precision, `${kind} alarmed by ${alarmed.join(", ")}`).toBeGreaterThanOrEqual(0.9);
  }
});
