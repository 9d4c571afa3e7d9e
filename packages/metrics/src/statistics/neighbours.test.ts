import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import type { FeatureRows } from "./kid.js";
import { neighbourScores } from "./neighbours.js";
import { rowsOf, stacked } from "./rows.test-support.js";

function set(count: number, dimensions: number, options?: Parameters<typeof rowsOf>[2]): FeatureRows {
  return { rows: rowsOf(count, dimensions, options), count, dimensions };
}

function distance(a: FeatureRows, i: number, b: FeatureRows, j: number): number {
  let sum = 0;
  for (let k = 0; k < a.dimensions; k++) sum += (a.rows[i * a.dimensions + k]! - b.rows[j * a.dimensions + k]!) ** 2;
  return Math.sqrt(sum);
}

function slow(real: FeatureRows, generated: FeatureRows, k: number) {
  const indices = ({ count }: FeatureRows) => Array.from({ length: count }, (_, index) => index);
  const radius = (a: FeatureRows) =>
    indices(a).map(
      (i) =>
        indices(a)
          .map((j) => distance(a, i, a, j))
          .sort((x, y) => x - y)[k]!,
    );
  const [realRadii, generatedRadii] = [radius(real), radius(generated)];
  const mean = (flags: readonly (boolean | number)[]) => flags.reduce<number>((sum, flag) => sum + Number(flag), 0) / flags.length;
  return {
    precision: mean(indices(generated).map((j) => indices(real).some((i) => distance(real, i, generated, j) <= realRadii[i]!))),
    recall: mean(indices(real).map((i) => indices(generated).some((j) => distance(real, i, generated, j) <= generatedRadii[j]!))),
    density: mean(indices(generated).map((j) => indices(real).filter((i) => distance(real, i, generated, j) <= realRadii[i]!).length / k)),
    coverage: mean(indices(real).map((i) => indices(generated).some((j) => distance(real, i, generated, j) <= realRadii[i]!))),
  };
}

describe("neighbourScores", () => {
  it.each([
    { real: 40, generated: 55, dimensions: 5, k: 3 },
    { real: 70, generated: 33, dimensions: 3, k: 5 },
    // By ONNX Runtime.
    { real: 310, generated: 290, dimensions: 260, k: 3 },
  ])("are the slow counts for $real and $generated rows of $dimensions", async ({ real, generated, dimensions, k }) => {
    const [x, y] = [set(real, dimensions), set(generated, dimensions, { seed: 8, shift: 0.4, scale: 0.8 })];
    const [scores, expected] = [await neighbourScores(x, y, { k }), slow(x, y, k)];
    for (const name of ["precision", "recall", "density", "coverage"] as const) expect(scores[name]).toBeCloseTo(expected[name], 12);
  });

  it("of identical sets are 1, also with rows that are there twice", async () => {
    const x = set(30, 4);
    expect(await neighbourScores(x, x)).toMatchObject({ precision: 1, recall: 1, coverage: 1, fScore: 1 });
    const twice: FeatureRows = { rows: stacked(x.rows, x.rows, x.rows, x.rows, x.rows), count: 150, dimensions: 4 };
    const far = { ...twice, rows: twice.rows.map((value) => value + 1e4) };
    for (const rows of [twice, far]) expect(await neighbourScores(rows, rows)).toMatchObject({ precision: 1, recall: 1, coverage: 1 });
    // Without the border nothing is within a radius of 0.
    expect(await neighbourScores(twice, twice, { closed: false })).toMatchObject({ precision: 0, recall: 0, density: 0, coverage: 0 });
  });

  it("show a collapse as precision without recall", async () => {
    const { precision, recall } = await neighbourScores(set(200, 6), set(200, 6, { seed: 3, scale: 0.2 }));
    expect(precision).toBeGreaterThan(0.8);
    expect(recall).toBeLessThan(0.3);
  });

  it("of sets far apart are 0", async () => {
    expect(await neighbourScores(set(20, 4), set(20, 4, { shift: 50 }))).toMatchObject({
      precision: 0,
      recall: 0,
      density: 0,
      coverage: 0,
      fScore: 0,
    });
  });

  it("need more rows than neighbours", async () => {
    await expect(neighbourScores(set(3, 2), set(9, 2))).rejects.toThrow(ArgumentError);
    await expect(neighbourScores(set(9, 2), set(9, 3))).rejects.toThrow(ArgumentError);
    await expect(neighbourScores(set(9, 2), set(9, 2), { k: 0 })).rejects.toThrow(ArgumentError);
  });
});
