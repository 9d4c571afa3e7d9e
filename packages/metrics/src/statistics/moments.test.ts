import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { MetricError } from "../metrics/error.js";
import { FeatureMoments } from "./moments.js";
import { relativeError, rowsOf, slowStatistics, stacked } from "./rows.test-support.js";
import { covarianceOf } from "./statistics.js";

async function momentsOf(rows: Float32Array, dimensions: number, batch: number): Promise<FeatureMoments> {
  const moments = new FeatureMoments(dimensions);
  for (let from = 0; from < rows.length; from += batch * dimensions) await moments.add(rows.subarray(from, from + batch * dimensions));
  return moments;
}

describe("FeatureMoments", () => {
  it.each([
    { count: 3, dimensions: 7, batch: 2 },
    { count: 7, dimensions: 7, batch: 3 },
    { count: 8, dimensions: 7, batch: 1 },
    { count: 1500, dimensions: 5, batch: 111 },
    // Large enough for ONNX Runtime, with a last block that is not full, and tiles of unequal width.
    { count: 700, dimensions: 530, batch: 64 },
  ])("gives mean and covariance of $count rows of $dimensions by definition", async ({ count, dimensions, batch }) => {
    const rows = rowsOf(count, dimensions, { shift: 50 });
    const statistics = await (await momentsOf(rows, dimensions, batch)).statistics();
    const slow = slowStatistics(rows, dimensions);
    expect(statistics.count).toBe(count);
    expect(relativeError(statistics.mean, slow.mean)).toBeLessThan(1e-14);
    expect(relativeError(await covarianceOf(statistics), slow.covariance)).toBeLessThan(1e-12);
  });

  it("keeps few rows as they are, and forgets them when there are many", async () => {
    const rows = rowsOf(12, 9);
    expect(await (await momentsOf(rows.subarray(0, 81), 9, 4)).statistics()).toHaveProperty("rows");
    expect(await (await momentsOf(rows, 9, 4)).statistics()).not.toHaveProperty("rows");
  });

  it.each([
    { parts: [3, 4], dimensions: 9 },
    { parts: [5, 30], dimensions: 9 },
    { parts: [40, 2, 70], dimensions: 9 },
  ])("merges parts of $parts rows to what one pass gives", async ({ parts, dimensions }) => {
    const rows = rowsOf(
      parts.reduce((sum, part) => sum + part, 0),
      dimensions,
      { shift: 1000 },
    );
    const whole = await (await momentsOf(rows, dimensions, 16)).statistics();
    const merged = new FeatureMoments(dimensions);
    let from = 0;
    for (const part of parts) {
      const moments = await momentsOf(rows.subarray(from * dimensions, (from + part) * dimensions), dimensions, 3);
      await merged.merge(structuredClone(moments.state()));
      from += part;
    }
    const statistics = await merged.statistics();
    expect(statistics.count).toBe(whole.count);
    expect(relativeError(statistics.mean, whole.mean)).toBeLessThan(1e-14);
    expect(relativeError(await covarianceOf(statistics), await covarianceOf(whole))).toBeLessThan(1e-12);
  });

  it("loses no digits of features far from zero", async () => {
    const rows = rowsOf(60, 4, { shift: 4096 });
    const { covariance } = slowStatistics(rows, 4);
    expect(relativeError(await covarianceOf(await (await momentsOf(rows, 4, 7)).statistics()), covariance)).toBeLessThan(1e-12);
  });

  it("refuses values that are not finite and rows of another width, and counts nothing of them", async () => {
    const moments = await momentsOf(rowsOf(4, 3), 3, 4);
    expect(() => moments.add(Float32Array.of(1, Number.NaN, 3))).toThrow(MetricError);
    expect(() => moments.add(Float32Array.of(1, 2, 3, Number.POSITIVE_INFINITY, 0, 0))).toThrow("Infinity in row 1, column 0");
    expect(() => moments.add(Float32Array.of(1, 2))).toThrow(ArgumentError);
    expect(() => moments.merge({ dimensions: 4, count: 1, rows: new Float32Array(4) })).toThrow(ArgumentError);
    expect(moments.count).toBe(4);
  });

  it("has no covariance of one row", async () => {
    await expect((await momentsOf(rowsOf(1, 3), 3, 1)).statistics()).rejects.toThrow("at least 2 pictures");
  });

  it("keeps rows that an abort leaves over", async () => {
    const moments = new FeatureMoments(300);
    await moments.add(rowsOf(300, 300));
    const stopped = AbortSignal.abort(new Error("stop"));
    await expect(moments.add(rowsOf(900, 300, { seed: 2 }), stopped)).rejects.toThrow("stop");
    const statistics = await moments.statistics();
    const whole = await (await momentsOf(stacked(rowsOf(300, 300), rowsOf(900, 300, { seed: 2 })), 300, 1200)).statistics();
    expect(statistics.count).toBe(1200);
    expect(relativeError(await covarianceOf(statistics), await covarianceOf(whole))).toBeLessThan(1e-12);
  });
});
