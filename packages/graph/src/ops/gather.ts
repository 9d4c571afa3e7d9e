import { GraphError } from "../error.js";
import { type Operand, shape, type Value } from "../graph.js";

/**
 * Rows of a table, as `torch.nn.functional.embedding`.
 *
 * @param indices int32 or int64 `[…]`
 * @param table `[N, C]`
 * @returns `[…, C]`
 */
export function embedding(indices: Value, table: Operand): Value {
  if (table.dims.length !== 2 || (indices.dtype !== "int64" && indices.dtype !== "int32")) {
    throw new GraphError(`embedding: expected whole indices and a table [N, C], got ${indices.dtype} and ${table.name} ${shape(table.dims)}`);
  }
  const [out] = indices.graph.add("Gather", [table, indices], [{ dtype: table.dtype, dims: [...indices.dims, table.dims[1]!] }], {
    attributes: { axis: 0n },
  });
  return out!;
}

/**
 * One row per item of the batch: `x [B, T, C]`, `positions` int64 `[B]` → `[B, C]`.
 */
export function pickRows(x: Value, positions: Value): Value {
  const [batch, , channels] = x.dims as [number, number, number];
  if (x.dims.length !== 3 || positions.dtype !== "int64" || String(positions.dims) !== String([batch])) {
    throw new GraphError(`pickRows: expected x [B, T, C] and int64 [B], got ${shape(x.dims)} and ${positions.dtype} ${shape(positions.dims)}`);
  }
  const { graph } = x;
  const [column] = graph.add(
    "Reshape",
    [positions, graph.constant("int64", [2], BigInt64Array.of(BigInt(batch), 1n))],
    [{ dtype: "int64", dims: [batch, 1] }],
  );
  const [out] = graph.add("GatherND", [x, column!], [{ dtype: x.dtype, dims: [batch, channels] }], { attributes: { batch_dims: 1n } });
  return out!;
}

/** Index of the first largest element of the last dimension: `[…, N]` → int64 `[…]`. */
export function argMax(x: Value): Value {
  if (x.dims.length < 1) throw new GraphError(`argMax: expected […, N], got ${shape(x.dims)}`);
  const [out] = x.graph.add("ArgMax", [x], [{ dtype: "int64", dims: x.dims.slice(0, -1) }], { attributes: { axis: -1n, keepdims: 0n } });
  return out!;
}
