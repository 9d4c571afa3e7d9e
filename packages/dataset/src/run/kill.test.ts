import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeOf, runChild, smallPictures, writeSmallConfig } from "./small-run.test.support.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-kill-"));
  await smallPictures(join(folder, "pictures"), 8);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("runDataset in a process that is killed", () => {
  it("ends with the same bytes as one that is not, after ten kills spread over all steps", async () => {
    const whole = await runChild(await writeSmallConfig(folder, "whole"));
    expect(whole.stderr).toBe("");
    const { events } = JSON.parse(whole.stdout) as { readonly events: number };
    expect(events).toBeGreaterThan(100);
    const broken = await writeSmallConfig(folder, "broken");
    for (let kill = 1; kill <= 10; kill++) {
      const end = await runChild(broken, Math.round((kill * (events - 2)) / 10), kill % 2 === 0 ? 0 : kill);
      expect(end).toMatchObject({ signal: "SIGKILL", stderr: "" });
    }
    expect(await runChild(broken)).toMatchObject({ code: 0, stderr: "" });
    const expected = await outcomeOf(join(folder, "whole"));
    expect(Object.keys(expected)).toEqual(expect.arrayContaining(["ledger", "report.html", "webdataset/index.json", "authors/train_sd.json"]));
    expect(await outcomeOf(join(folder, "broken"))).toEqual(expected);
  }, 120_000);
});
