import { Graph, matMul, transpose } from "@refadgen/graph";
import { runArithmetic } from "./graphs.js";

/** A matrix in row-major order, or one that stands transposed in memory. */
export interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Products below this many multiplications are done here and now; it takes longer to open a session. */
const smallProduct = 4e7;

/**
 * `a · b`, or with `transposed` the product with one of them transposed: `"a"` gives aᵀ · b, `"b"` gives a · bᵀ.
 *
 * @returns row-major
 */
export async function product(a: Matrix, b: Matrix, transposed: "none" | "a" | "b" = "none", signal?: AbortSignal): Promise<Matrix> {
  const [rows, inner] = transposed === "a" ? [a.columns, a.rows] : [a.rows, a.columns];
  const [innerB, columns] = transposed === "b" ? [b.columns, b.rows] : [b.rows, b.columns];
  if (inner !== innerB) throw new Error(`product: ${a.rows} × ${a.columns} and ${b.rows} × ${b.columns} do not fit`);
  if (rows * columns * inner === 0) return { data: new Float64Array(rows * columns), rows, columns };
  if (rows * columns * inner <= smallProduct) return { data: plainProduct(a, b, transposed, [rows, inner, columns]), rows, columns };
  const build = () => {
    const graph = new Graph("product");
    const left = graph.input("a", "float64", [a.rows, a.columns]);
    const right = graph.input("b", "float64", [b.rows, b.columns]);
    graph.output("product", matMul(transposed === "a" ? transpose(left, [1, 0]) : left, transposed === "b" ? transpose(right, [1, 0]) : right));
    return graph;
  };
  const feeds = {
    a: { dtype: "float64", dims: [a.rows, a.columns], data: a.data },
    b: { dtype: "float64", dims: [b.rows, b.columns], data: b.data },
  } as const;
  const results = await runArithmetic(`product ${a.rows} ${a.columns} ${b.rows} ${b.columns} ${transposed}`, build, feeds, signal);
  return { data: results.product!.data as Float64Array, rows, columns };
}

function plainProduct(a: Matrix, b: Matrix, transposed: "none" | "a" | "b", [rows, inner, columns]: readonly [number, number, number]): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const left = transposed === "a" ? a.data[k * rows + i]! : a.data[i * inner + k]!;
      if (left === 0) continue;
      const to = i * columns;
      if (transposed === "b") for (let j = 0; j < columns; j++) result[to + j] = result[to + j]! + left * b.data[j * inner + k]!;
      else for (let j = 0; j < columns; j++) result[to + j] = result[to + j]! + left * b.data[k * columns + j]!;
    }
  }
  return result;
}
