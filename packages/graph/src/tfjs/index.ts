export { loadTensorFlow, type TensorFlow, type TfjsBackend, tfjsBackends } from "./backend.js";
export type { Operator, OperatorContext } from "./operator.js";
export { operators } from "./operators.js";
export { openTfjsSession, type TfjsSessionOptions } from "./session.js";
