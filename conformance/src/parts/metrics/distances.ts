import { type FeatureRows, featureStatistics, frechetDistance, kernelDistances, neighbourScores, numpyRandom, type Subset } from "@refadgen/metrics";
import { type Comparison, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";

interface FrechetSettings {
  readonly cases: Readonly<
    Record<string, { readonly value: number; readonly scale: number; readonly n: readonly [number, number]; readonly d: number }>
  >;
}

/** Fréchet distances from features: 2e-7 of the traces. */
export async function frechet(recording: Recording<FrechetSettings>): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [name, { value, scale, n, d }] of Object.entries(recording.settings.cases)) {
    const [x, y] = [await rowsOf(recording, `${name}.x`), await rowsOf(recording, `${name}.y`)];
    comparisons.push(compareValues(`${name} sizes`, [x.count, y.count, x.dimensions], Float64Array.of(...n, d), {}));
    const distance = (one: FeatureRows, other: FeatureRows) =>
      Promise.all([one, other].map(({ rows, dimensions }) => featureStatistics(rows, dimensions))).then(([a, b]) => frechetDistance(a!, b!));
    const expected = Float64Array.of(value);
    comparisons.push(
      compareValues(name, [await distance(x, y)], expected, { max: 2e-7 * scale }),
      compareValues(`${name} swapped`, [await distance(y, x)], expected, { max: 2e-7 * scale }),
    );
  }
  return comparisons;
}

interface KidSettings {
  readonly degree: number;
  readonly coef0: number;
  readonly gamma: string;
  readonly mean: number;
  readonly std: number;
  readonly torch_fidelity_float32: readonly [number, number];
  readonly torch_fidelity_rng_seed: number;
  readonly torchmetrics_float32_subsets: readonly number[];
  readonly first_m: { readonly m: number; readonly value: number };
  readonly same_set: number;
}

/** KID on given subsets and on those that NumPy's generator draws; recorded float32 values to 1e-5. */
export async function kid(recording: Recording<KidSettings>): Promise<Comparison[]> {
  const { degree, coef0: coefficient, gamma, mean, std, torch_fidelity_rng_seed: seed, first_m, same_set, ...single } = recording.settings;
  if (gamma !== "1/d") throw new Error(`expected gamma 1/d, got ${gamma}`);
  const [x, y] = [await rowsOf(recording, "x"), await rowsOf(recording, "y")];
  const subsets = await subsetsOf(recording);
  const exact = { max: 1e-9 };
  const values = await kernelDistances(x, y, subsets, { degree, coefficient });
  const found = meanAndDeviation(values);
  const random = numpyRandom(seed);
  const size = subsets[0]!.first.length;
  const drawn = subsets.map(() => ({ first: random.choice(x.count, size), second: random.choice(y.count, size) }));
  const flat = (side: "first" | "second") => drawn.flatMap((subset) => [...subset[side]]);
  const whole = (count: number): Subset => ({
    first: Int32Array.from({ length: count }, (_, i) => i),
    second: Int32Array.from({ length: count }, (_, i) => i),
  });
  const [firstM] = await kernelDistances(x, y, [whole(first_m.m)], { degree, coefficient });
  const [sameSet] = await kernelDistances(x, x, [whole(x.count)], { degree, coefficient });
  const rounded = { max: 1e-5 };
  return [
    compareValues("subset_values", values, await recording.values("subset_values"), exact),
    compareValues("mean, std", found, Float64Array.of(mean, std), exact),
    compareValues("indices_x", flat("first"), await recording.values("indices_x"), {}),
    compareValues("indices_y", flat("second"), await recording.values("indices_y"), {}),
    compareValues("torch_fidelity_float32", found, Float64Array.from(single.torch_fidelity_float32), rounded),
    compareValues("torchmetrics_float32_subsets", values, Float64Array.from(single.torchmetrics_float32_subsets), rounded),
    compareValues("first_m", [firstM!], Float64Array.of(first_m.value), exact),
    compareValues("same_set", [sameSet!], Float64Array.of(same_set), exact),
  ];
}

interface NeighbourCase {
  readonly k: number;
  readonly precision: number;
  readonly recall: number;
  readonly f_score?: number;
  /** Both sets are this one. */
  readonly set?: string;
}

/** Precision and recall: decisions are exact, radii as far as float64 goes. */
export async function precisionRecall(recording: Recording<{ readonly cases: Readonly<Record<string, NeighbourCase>> }>): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [name, { k, set, ...expected }] of Object.entries(recording.settings.cases)) {
    const [generated, real] = [await rowsOf(recording, set ?? `${name}.generated`), await rowsOf(recording, set ?? `${name}.real`)];
    const { precision, recall, fScore, radii } = await neighbourScores(real, generated, { k });
    comparisons.push(compareValues(name, [precision, recall], Float64Array.of(expected.precision, expected.recall), {}));
    if (expected.f_score !== undefined)
      comparisons.push(compareValues(`${name} f_score`, [fScore], Float64Array.of(expected.f_score), { max: 1e-15 }));
    for (const side of ["generated", "real"] as const) {
      const recorded = `${name}.radii_${side}`;
      // Sums of squares in another order.
      if (recording.has(recorded)) comparisons.push(compareValues(recorded, radii[side], await recording.values(recorded), { max: 1e-12 }));
    }
  }
  return comparisons;
}

async function rowsOf(recording: Recording<unknown>, name: string): Promise<FeatureRows> {
  const [count, dimensions] = recording.dims(name) as [number, number];
  return { rows: Float32Array.from(await recording.values(name)), count, dimensions };
}

async function subsetsOf(recording: Recording<unknown>): Promise<Subset[]> {
  const [first, second] = [await recording.values("indices_x"), await recording.values("indices_y")];
  const [count, size] = recording.dims("indices_x") as [number, number];
  const part = (values: Float64Array, index: number) => Int32Array.from(values.subarray(index * size, (index + 1) * size));
  return Array.from({ length: count }, (_, index) => ({ first: part(first, index), second: part(second, index) }));
}

/** Deviation without Bessel's correction, as the packages have it. */
function meanAndDeviation(values: Float64Array): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
}
