import { ArgumentError } from "@refadgen/errors";
import { type Graph, shape } from "../graph.js";
import { elementCount, type RunDType, type Tensor, type TensorData } from "../tensor.js";

const arrays: { readonly [T in RunDType]: abstract new (...args: never[]) => TensorData[T] } = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** What is checked of a feed before a run: tensors and those that a session holds. */
type Feed = Tensor | { readonly dtype: RunDType; readonly dims: readonly number[] };

/** Throws an ArgumentError unless there is one feed for every input, of its type and size. */
export function checkFeeds(graph: Pick<Graph, "name" | "inputs">, feeds: Readonly<Record<string, Feed>>): void {
  const names = graph.inputs.map(({ name }) => name);
  const unknown = Object.keys(feeds).find((key) => !names.includes(key));
  if (unknown !== undefined) throw new ArgumentError(`run: ${graph.name} has no input "${unknown}"; it has ${names.join(", ")}`);
  for (const { name, dtype, dims } of graph.inputs) {
    const feed = feeds[name];
    if (!feed) throw new ArgumentError(`run: ${graph.name} needs the input "${name}" ${dtype} ${shape(dims)}`);
    if (feed.dtype !== dtype || String(feed.dims) !== String(dims)) {
      throw new ArgumentError(`run: ${graph.name} expected "${name}" ${dtype} ${shape(dims)}, got ${feed.dtype} ${shape(feed.dims)}`);
    }
    if ("data" in feed) checkData("run", name, feed);
  }
}

/** Throws an ArgumentError unless a tensor's array is of its type and length. */
export function checkData(where: string, name: string, { dtype, dims, data }: Tensor): void {
  if (!Object.hasOwn(arrays, dtype) || !(data instanceof arrays[dtype]))
    throw new ArgumentError(`${where}: ${name} expected a typed array of ${dtype}, got ${data.constructor.name}`);
  if (data.length !== elementCount(dims))
    throw new ArgumentError(`${where}: ${name} expected ${elementCount(dims)} values for ${shape(dims)}, got ${data.length}`);
}
