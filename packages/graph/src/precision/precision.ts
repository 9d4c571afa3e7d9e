import type { Graph } from "../graph.js";
import type { SessionOptions } from "../session/session.js";
import { float16Graph } from "./float16.js";
import { int8Graph } from "./int8.js";

/** The graph rewritten for the precision that a session is asked for; bf16 is the runtime's own business. */
export async function inPrecision(graph: Graph, { precision, ranges, signal, onProgress }: SessionOptions): Promise<Graph> {
  if (precision === "int8") return int8Graph(graph, { ...(ranges && { ranges }), ...(signal && { signal }), ...(onProgress && { onProgress }) });
  return precision === "fp16" ? float16Graph(graph) : graph;
}
