import { SessionError } from "../session/error.js";
import { type TfjsBackend, tfjsBackends } from "./names.js";

/** The module `@tensorflow/tfjs-core`. */
export type TensorFlow = typeof import("@tensorflow/tfjs-core");

export { type TfjsBackend, tfjsBackends };

const providers: Readonly<Record<TfjsBackend, { readonly module: string; readonly registers: string }>> = {
  "node-gpu": { module: "@tensorflow/tfjs-node-gpu", registers: "tensorflow" },
  node: { module: "@tensorflow/tfjs-node", registers: "tensorflow" },
  webgpu: { module: "@tensorflow/tfjs-backend-webgpu", registers: "webgpu" },
  wasm: { module: "@tensorflow/tfjs-backend-wasm", registers: "wasm" },
  cpu: { module: "@tensorflow/tfjs-backend-cpu", registers: "cpu" },
};

/**
 * TensorFlow.js with a backend ready to compute. Backends belong to the whole process, not to a session: with `backend` that one is
 * loaded and made current; without, the one that the program has registered already, else the first in the order of `tfjsBackends`
 * whose package is installed.
 *
 * @throws SessionError `runtime-missing` when a package is not installed, `provider-unavailable` when the backend does not start
 */
export async function loadTensorFlow(backend?: TfjsBackend): Promise<TensorFlow> {
  const tf = await load<TensorFlow>("@tensorflow/tfjs-core");
  if (!tf)
    throw new SessionError("runtime-missing", "TensorFlow.js is not installed: npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm");
  if (backend !== undefined) {
    if (!(await load(providers[backend].module))) {
      throw new SessionError("runtime-missing", `the TensorFlow.js backend "${backend}" is not installed: npm install ${providers[backend].module}`);
    }
    await start(tf, providers[backend].registers);
    return tf;
  }
  if (Object.keys(tf.engine().registryFactory).length === 0 && !(await loadAny())) {
    throw new SessionError("runtime-missing", "no TensorFlow.js backend is installed: npm install @tensorflow/tfjs-backend-wasm");
  }
  await start(tf, tf.getBackend());
  return tf;
}

async function start(tf: TensorFlow, name: string): Promise<void> {
  const started = tf.getBackend() === name || (await tf.setBackend(name).catch(() => false));
  if (!started) throw new SessionError("provider-unavailable", `the TensorFlow.js backend "${name}" does not start here`);
  await tf.ready();
}

async function loadAny(): Promise<boolean> {
  for (const backend of tfjsBackends) {
    if (backend !== "webgpu" && (await load(providers[backend].module))) return true;
  }
  return false;
}

/** A module's exports, or undefined where it is not installed. Its own failure to load (a missing binary) is not hidden. */
async function load<T>(name: string): Promise<T | undefined> {
  try {
    const module: { readonly default?: T } & T = await import(name);
    return module.default ?? module;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node's words, and those of bundlers that stand in for an optional peer.
    if (/cannot find|could not resolve/i.test(message) && message.includes(name)) return undefined;
    throw new SessionError("runtime-missing", `${name} is installed but cannot be loaded: ${message}`, { cause: error });
  }
}
