import { describe, expect, test } from "vitest";
import { miniTriplet } from "../mini/triplet.js";
import { inspectProduct, scorePicture } from "../score/score-picture.js";
import { faultMakers, harmless } from "./faults.test.support.js";
import { measureFilters, measuresMarkdown } from "./measure-filters.js";
import { applyThresholds } from "./thresholds.js";

/** Counts by hand from what the filters of a test say. */
describe("measureFilters", () => {
  const size = { width: 224, height: 280 };

  test("finds most of the faults that nothing was fitted on, with few false alarms", { timeout: 60_000 }, async () => {
    const measures = await measureFilters({
      count: 3,
      seed: "measured in a test",
      ...size,
      kinds: ["watermark", "text", "occlusion", "blur", "low-resolution"],
      spoil: async ({ key, image, mask }, kind) => {
        if (kind === "duplicate") return undefined;
        const fault = await faultMakers[kind]({ image, mask }, "held-out", `test ${key}`);
        return { image: fault.image, mask: fault.mask, style: fault.how.split(" ")[0]! };
      },
    });
    for (const { kind, spoilt, caught, recall, alarms, clean, styles, missed, alarmed, rejected } of measures) {
      expect([spoilt, clean]).toEqual([3, 3]);
      expect(recall).toBeCloseTo(caught / 3, 12);
      expect(missed.length).toBe(3 - caught);
      expect(alarmed.length).toBe(alarms);
      expect(rejected).toBeGreaterThanOrEqual(caught);
      expect(styles.reduce((sum, one) => sum + one.caught, 0)).toBe(caught);
      expect(caught, `${kind} missed ${JSON.stringify(missed)}`).toBeGreaterThanOrEqual(2);
      expect(alarms, `${kind} alarmed by ${alarmed.join(", ")}`).toBeLessThanOrEqual(1);
    }
  });

  test("duplicates are caught where the ad itself stays, and alarms are ads that went", async () => {
    const { image, mask } = miniTriplet(1, { seed: "a", width: 96, height: 128 }).ad;
    const other = miniTriplet(2, { seed: "a", width: 96, height: 128 }).ad;
    const [measure] = await measureFilters({
      count: 3,
      kinds: ["duplicate"],
      // The second is the first once more: a false alarm by its name.
      ads: [
        { key: "a", image, mask },
        { key: "b", image, mask },
        { key: "c", image: other.image, mask: other.mask },
      ],
      spoil: async (ad) => (ad.key === "b" ? undefined : { ...ad, style: "exact" }),
    });
    expect(measure).toMatchObject({ spoilt: 2, caught: 2, clean: 3, alarms: 1, alarmed: ["b"], recall: 1 });
    expect(measure!.precision).toBeCloseTo(1 / (1 + 1 / 3), 12);
    expect(measure!.precisionInTwenty).toBeCloseTo(0.05 / (0.05 + 0.95 / 3), 12);
    expect(measuresMarkdown([measure!])).toContain("| duplicate | 2 | 1.000 | 1 of 3 | 0.750 | 0.14 | exact 2/2 |");
  });

  test("refuses a count of nothing", async () => {
    await expect(measureFilters({ count: 0 })).rejects.toThrow("expected count to be a whole number above 0, got 0");
  });
});

test("JPEG, grain, other light and a soft background raise no alarm that the picture itself did not", { timeout: 60_000 }, async () => {
  const kinds = new Set<string>();
  for (let index = 0; index < 10; index++) {
    const { ad } = miniTriplet(index, { seed: "harmless", width: 192, height: 240 });
    const { image, mask, how } = await harmless(ad, String(index));
    if (how === "nothing") continue;
    kinds.add(how);
    const [before, after] = [ad.image, image].map((one) => applyThresholds({ ...scorePicture(one), ...inspectProduct(one, mask) }));
    const known = before!.map(({ code }) => code);
    expect(
      after!.filter(({ code }) => !known.includes(code)),
      `${how} of ${index}`,
    ).toEqual([]);
  }
  expect(kinds.size).toBe(4);
});
