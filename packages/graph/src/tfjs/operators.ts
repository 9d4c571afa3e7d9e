import type { Operator } from "./operator.js";
import { elementwise } from "./operators/elementwise.js";
import { layout } from "./operators/layout.js";
import { pooling } from "./operators/pooling.js";
import { products } from "./operators/products.js";
import { reductions } from "./operators/reduction.js";

/** Every ONNX operator that runs on TensorFlow.js, by its name. */
export const operators: Readonly<Record<string, Operator>> = { ...elementwise, ...layout, ...pooling, ...products, ...reductions };
