/**
 * Where TensorFlow.js computes: `"node-gpu"` and `"node"` are `@tensorflow/tfjs-node-gpu` and `@tensorflow/tfjs-node` (both register
 * themselves as `tensorflow`), the others the package `@tensorflow/tfjs-backend-NAME`.
 */
export type TfjsBackend = (typeof tfjsBackends)[number];
export const tfjsBackends = ["node-gpu", "node", "webgpu", "wasm", "cpu"] as const;
