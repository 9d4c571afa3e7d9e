import { create, fromBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { Graph } from "./graph.js";
import { silu } from "./ops/activation.js";
import { conv2d } from "./ops/convolution.js";
import { add, multiply } from "./ops/elementwise.js";
import { expectGraphError, gaussian, parameter } from "./ops/evaluate.test.support.js";
import { linear } from "./ops/linear.js";
import { groupNorm } from "./ops/normalization.js";
import { live, liveParameters, serialize } from "./serialize.js";
import { type Parameter, rows } from "./weights/weights.js";

const inline = (parameter: Parameter) => ({ data: new Uint8Array(parameter.dims.reduce((product, size) => product * size, 4)) });
const read = (graph: Graph, options: Parameters<typeof serialize>[1] = { place: inline }): ModelProto =>
  fromBinary(ModelProtoSchema, serialize(graph, options));

/** Two branches that begin alike; only the first becomes an output. */
function branches() {
  const graph = new Graph("branches");
  const x = graph.input("x", "float32", [2, 3]);
  const shared = linear(x, parameter("shared.weight", gaussian("a", [4, 3])));
  const wanted = linear(shared, parameter("wanted.weight", gaussian("b", [5, 4])));
  linear(silu(shared), parameter("unwanted.weight", gaussian("c", [6, 4])));
  graph.output("y", wanted);
  return graph;
}

describe("what no output needs", () => {
  it("is left out, ops and weights", () => {
    const graph = branches();
    expect(graph.nodes).toHaveLength(5);
    expect(live(graph).nodes.map(({ name }) => name)).toEqual(["shared/op", "wanted/op"].map((name) => expect.stringMatching(name.split("/")[0]!)));
    expect(liveParameters(graph).map(({ name }) => name)).toEqual(["shared.weight", "wanted.weight"]);
    const { graph: written } = read(graph);
    expect(written!.initializer.map(({ name }) => name)).toEqual(["shared.weight", "wanted.weight"]);
    expect(written!.node.map(({ opType }) => opType)).toEqual(["Gemm", "Gemm", "Identity"]);
  });

  it("inputs stay, used or not", () => {
    const graph = branches();
    graph.input("unused", "float32", [1]);
    expect(read(graph).graph!.input.map(({ name }) => name)).toEqual(["x", "unused"]);
  });
});

describe("constants", () => {
  it("of few bytes are shared, by type, size and value", () => {
    const graph = new Graph("constants");
    const ones = Float32Array.of(1, 1);
    expect(graph.constant("float32", [2], ones)).toBe(graph.constant("float32", [2], Float32Array.of(1, 1)));
    expect(graph.constant("float32", [2], ones)).not.toBe(graph.constant("float32", [1, 2], ones));
    expect(graph.constant("float32", [2], ones)).not.toBe(graph.constant("int64", [1], ones));
    expect(graph.constants.size).toBe(3);
  });

  it("are copies", () => {
    const graph = new Graph("constants");
    const data = Float32Array.of(1, 2);
    const { name } = graph.constant("float32", [2], data);
    data[0] = 9;
    const held = graph.constants.get(name)!;
    expect("data" in held && [...new Float32Array(held.data.buffer)]).toEqual([1, 2]);
  });

  it("stand once for a parameter, and apart for its parts", () => {
    const graph = new Graph("parameters");
    const x = graph.input("x", "float32", [2, 3]);
    const weight = parameter("w", gaussian("w", [4, 3]));
    for (let index = 0; index < 2; index++) graph.output(`whole ${index}`, linear(x, weight));
    graph.output("part", linear(x, rows(weight, 1, 3)));
    expect(read(graph).graph!.initializer.map(({ name, dims }) => [name, dims])).toEqual([
      ["w", [4n, 3n]],
      ["w[1:3]", [2n, 3n]],
    ]);
  });

  it("of another length than their sizes say are refused", () => {
    expectGraphError(() => new Graph("g").constant("float32", [3], new Float32Array(2)), /constant: expected 12 bytes for float32 \[3\], got 8/);
  });
});

describe("names", () => {
  it("are unique and follow the weights", () => {
    const graph = new Graph("names");
    const x = graph.input("x", "float32", [1, 4, 5, 6]);
    const weight = parameter("down.0.conv.weight", gaussian("w", [4, 4, 3, 3]));
    const twice = conv2d(conv2d(x, weight, undefined, { padding: 1 }), weight, undefined, { padding: 1 });
    graph.output(
      "y",
      groupNorm(twice, parameter("norm.weight", gaussian("a", [4])), parameter("norm.bias", gaussian("b", [4])), { groups: 2, epsilon: 1e-5 }),
    );
    const names = graph.nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(0, 2)).toEqual([expect.stringContaining("down.0.conv"), expect.stringContaining("down.0.conv")]);
    const { graph: written } = read(graph);
    const values = [...written!.input, ...written!.initializer].map(({ name }) => name).concat(written!.node.flatMap(({ output }) => output));
    expect(new Set(values).size).toBe(values.length);
  });

  it("that are taken are refused", () => {
    const graph = new Graph("names");
    const x = graph.input("x", "float32", [1]);
    graph.output("y", x);
    expectGraphError(() => graph.input("x", "float32", [1]), /names: the name "x" is taken/);
    expectGraphError(() => graph.output("y", x), /output: the name "y" is taken/);
    expectGraphError(() => graph.output("x", x), /output: the name "x" is taken/);
  });
});

