import type { Graph, Node } from "../graph.js";
import type { Tensor } from "../tensor.js";

/** The least and the largest value that was seen, by the name of the value in the graph. Plain data: it can be kept as JSON. */
export type ActivationRanges = Readonly<Record<string, readonly [least: number, most: number]>>;

const prefixes = ["least of ", "most of "] as const;

/**
 * Makes outputs of the ranges of everything that enters or leaves a convolution; the graph computes what it did. Run it on a few real inputs
 * and gather the outputs with `gatherRanges`; `openSession` with precision `"int8"` takes them.
 */
export function watchRanges(graph: Graph): void {
  const names = new Set(graph.nodes.filter(isConvolution).flatMap(({ inputs, outputs }) => [inputs[0]!, outputs[0]!]));
  for (const name of names) {
    const value = graph.values.get(name)!;
    for (const [index, op] of ["ReduceMin", "ReduceMax"].entries()) {
      const [out] = graph.add(op, [value], [{ dtype: value.dtype, dims: [] }], { attributes: { keepdims: 0n } });
      graph.output(`${prefixes[index]}${name}`, out!);
    }
  }
}

/** Ranges from the outputs of a watched graph, over those of earlier runs. */
export function gatherRanges(outputs: Readonly<Record<string, Tensor>>, earlier: ActivationRanges = {}): ActivationRanges {
  const ranges: Record<string, readonly [number, number]> = { ...earlier };
  for (const [output, tensor] of Object.entries(outputs)) {
    if (!output.startsWith(prefixes[0])) continue;
    const name = output.slice(prefixes[0].length);
    const [least, most] = [Number(tensor.data[0]), Number(outputs[prefixes[1] + name]!.data[0])];
    const known = ranges[name] ?? [least, most];
    ranges[name] = [Math.min(known[0], least), Math.max(known[1], most)];
  }
  return ranges;
}

export function isConvolution({ op }: Node): boolean {
  return op === "Conv";
}
