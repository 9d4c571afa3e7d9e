import { Graph } from "../graph.js";
import { attention } from "../ops/attention.js";
import { elementCount, type Tensor } from "../tensor.js";
import type { Session } from "./session.js";

/** Channels of a head in the layers of Stable Diffusion and CLIP. */
const headSizes = [40, 64, 80, 160];
const [batch, tokens, sources, heads] = [2, 72, 100, 2];
const tolerance = 1e-3;

const known = new Map<string, Promise<boolean>>();

/**
 * Whether a provider's own attention kernel is right here, by running it once in a process: such kernels choose their way by what the device
 * offers, and some ways are wrong (ONNX Runtime's WebGPU provider on devices with small subgroups).
 *
 * @param device names the provider and its device
 * @param open a session on it
 */
export function attentionIsRight(device: string, open: (graph: Graph) => Promise<Session>): Promise<boolean> {
  const found = known.get(device) ?? probe(open);
  known.set(device, found);
  found.catch(() => known.delete(device));
  return found;
}

async function probe(open: (graph: Graph) => Promise<Session>): Promise<boolean> {
  const graph = new Graph("attention-probe");
  const feeds: Record<string, Tensor<"float32">> = {};
  for (const size of headSizes) {
    const input = (name: string, rows: number) => {
      const tensor = waves(`${name}${size}`.length * size, [batch, rows, heads * size]);
      feeds[`${name}${size}`] = tensor;
      return graph.input(`${name}${size}`, "float32", tensor.dims);
    };
    const [query, key, value] = [input("query", tokens), input("key", sources), input("value", sources)];
    graph.output(`out${size}`, attention(query, key, value, { heads }));
  }
  const session = await open(graph);
  try {
    const outputs = await session.run(feeds);
    return headSizes.every((size) => {
      const [query, key, value] = ["query", "key", "value"].map((name) => feeds[`${name}${size}`]!.data) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const expected = byDefinition(query, key, value, size);
      return (outputs[`out${size}`]!.data as Float32Array).every((one, index) => Math.abs(one - expected[index]!) <= tolerance);
    });
  } finally {
    await session.dispose();
  }
}

/** Numbers between -1.5 and 1.5 without a pattern that attention could even out. */
function waves(seed: number, dims: readonly number[]): Tensor<"float32"> {
  return {
    dtype: "float32",
    dims,
    data: Float32Array.from({ length: elementCount(dims) }, (_, index) => 1.5 * Math.sin((index + 1) * (index + seed))),
  };
}

function byDefinition(query: Float32Array, key: Float32Array, value: Float32Array, size: number): Float32Array {
  const channels = heads * size;
  const out = new Float32Array(batch * tokens * channels);
  for (let row = 0; row < batch * tokens; row++) {
    const image = Math.floor(row / tokens);
    for (let head = 0; head < heads; head++) {
      const at = (source: number, channel: number) => (image * sources + source) * channels + head * size + channel;
      const weights = Array.from({ length: sources }, (_, source) => {
        let score = 0;
        for (let channel = 0; channel < size; channel++) score += query[row * channels + head * size + channel]! * key[at(source, channel)]!;
        return Math.exp(score / Math.sqrt(size));
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let channel = 0; channel < size; channel++) {
        const mean = weights.reduce((sum, weight, source) => sum + weight * value[at(source, channel)]!, 0) / total;
        out[row * channels + head * size + channel] = mean;
      }
    }
  }
  return out;
}
