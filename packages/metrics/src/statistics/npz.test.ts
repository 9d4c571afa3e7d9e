import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeightsError } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MetricError } from "../metrics/error.js";
import { loadFeatures, loadStatistics, saveFeatures, saveStatistics } from "./npz.js";
import { rowsOf } from "./rows.test-support.js";
import { covarianceOf, featureStatistics } from "./statistics.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-metrics-npz-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// numpy 2.4.6: np.savez and np.savez_compressed of mu [1.5, -2] and sigma [[2, .5], [.5, 3]].
const stored =
  "UEsDBC0AAAAAAAAAIQCwmMVB//////////8GABQAbXUubnB5AQAQAJAAAAAAAAAAkAAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgCgAAAAAAAPg/AAAAAAAAAMBQSwMELQAAAAAAAAAhADfm/gn//////////wkAFABzaWdtYS5ucHkBABAAoAAAAAAAAACgAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAAEAAAAAAAADgPwAAAAAAAOA/AAAAAAAACEBQSwECLQMtAAAAAAAAACEAsJjFQZAAAACQAAAABgAAAAAAAAAAAAAAgAEAAAAAbXUubnB5UEsBAi0DLQAAAAAAAAAhADfm/gmgAAAAoAAAAAkAAAAAAAAAAAAAAIAByAAAAHNpZ21hLm5weVBLBQYAAAAAAgACAGsAAACjAQAAAAA=";
const deflated =
  "UEsDBC0AAAAIAAAAIQCwmMVB//////////8GABQAbXUubnB5AQAQAJAAAAAAAAAATQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBjD4YQ+hGQ4AAFBLAwQtAAAACAAAACEAN+b+Cf//////////CQAUAHNpZ21hLm5weQEAEACgAAAAAAAAAFEAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKRpo6CrUKZAMuBghwgFAP7FFpDgcAUEsBAi0DLQAAAAgAAAAhALCYxUFNAAAAkAAAAAYAAAAAAAAAAAAAAIABAAAAAG11Lm5weVBLAQItAy0AAAAIAAAAIQA35v4JUQAAAKAAAAAJAAAAAAAAAAAAAACAAYUAAABzaWdtYS5ucHlQSwUGAAAAAAIAAgBrAAAAEQEAAAAA";

describe("loadStatistics", () => {
  it.each([
    ["stored", stored],
    ["deflated", deflated],
  ])("reads what NumPy wrote, %s", async (name, text) => {
    const path = join(folder, `${name}.npz`);
    await writeFile(path, Buffer.from(text, "base64"));
    const statistics = await loadStatistics(path);
    expect([...statistics.mean]).toEqual([1.5, -2]);
    expect([...(await covarianceOf(statistics))]).toEqual([2, 0.5, 0.5, 3]);
    expect(statistics.count).toBeUndefined();
  });

  it("names what is wrong with a file", async () => {
    const features = join(folder, "features-only.npz");
    await saveFeatures(features, { rows: rowsOf(4, 3), count: 4, dimensions: 3 });
    await expect(loadStatistics(features)).rejects.toThrow(/expected an array "mu", it has feats/);
    const statistics = { dimensions: 2, mean: Float64Array.of(0, 0) };
    const save = async (name: string, covariance: readonly number[]) => {
      const path = join(folder, name);
      await saveStatistics(path, { ...statistics, covariance: Float64Array.from(covariance) });
      return path;
    };
    await expect(loadStatistics(await save("lopsided.npz", [1, 2, 3, 1]))).rejects.toThrow("symmetric");
    await expect(loadStatistics(await save("negative.npz", [-1, 0, 0, 1]))).rejects.toThrow("variances");
    await expect(loadStatistics(await save("nan.npz", [1, Number.NaN, Number.NaN, 1]))).rejects.toThrow("finite");
    const broken = join(folder, "broken.npz");
    await writeFile(broken, Buffer.from(stored, "base64").subarray(0, 300));
    expect(WeightsError.isInstance(await loadStatistics(broken).catch((error: unknown) => error))).toBe(true);
    await expect(loadStatistics(join(folder, "absent.npz"))).rejects.toThrow("absent.npz");
  });
});

describe("saveStatistics", () => {
  it("keeps every bit, of few rows and of many, and the number of pictures", async () => {
    for (const [name, count] of [
      ["few.npz", 5],
      ["many.npz", 40],
    ] as const) {
      const statistics = await featureStatistics(rowsOf(count, 9), 9);
      await saveStatistics(join(folder, name), statistics);
      const read = await loadStatistics(join(folder, name));
      expect(read.count).toBe(count);
      expect(read.mean).toEqual(statistics.mean);
      expect(await covarianceOf(read)).toEqual(await covarianceOf(statistics));
    }
  });

  it("refuses to replace a file unless asked, and leaves nothing half-written", async () => {
    const path = join(folder, "sub", "there.npz");
    const statistics = await featureStatistics(rowsOf(6, 2), 2);
    await saveStatistics(path, statistics);
    const again = await saveStatistics(path, statistics).catch((error: unknown) => error);
    expect(MetricError.isInstance(again) && again.code).toBe("exists");
    await saveStatistics(path, statistics, { overwrite: true });
    expect(await readdir(join(folder, "sub"))).toEqual(["there.npz"]);
    const inside = await saveStatistics(join(path, "no-folder.npz"), statistics).catch((error: unknown) => error);
    expect(MetricError.isInstance(inside) && inside.code).toBe("unwritable");
  });
});

describe("saveFeatures", () => {
  it("keeps features as clean-fid's files for KID", async () => {
    const path = join(folder, "set_clean_custom_na_kid.npz");
    const features = { rows: rowsOf(7, 5), count: 7, dimensions: 5 };
    await saveFeatures(path, features);
    expect(await loadFeatures(path)).toEqual(features);
    await expect(saveFeatures(join(folder, "x.npz"), { ...features, count: 6 })).rejects.toThrow("6 × 5");
  });
});
