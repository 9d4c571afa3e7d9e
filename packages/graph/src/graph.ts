import { GraphError } from "./error.js";
import { bytesPerElement, type DType, elementCount } from "./tensor.js";
import type { Parameter } from "./weights/weights.js";

/** What an op or an input gives: a tensor of fixed element type and size. Values belong to the graph that made them. */
export interface Value {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
}

/** What op functions take where a weight may stand as well as a computed value. */
export type Operand = Value | Parameter;

export type Attribute = number | bigint | string | readonly number[] | readonly bigint[];

/** Sets of operators: ONNX's own, and ONNX Runtime's (`com.microsoft`), which OpenVINO reads too. */
export type Domain = "" | "com.microsoft";

/** One op as data: later passes (gradients, precision, other runtimes) read and rewrite these. Integers are bigint, reals number. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly domain: Domain;
  /** Names of values; an empty name stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A value known when the graph is built: small data held here, or a parameter whose data stays in its file. */
export type Constant = { readonly dtype: DType; readonly dims: readonly number[] } & (
  | { readonly data: Uint8Array }
  | { readonly parameter: Parameter }
);

/**
 * A network as data: inputs, ops in the order in which they were written, outputs, and the constants between them.
 * Sizes are static; op functions (`conv2d`, `attention`, …) check them and infer the next.
 */
export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly outputs: { readonly name: string; readonly value: Value }[] = [];
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Constant> = new Map();
  readonly values: Map<string, Value> = new Map();
  readonly #parameters = new Map<Parameter, Value>();
  readonly #shared = new Map<string, Value>();
  readonly #counts = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** Declares an input of the whole graph. Throws a `GraphError` when the name is taken. */
  input(name: string, dtype: DType, dims: readonly number[]): Value {
    const value = this.#declare(name, dtype, dims);
    this.inputs.push(value);
    return value;
  }

  /** Declares an output of the whole graph. Ops that no output needs are left out when the graph is serialised. */
  output(name: string, value: Value): void {
    this.#own("output", value);
    if (this.outputs.some((output) => output.name === name) || this.inputs.some((input) => input.name === name)) {
      throw new GraphError(`output: the name "${name}" is taken`);
    }
    this.outputs.push({ name, value });
  }

  /** A constant held in the graph; equal ones are shared. `data` is little-endian. */
  constant(dtype: DType, dims: readonly number[], data: ArrayBufferView): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    if (bytes.length !== elementCount(dims) * bytesPerElement[dtype]) {
      throw new GraphError(
        `constant: expected ${elementCount(dims) * bytesPerElement[dtype]} bytes for ${dtype} ${shape(dims)}, got ${bytes.length}`,
      );
    }
    const key = bytes.length <= 64 ? `${dtype} ${dims} ${bytes}` : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const value = this.#declare(this.#fresh("constant"), dtype, dims);
    this.constants.set(value.name, { dtype, dims, data: bytes });
    if (key !== undefined) this.#shared.set(key, value);
    return value;
  }

  /** The value of an operand: itself, or the constant that stands for a parameter (one constant per parameter). */
  value(operand: Operand): Value {
    if ("graph" in operand) return this.#own("value", operand);
    const known = this.#parameters.get(operand);
    if (known) return known;
    const taken = this.values.has(operand.name);
    const value = this.#declare(taken ? this.#fresh(operand.name) : operand.name, operand.dtype, operand.dims);
    this.constants.set(value.name, { dtype: operand.dtype, dims: operand.dims, parameter: operand });
    this.#parameters.set(operand, value);
    return value;
  }

  /** Adds an op and returns its outputs. Op functions check and infer; this only records. */
  add(
    op: string,
    inputs: readonly (Operand | undefined)[],
    outputs: readonly { readonly dtype: DType; readonly dims: readonly number[] }[],
    {
      domain = "",
      attributes = {},
      name,
    }: { readonly domain?: Domain; readonly attributes?: Readonly<Record<string, Attribute>>; readonly name?: string } = {},
  ): Value[] {
    const sources = inputs.map((input) => (input === undefined ? "" : this.value(input).name));
    const label = this.#fresh(name ?? op);
    const values = outputs.map(({ dtype, dims }, index) =>
      this.#declare(outputs.length === 1 ? `${label}/out` : `${label}/out${index}`, dtype, dims),
    );
    this.nodes.push({ name: label, op, domain, inputs: sources, outputs: values.map((value) => value.name), attributes });
    return values;
  }

  #declare(name: string, dtype: DType, dims: readonly number[]): Value {
    if (this.values.has(name)) throw new GraphError(`${this.name}: the name "${name}" is taken`);
    if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0)) throw new GraphError(`${name}: expected whole sizes, got ${shape(dims)}`);
    const value: Value = { graph: this, name, dtype, dims: [...dims] };
    this.values.set(name, value);
    return value;
  }

  #own(where: string, value: Value): Value {
    if (value.graph !== this) throw new GraphError(`${where}: "${value.name}" belongs to the graph "${value.graph.name}", not to "${this.name}"`);
    return value;
  }

  #fresh(stem: string): string {
    const count = this.#counts.get(stem) ?? 0;
    this.#counts.set(stem, count + 1);
    return count === 0 && stem.includes(".") ? stem.concat("/op") : `${stem}_${count}`;
  }
}

/** Sizes as messages print them: `[2, 320, 64, 80]`. */
export function shape(dims: readonly number[]): string {
  return `[${dims.join(", ")}]`;
}
