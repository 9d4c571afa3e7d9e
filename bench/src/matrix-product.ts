import { formulaGaussian, Graph, matMul, openSession, slice } from "@refadgen/graph";
import { median } from "./statistics.js";

const size = 2048;

/** ONNX Runtime's rate for a product of two float32 matrices of 2048 × 2048: what the machine can do at this moment. */
export interface MatrixProduct {
  /** FLOP per second, the median of a few products. */
  rate(): Promise<number>;
  dispose(): Promise<void>;
}

export async function openMatrixProduct({ threads, products }: { readonly threads: number; readonly products: number }): Promise<MatrixProduct> {
  const graph = new Graph("matrix-product");
  const product = matMul(graph.input("a", "float32", [size, size]), graph.input("b", "float32", [size, size]));
  // One row leaves the graph: the copy of 16 MB into fresh memory would be part of the time.
  graph.output("row", slice(product, 0, 0, 1));
  const session = await openSession(graph, { threads });
  const hold = (name: string) => session.hold({ dtype: "float32", dims: [size, size], data: formulaGaussian(name, [size, size]) });
  const feeds = { a: await hold("a"), b: await hold("b") };
  await session.run(feeds);
  return {
    rate: async () => {
      const seconds: number[] = [];
      for (let index = 0; index < products; index++) {
        await session.run(feeds);
        seconds.push(session.figures.lastRunSeconds);
      }
      return (2 * size ** 3) / median(seconds);
    },
    dispose: () => session.dispose(),
  };
}
