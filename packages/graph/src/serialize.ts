import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { GraphError } from "./error.js";
import type { Attribute, Constant, Graph, Node, Value } from "./graph.js";
import type { DType } from "./tensor.js";
import type { FileRange } from "./weights/source.js";
import type { Parameter } from "./weights/weights.js";

/** Where a parameter's float32 values lie when the model runs: bytes written into the model, or a place in a file. */
export type Placement = { readonly data: Uint8Array } | { readonly file: FileRange };

const dataTypes: Readonly<Record<DType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  float8_e4m3fn: TensorProto_DataType.FLOAT8E4M3FN,
  float8_e5m2: TensorProto_DataType.FLOAT8E5M2,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  int16: TensorProto_DataType.INT16,
  int8: TensorProto_DataType.INT8,
  uint64: TensorProto_DataType.UINT64,
  uint32: TensorProto_DataType.UINT32,
  uint16: TensorProto_DataType.UINT16,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};

/** The nodes that the graph's outputs need, in order, and the constants that those nodes read. */
export function live(graph: Graph): { readonly nodes: readonly Node[]; readonly constants: ReadonlyMap<string, Constant> } {
  const needed = new Set(graph.outputs.map(({ value }) => value.name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  return { nodes: nodes.reverse(), constants: new Map([...graph.constants].filter(([name]) => needed.has(name))) };
}

/** The parameters that the graph's outputs need. */
export function liveParameters(graph: Graph): Parameter[] {
  return [...live(graph).constants.values()].flatMap((constant) => ("parameter" in constant ? [constant.parameter] : []));
}

/**
 * The graph as a binary ONNX model (opset 21, IR 10). Parameters are written as external data (or inline) where `place` puts them;
 * paths are written relative to `root`, the folder that the runtime is told to resolve them against.
 */
export function serialize(
  graph: Graph,
  { place, root = "/" }: { readonly place: (parameter: Parameter) => Placement; readonly root?: string },
): Uint8Array {
  if (graph.outputs.length === 0) throw new GraphError(`${graph.name}: expected at least one output`);
  const { nodes, constants } = live(graph);
  const results = graph.outputs.map(({ name, value }) => ({ name, value }));
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: "refadgen",
    opsetImport: [
      { domain: "", version: 21n },
      { domain: "com.microsoft", version: 1n },
    ],
    graph: {
      name: graph.name,
      node: [
        ...nodes.map((node) =>
          create(NodeProtoSchema, {
            name: node.name,
            opType: node.op,
            domain: node.domain,
            input: withoutTrailingGaps(node.inputs),
            output: [...node.outputs],
            attribute: Object.entries(node.attributes).map(([name, value]) => attributeProto(name, value)),
          }),
        ),
        ...results.map(({ name, value }) =>
          create(NodeProtoSchema, { name: `output ${name}`, opType: "Identity", input: [value.name], output: [name] }),
        ),
      ],
      initializer: [...constants].map(([name, constant]) => tensorProto(name, constant, place, root)),
      input: graph.inputs.map((value) => valueInfo(value.name, value)),
      output: results.map(({ name, value }) => valueInfo(name, value)),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function withoutTrailingGaps(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== "") + 1);
}

function valueInfo(name: string, { dtype, dims }: Value): ValueInfoProto {
  const dim = dims.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } }));
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType: dataTypes[dtype], shape: { dim } } } } });
}

function tensorProto(name: string, constant: Constant, place: (parameter: Parameter) => Placement, root: string): TensorProto {
  const common = { name, dataType: dataTypes[constant.dtype], dims: constant.dims.map(BigInt) };
  const placement = "parameter" in constant ? place(constant.parameter) : { data: constant.data };
  if ("data" in placement) return create(TensorProtoSchema, { ...common, rawData: Uint8Array.from(placement.data) });
  const { path, offset, length } = placement.file;
  const location = path.slice(root.length).replaceAll("\\", "/");
  const entries = { location, offset: String(offset), length: String(length) };
  return create(TensorProtoSchema, {
    ...common,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });
}

function attributeProto(name: string, value: Attribute): ReturnType<typeof create<typeof AttributeProtoSchema>> {
  if (typeof value === "bigint") return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: value });
  if (typeof value === "number") return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value });
  if (typeof value === "string")
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRING, s: new TextEncoder().encode(value) });
  const wholes = value.filter((item) => typeof item === "bigint");
  if (wholes.length === value.length) return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: wholes });
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOATS, floats: value.map(Number) });
}
