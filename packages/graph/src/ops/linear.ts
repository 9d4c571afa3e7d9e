import { GraphError } from "../error.js";
import { type Operand, shape, type Value } from "../graph.js";
import { reshape } from "./layout.js";

/**
 * `x · weightᵀ + bias` over the last dimension, as `torch.nn.functional.linear`; the weight is used as PyTorch stores it.
 *
 * @param x `[…, C]`
 * @param weight `[K, C]`
 * @param bias `[K]`
 * @returns `[…, K]`
 * @throws GraphError when sizes do not fit.
 */
export function linear(x: Value, weight: Operand, bias?: Operand): Value {
  const channels = x.dims.at(-1);
  if (x.dims.length < 1 || weight.dims.length !== 2 || weight.dims[1] !== channels) {
    throw new GraphError(`linear: expected x […, ${weight.dims[1]}] for weight ${weight.name} ${shape(weight.dims)}, got ${shape(x.dims)}`);
  }
  if (bias && String(bias.dims) !== String([weight.dims[0]]))
    throw new GraphError(`linear: expected bias [${weight.dims[0]}], got ${bias.name} ${shape(bias.dims)}`);
  if (x.dtype !== weight.dtype) throw new GraphError(`linear: expected x ${weight.dtype}, got ${x.dtype}`);
  const count = x.dims.slice(0, -1).reduce((product, size) => product * size, 1);
  const flat = x.dims.length === 2 ? x : reshape(x, [count, channels]);
  const [out] = x.graph.add("Gemm", [flat, weight, bias], [{ dtype: x.dtype, dims: [count, weight.dims[0]!] }], {
    attributes: { transB: 1n },
    name: weight.name.replace(/\.weight(?=$|\[)/, ""),
  });
  return x.dims.length === 2 ? out! : reshape(out!, [...x.dims.slice(0, -1), weight.dims[0]!]);
}

/** Matrix product over the last two dimensions, `[…, M, K] · […, K, N]` → `[…, M, N]`; the leading sizes must be equal, or absent in `b`. */
export function matMul(a: Value, b: Operand): Value {
  const [inner, lead] = [a.dims.at(-1), a.dims.slice(0, -2)];
  const bLead = b.dims.slice(0, -2);
  if (a.dims.length < 2 || b.dims.length < 2 || b.dims.at(-2) !== inner || (bLead.length > 0 && String(bLead) !== String(lead))) {
    throw new GraphError(`matMul: ${shape(a.dims)} and ${shape(b.dims)} do not fit`);
  }
  if (a.dtype !== b.dtype) throw new GraphError(`matMul: expected ${b.dtype}, got ${a.dtype}`);
  const [out] = a.graph.add("MatMul", [a, b], [{ dtype: a.dtype, dims: [...lead, a.dims.at(-2)!, b.dims.at(-1)!] }]);
  return out!;
}
