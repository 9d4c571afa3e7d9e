import { shape } from "../graph.js";
import type { DType } from "../tensor.js";
import { WeightsError } from "./error.js";
import type { StoredTensor } from "./source.js";

/** A weight as an op takes it: a stored tensor, or a run of its rows. Its values stay where they are. */
export interface Parameter {
  /** Its key in the checkpoint, with the rows where it is a part. */
  readonly name: string;
  /** The element type in the graph; other stored types are widened once into a cache. */
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly stored: StoredTensor;
  /** First element taken from `stored`; 0 unless it is a part. */
  readonly start: number;
}

/** Where weights come from: asked for by key and expected sizes, so that formula weights fit as well as files. */
export interface WeightLookup {
  readonly description: string;
  /** The tensor stored under `key`, or undefined. `dims` is what the network expects; files answer whatever they hold. */
  tensor(key: string, dims: readonly number[]): StoredTensor | undefined;
  /** Every key that is there; empty for sources that have any key. */
  keys(): Iterable<string>;
}

interface Ledger {
  readonly lookup: WeightLookup;
  readonly rename: (key: string) => string;
  readonly parameters: Map<string, Parameter>;
  readonly missing: Map<string, readonly number[]>;
  readonly misshapen: Map<string, { readonly expected: readonly number[]; readonly found: readonly number[] }>;
}

/**
 * A view of a checkpoint under a prefix. Network functions ask it for what they need with the sizes they expect; what is missing or
 * misshapen is collected (the graph goes on with the expected sizes) and reported by `verify`, all at once.
 */
export class Weights {
  readonly prefix: string;
  readonly #ledger: Ledger;

  private constructor(prefix: string, ledger: Ledger) {
    this.prefix = prefix;
    this.#ledger = ledger;
  }

  /** All weights of a source. `rename` turns a key that a network asks for into the key in the file. */
  static from(lookup: WeightLookup, { rename = (key: string) => key }: { readonly rename?: (key: string) => string } = {}): Weights {
    return new Weights("", { lookup, rename, parameters: new Map(), missing: new Map(), misshapen: new Map() });
  }

  /** The view one level down: `weights.at("down_blocks.0").get("conv.weight", …)` is the key `down_blocks.0.conv.weight`. */
  at(prefix: string): Weights {
    return new Weights(`${this.prefix}${prefix}.`, this.#ledger);
  }

  /** Whether the source holds this key. Formula weights hold every key. */
  has(name: string, dims: readonly number[] = []): boolean {
    return this.#ledger.lookup.tensor(this.#ledger.rename(this.prefix + name), dims) !== undefined;
  }

  /** The weight `name` below this prefix, which must have the sizes `dims`; asking twice gives the same parameter. */
  get(name: string, dims: readonly number[]): Parameter {
    const { lookup, rename, parameters, missing, misshapen } = this.#ledger;
    const key = rename(this.prefix + name);
    const known = parameters.get(key);
    if (known && String(known.dims) === String(dims)) return known;
    const stored = lookup.tensor(key, dims);
    if (!stored) missing.set(key, dims);
    else if (String(stored.dims) !== String(dims)) misshapen.set(key, { expected: dims, found: stored.dims });
    const parameter: Parameter = { name: key, dtype: "float32", dims: [...dims], stored: stored ?? absent(key, dims), start: 0 };
    parameters.set(key, parameter);
    return parameter;
  }

  /**
   * Throws one `WeightsError` (code `mismatch`) that lists every key that was asked for and is missing, every one of another size,
   * and every key below this prefix that nobody asked for, but those that `ignore` accepts.
   */
  verify({ ignore = () => false }: { readonly ignore?: (key: string) => boolean } = {}): void {
    const { lookup, missing, misshapen, parameters } = this.#ledger;
    const below = (key: string) => key.startsWith(this.prefix);
    const unexpected = [...lookup.keys()].filter((key) => below(key) && !parameters.has(key) && !ignore(key));
    const lines = [
      ...[...missing].filter(([key]) => below(key)).map(([key, dims]) => `missing     ${key} ${shape(dims)}`),
      ...[...misshapen]
        .filter(([key]) => below(key))
        .map(([key, { expected, found }]) => `wrong size  ${key}: expected ${shape(expected)}, got ${shape(found)}`),
      ...unexpected.map((key) => `unexpected  ${key}`),
    ];
    if (lines.length > 0)
      throw new WeightsError("mismatch", `${lookup.description}: ${lines.length} keys do not fit the network\n  ${lines.join("\n  ")}`);
  }
}

/** The rows `from` to `to` (exclusive) of a parameter, read from the same place: `[320, 64]` → `[to - from, 64]`. */
export function rows(parameter: Parameter, from: number, to: number): Parameter {
  if (![from, to].every(Number.isInteger) || !(0 <= from && from < to && to <= parameter.dims[0]!))
    throw new WeightsError("mismatch", `rows: expected rows of ${parameter.name} ${shape(parameter.dims)}, got ${from} to ${to}`);
  const width = parameter.dims.slice(1).reduce((product, size) => product * size, 1);
  return {
    ...parameter,
    name: `${parameter.name}[${from}:${to}]`,
    dims: [to - from, ...parameter.dims.slice(1)],
    start: parameter.start + from * width,
  };
}

/** The same values with other sizes. Throws when the number of elements differs. */
export function reshaped(parameter: Parameter, dims: readonly number[]): Parameter {
  const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
  if (count(dims) !== count(parameter.dims))
    throw new WeightsError("mismatch", `reshaped: ${parameter.name} ${shape(parameter.dims)} does not fit ${shape(dims)}`);
  return { ...parameter, name: `${parameter.name}${shape(dims)}`, dims: [...dims] };
}

function absent(name: string, dims: readonly number[]): StoredTensor {
  const fail = () => Promise.reject(new WeightsError("mismatch", `${name} ${shape(dims)} is not in the checkpoint`));
  return { name, dtype: "float32", dims, read: fail, contentKey: fail };
}
