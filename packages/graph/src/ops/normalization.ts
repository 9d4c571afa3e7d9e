import { GraphError } from "../error.js";
import { type Operand, shape, type Value } from "../graph.js";
import { add, divide, multiply, sqrt, subtract } from "./elementwise.js";
import { expand, integers, reshape } from "./layout.js";

/**
 * Group normalisation, as `torch.nn.functional.group_norm`: mean and variance over each group of C / groups channels and all positions.
 *
 * ONNX Runtime's own kernels sum a whole group in one float32: at an autoencoder's million values they lose two digits and more. Here sums
 * are taken in two levels, first over rows of about √K, and the variance from differences to the mean, which are then what is scaled.
 *
 * @param x `[B, C, …]`
 * @param weight `[C]`
 * @param bias `[C]`
 * @throws GraphError when sizes do not fit.
 */
export function groupNorm(
  x: Value,
  weight: Operand,
  bias: Operand,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
): Value {
  const [batch, channels] = x.dims as [number, number];
  if (x.dims.length < 3 || !(groups >= 1) || channels % groups !== 0)
    throw new GraphError(`groupNorm: ${shape(x.dims)} does not split into ${groups} groups of channels`);
  expectPerChannel("groupNorm", channels, weight, bias);
  const perGroup = x.dims.slice(1).reduce((product, size) => product * size, 1) / groups;
  const row = rowLength(perGroup);
  const grouped = reshape(x, [batch, groups, perGroup / row, row]);
  // The reshape between both levels is what keeps OpenVINO from merging them into one long sum.
  const rowMeans = reshape(reduce("ReduceMean", grouped, 3), [batch, groups, perGroup / row]);
  const mean = reshape(reduce("ReduceMean", rowMeans, 2), [batch, groups, 1, 1]);
  const centred = subtract(grouped, mean);
  const squares = reduce("ReduceMean", reduce("ReduceSumSquare", centred, 3), 2);
  const deviation = sqrt(add(multiply(squares, 1 / row), epsilon));
  const table = reshape(x.graph.value(weight), [1, groups, channels / groups, 1]);
  const scale = divide(expand(table, x.graph, [batch, groups, channels / groups, 1]), deviation); // [B, G, C / G, 1]
  const rest = x.dims.slice(2).map(() => 1);
  const scaled = multiply(reshape(centred, x.dims), reshape(scale, [batch, channels, ...rest]));
  return add(scaled, reshape(x.graph.value(bias), [channels, ...rest]));
}

/** The divisor of `length` next to its root, so that neither level of a sum is long; `length` itself where it hardly divides. */
function rowLength(length: number): number {
  let row = Math.ceil(Math.sqrt(length));
  while (length % row !== 0) row++;
  return row;
}

function reduce(op: "ReduceMean" | "ReduceSumSquare", x: Value, axis: number): Value {
  const [out] = x.graph.add(op, [x, integers(x.graph, [axis])], [{ dtype: x.dtype, dims: x.dims.with(axis, 1) }]);
  return out!;
}

/**
 * Layer normalisation over the last dimension, as `torch.nn.functional.layer_norm`.
 *
 * @param x `[…, C]`
 * @param weight `[C]`
 * @param bias `[C]`
 * @throws GraphError when sizes do not fit.
 */
export function layerNorm(x: Value, weight: Operand, bias: Operand, { epsilon = 1e-5 }: { readonly epsilon?: number } = {}): Value {
  expectPerChannel("layerNorm", x.dims.at(-1)!, weight, bias);
  const [out] = x.graph.add("LayerNormalization", [x, weight, bias], [x], {
    attributes: { axis: -1n, epsilon },
    name: weight.name.replace(/\.weight$/, ""),
  });
  return out!;
}

export interface BatchNormStatistics {
  /** All of them `[C]`. */
  readonly weight: Operand;
  readonly bias: Operand;
  readonly mean: Operand;
  readonly variance: Operand;
}

/**
 * Batch normalisation with fixed statistics, as `torch.nn.functional.batch_norm(training=False)`. After a convolution ONNX Runtime folds it
 * into the weights.
 *
 * @param x `[B, C, …]`
 * @throws GraphError when sizes do not fit.
 */
export function batchNorm(
  x: Value,
  { weight, bias, mean, variance }: BatchNormStatistics,
  { epsilon = 1e-5 }: { readonly epsilon?: number } = {},
): Value {
  if (x.dims.length < 2) throw new GraphError(`batchNorm: expected x [B, C, …], got ${shape(x.dims)}`);
  expectPerChannel("batchNorm", x.dims[1]!, weight, bias, mean, variance);
  const [out] = x.graph.add("BatchNormalization", [x, weight, bias, mean, variance], [x], {
    attributes: { epsilon },
    name: weight.name.replace(/\.weight$/, ""),
  });
  return out!;
}

function expectPerChannel(where: string, channels: number, ...operands: readonly Operand[]): void {
  for (const { name, dims } of operands) {
    if (String(dims) !== String([channels])) throw new GraphError(`${where}: expected [${channels}], got ${name} ${shape(dims)}`);
  }
}
