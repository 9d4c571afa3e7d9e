import { parentPort, workerData } from "node:worker_threads";
import { choleskyFactor } from "./cholesky.js";
import { symmetricEigenvalues } from "./eigenvalues.js";
import type { Task } from "./task.js";

const { kind, matrix, size } = workerData as Task;
if (kind === "factor") {
  const factor = choleskyFactor(matrix, size);
  parentPort!.postMessage(factor, [factor.data.buffer as ArrayBuffer]);
} else {
  const values = symmetricEigenvalues(matrix, size);
  parentPort!.postMessage(values, [values.buffer as ArrayBuffer]);
}