describe("serialize", () => {
  it("writes external data relative to the root", () => {
    const graph = new Graph("external");
    const x = graph.input("x", "float32", [2, 3]);
    graph.output("y", linear(x, parameter("w", gaussian("w", [4, 3]))));
    const [tensor] = read(graph, { place: () => ({ file: { path: "/models/some file.safetensors", offset: 1234, length: 48 } }), root: "/" }).graph!
      .initializer;
    expect(Object.fromEntries(tensor!.externalData.map(({ key, value }) => [key, value]))).toEqual({
      location: "models/some file.safetensors",
      offset: "1234",
      length: "48",
    });
    expect(tensor!.rawData).toHaveLength(0);
  });

  it("writes types and sizes of inputs and outputs, an output twice under two names, an input passed through", () => {
    const graph = new Graph("outputs");
    const x = graph.input("x", "float32", [2, 3]);
    const y = add(multiply(x, 2), 1);
    graph.output("a", y);
    graph.output("b", y);
    graph.output("c", x);
    const { graph: written, irVersion, opsetImport } = read(graph);
    expect(written!.output.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect([irVersion, opsetImport[0]!.version]).toEqual([10n, 21n]);
    const type = written!.output[2]!.type!.value;
    expect(type.case === "tensorType" && type.value.shape!.dim.map(({ value }) => value.value)).toEqual([2n, 3n]);
    expect(create(ModelProtoSchema, {}).irVersion).not.toBe(irVersion);
  });

  it("leaves out what stands empty at the end of a list of inputs, not within it", () => {
    const graph = new Graph("gaps");
    const x = graph.input("x", "float32", [1, 2, 3, 4]);
    graph.output("y", conv2d(x, parameter("w", gaussian("w", [2, 2, 1, 1])), undefined));
    expect(read(graph).graph!.node[0]!.input).toEqual(["x", "w"]);
  });

  it("refuses a graph without outputs and values of another graph", () => {
    const graph = new Graph("empty");
    expectGraphError(() => serialize(graph, { place: inline }), /empty: expected at least one output/);
    expectGraphError(
      () => graph.output("y", new Graph("other").input("x", "float32", [1])),
      /output: "x" belongs to the graph "other", not to "empty"/,
    );
    expectGraphError(() => graph.input("x", "float32", [2, -1]), /x: expected whole sizes, got \[2, -1\]/);
    expectGraphError(() => graph.input("x", "float32", [1.5]), /x: expected whole sizes/);
  });
});
