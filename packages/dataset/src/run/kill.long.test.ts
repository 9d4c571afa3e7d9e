import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../mini/random.js";
import { outcomeOf, runChild, smallPictures, writeSmallConfig } from "./small-run.test.support.js";

const kills = 500;
/** Kills of one run before it is let through and compared. */
const each = 25;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-kill-long-"));
  await smallPictures(join(folder, "pictures"), 15);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("runDataset in a process that is killed 500 times", () => {
  it("ends with the same bytes as one that is not", async () => {
    const whole = await runChild(await writeSmallConfig(folder, "whole"));
    const { events } = JSON.parse(whole.stdout) as { readonly events: number };
    const expected = await outcomeOf(join(folder, "whole"));
    const draw = random(7, "kills");
    let killed = 0;
    for (let round = 0; round < kills / each; round++) {
      const broken = await writeSmallConfig(folder, `broken-${round}`);
      // Points in rising order reach every step; the delay lands between two events, in the middle of a write.
      const points = Array.from({ length: each }, () => draw.integer(1, events - 2)).sort((a, b) => a - b);
      for (const point of points) {
        const end = await runChild(broken, point, draw.integer(0, 12));
        expect(end.stderr).toBe("");
        if (end.signal === "SIGKILL") killed++;
      }
      expect(await runChild(broken)).toMatchObject({ code: 0, stderr: "" });
      expect(await outcomeOf(join(folder, `broken-${round}`))).toEqual(expected);
      await rm(join(folder, `broken-${round}`), { recursive: true });
    }
    // A point near the end may be reached too late to kill anything.
    expect(killed).toBeGreaterThan(kills * 0.95);
  }, 7_200_000);
});
