import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { openNpz, type StoredTensor, type WeightSource, WeightsError, widenToFloat64 } from "@refadgen/graph";
import { zip } from "fflate";
import { MetricError } from "../metrics/error.js";
import type { FeatureRows } from "./kid.js";
import { covarianceOf, type FeatureStatistics } from "./statistics.js";

export interface SaveOptions {
  /** Replace a file that is there. Default false, as pytorch-fid. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Writes mean and covariance as pytorch-fid and clean-fid do: a `.npz` with `mu` `[D]` and `sigma` `[D, D]`, float64. Where it is known, the
 * number of pictures stands beside them as `n`, which those packages ignore. The file appears under its name when it is whole.
 *
 * @throws MetricError `exists`, `unwritable`
 */
export async function saveStatistics(path: string, statistics: FeatureStatistics, options: SaveOptions = {}): Promise<void> {
  await expectWritable("saveStatistics", path, options);
  const { dimensions, mean, count } = statistics;
  const covariance = await covarianceOf(statistics, options.signal);
  await writeNpz("saveStatistics", path, {
    mu: npy("<f8", [dimensions], mean),
    sigma: npy("<f8", [dimensions, dimensions], covariance),
    ...(count !== undefined && { n: npy("<i8", [], BigInt64Array.of(BigInt(count))) }),
  });
}

/**
 * Reads `mu` and `sigma` from a `.npz` of pytorch-fid, clean-fid or `saveStatistics`, compressed or not.
 *
 * @throws MetricError `statistics` when arrays are missing, do not fit or are no covariance; WeightsError for a file that cannot be read
 */
export async function loadStatistics(path: string): Promise<FeatureStatistics> {
  const source = await openArrays("loadStatistics", path);
  const [mu, sigma] = [arrayOf(source, path, "mu"), arrayOf(source, path, "sigma")];
  const [dimensions] = mu.dims;
  if (mu.dims.length !== 1 || String(sigma.dims) !== String([dimensions, dimensions]))
    throw wrongFile(path, `expected mu [D] and sigma [D, D], got [${mu.dims.join(", ")}] and [${sigma.dims.join(", ")}]`);
  const [mean, covariance] = [await realsOf(mu, path), await realsOf(sigma, path)];
  const size = dimensions!;
  for (let i = 0; i < size; i++) {
    if (covariance[i * size + i]! < 0) throw wrongFile(path, `expected variances, sigma has ${covariance[i * size + i]} on its diagonal`);
    for (let j = 0; j < i; j++) {
      const [one, other] = [covariance[i * size + j]!, covariance[j * size + i]!];
      if (Math.abs(one - other) > 1e-6 * Math.max(Math.abs(one), Math.abs(other), 1e-6))
        throw wrongFile(path, `expected a symmetric sigma, ${one} and ${other} stand at ${i}, ${j} and mirrored`);
    }
  }
  const n = source.tensors.get("n");
  const count = n && n.dtype === "int64" && n.dims.length === 0 ? Number(new DataView(copyOf(await n.read())).getBigInt64(0, true)) : undefined;
  return { dimensions: size, ...(count !== undefined && { count }), mean, covariance };
}

/**
 * Writes features as clean-fid does for KID: a `.npz` with `feats` `[N, D]`, float32.
 *
 * @throws MetricError `exists`, `unwritable`
 */
export async function saveFeatures(path: string, { rows, count, dimensions }: FeatureRows, options: SaveOptions = {}): Promise<void> {
  if (rows.length !== count * dimensions) throw new ArgumentError(`saveFeatures: expected ${count} × ${dimensions} values, got ${rows.length}`);
  await expectWritable("saveFeatures", path, options);
  await writeNpz("saveFeatures", path, { feats: npy("<f4", [count, dimensions], rows) });
}

/**
 * Reads `feats` from a `.npz` of clean-fid (`*_kid.npz`) or `saveFeatures`.
 *
 * @throws MetricError `statistics`; WeightsError for a file that cannot be read
 */
export async function loadFeatures(path: string): Promise<FeatureRows> {
  const feats = arrayOf(await openArrays("loadFeatures", path), path, "feats");
  const [count, dimensions] = feats.dims;
  if (feats.dims.length !== 2 || count === 0) throw wrongFile(path, `expected feats [N, D], got [${feats.dims.join(", ")}]`);
  return { rows: Float32Array.from(await realsOf(feats, path)), count: count!, dimensions: dimensions! };
}

async function openArrays(where: string, path: string): Promise<WeightSource> {
  try {
    return await openNpz(path);
  } catch (error) {
    if (WeightsError.isInstance(error) || !(error instanceof Error)) throw error;
    throw new MetricError("statistics", `${where}: cannot read ${path}: ${error.message}`, { cause: error });
  }
}

function arrayOf(source: WeightSource, path: string, name: string): StoredTensor {
  const found = source.tensors.get(name);
  if (!found) throw wrongFile(path, `expected an array "${name}", it has ${[...source.tensors.keys()].join(", ")}`);
  return found;
}

async function realsOf(tensor: StoredTensor, path: string): Promise<Float64Array> {
  if (tensor.dtype !== "float64" && tensor.dtype !== "float32" && tensor.dtype !== "float16")
    throw wrongFile(path, `expected real numbers in "${tensor.name}", got ${tensor.dtype}`);
  const values = widenToFloat64(tensor.dtype, await tensor.read());
  if (!values.every(Number.isFinite)) throw wrongFile(path, `expected finite numbers in "${tensor.name}"`);
  return values;
}

function wrongFile(path: string, what: string): MetricError {
  return new MetricError("statistics", `${path}: ${what}`);
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** An array in numpy.lib.format version 1. */
function npy(descr: string, dims: readonly number[], values: Float64Array | Float32Array | BigInt64Array): Uint8Array {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  // Values begin at a multiple of 64 bytes; the header ends with a line break.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length + values.byteLength);
  bytes.set([0x93, ...Buffer.from("NUMPY"), 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  bytes.set(Buffer.from(`${text.padEnd(length - 11)}\n`, "latin1"), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), length);
  return bytes;
}

async function expectWritable(where: string, path: string, { overwrite = false }: SaveOptions): Promise<void> {
  if (!overwrite && (await stat(path).catch(() => undefined)))
    throw new MetricError("exists", `${where}: ${path} is there already; remove it or ask for it to be replaced`);
}

async function writeNpz(where: string, path: string, arrays: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const entries = Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]));
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    // Features hardly shrink; a fixed time keeps equal files equal.
    zip(entries, { level: 0, mtime: new Date(1980, 0, 1) }, (error, data) => (error ? reject(error) : resolve(data)));
  });
  const temporary = `${path}.${randomUUID()}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new MetricError("unwritable", `${where}: cannot write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
