import { arch, platform } from "node:os";
import { SessionError } from "../session/error.js";
import { findOpenVino, type OpenVinoLibrary } from "./library.js";

/** A pointer to one of OpenVINO's objects. */
export type Handle = bigint;

/** The C functions that the driver uses, with statuses turned into errors. */
export interface OpenVinoApi {
  readonly library: OpenVinoLibrary;
  /** As the library says it: `2026.4.1-22982-…`. */
  readonly version: string;
  /** One core for the process: plugins are loaded once. */
  readonly core: Handle;
  /** A property of a device, `CPU` unless said otherwise. */
  readonly property: (name: string) => string;
  readonly readModel: (path: string) => Promise<Handle>;
  readonly compile: (model: Handle, properties: Readonly<Record<string, string>>) => Promise<Handle>;
  readonly compiledProperty: (compiled: Handle, name: string) => string;
  readonly createRequest: (compiled: Handle) => Handle;
  /** OpenVINO's number for an input's or output's element type; the numbers differ between versions. */
  readonly elementType: (compiled: Handle, side: "input" | "output", name: string) => number;
  /** A tensor over memory of ours, which must stay where it is until the tensor is freed. */
  readonly tensorOver: (type: number, dims: readonly number[], data: ArrayBufferView) => Handle;
  readonly setTensor: (request: Handle, name: string, tensor: Handle) => void;
  readonly infer: (request: Handle) => Promise<void>;
  readonly cancel: (request: Handle) => void;
  readonly free: (kind: "model" | "compiled" | "request" | "tensor", handle: Handle) => void;
}

type Koffi = typeof import("koffi");
type Spec = Parameters<Koffi["sizeof"]>[0];

/** Of a process; a second OpenVINO beside the first would mix their plugins. */
let loaded: { readonly folder: string; readonly api: Promise<OpenVinoApi> } | undefined;

/**
 * Loads OpenVINO into this process, once.
 *
 * @throws SessionError `runtime-missing` koffi or the libraries are not there; `runtime-unusable` they are there and cannot be used
 */
export async function loadOpenVino(folder?: string): Promise<OpenVinoApi> {
  const library = await findOpenVino(folder);
  if (loaded && loaded.folder !== library.folder) {
    throw new SessionError(
      "runtime-unusable",
      `OpenVINO: this process has loaded ${loaded.folder} and cannot load ${library.folder} besides; start another process for it`,
    );
  }
  if (!loaded) {
    const api = bind(library);
    loaded = { folder: library.folder, api };
    // What could not be loaded may be put right and tried again.
    api.catch(() => {
      loaded = undefined;
    });
  }
  return loaded.api;
}

/** Element types, data pointers, sizes: these names have stood since the C API of 2022; the versions below have been used with it. */
const oldestVersion = 2024;

async function bind(library: OpenVinoLibrary): Promise<OpenVinoApi> {
  const koffi = await importKoffi();
  const unusable = (what: string, cause?: unknown) =>
    new SessionError(
      "runtime-unusable",
      `OpenVINO at ${library.folder} cannot be used on ${platform()} ${arch()}: ${what}; install another one with: refadgen runtime install openvino`,
      cause === undefined ? undefined : { cause },
    );
  let c: ReturnType<Koffi["load"]> | undefined;
  try {
    // Compiling a network recurses deeply; koffi gives the functions that it calls a stack of its own, by default a small one.
    if (koffi.config().async_stack_size! < asyncStack) koffi.config({ async_stack_size: asyncStack });
    for (const path of library.files) c = koffi.load(path, { global: true });
  } catch (error) {
    throw unusable(messageOf(error), error);
  }
  const table = (() => {
    try {
      return declare(koffi, c!);
    } catch (error) {
      throw unusable(`its C interface is not one that this driver knows (${messageOf(error)})`, error);
    }
  })();
  const check = (status: number, what: string): void => {
    if (status !== 0) throw new SessionError("failed", `OpenVINO, ${what}: ${readable(table.lastError() as string | null)}`);
  };
  const out = (what: string, call: (pointer: [Handle | null]) => number): Handle => {
    const pointer: [Handle | null] = [null];
    check(call(pointer), what);
    return pointer[0]!;
  };
  const text = (what: string, call: (pointer: [string | null]) => number): string => {
    const pointer: [string | null] = [null];
    check(call(pointer), what);
    return pointer[0] ?? "";
  };
  const later = (what: string, call: (done: (error: unknown, status: number) => void) => void): Promise<void> =>
    new Promise((resolve, reject) =>
      call((error, status) => {
        try {
          if (error) throw error;
          check(status, what);
          resolve();
        } catch (problem) {
          reject(problem);
        }
      }),
    );

  const about: { buildNumber?: string } = {};
  check(table.version(about), "version");
  const version = about.buildNumber ?? "";
  if (!(Number.parseInt(version, 10) >= oldestVersion)) throw unusable(`its version is "${version}"; ${oldestVersion} or later is needed`);
  const core = out("start", (pointer) => table.createCore(pointer));
  const api: OpenVinoApi = {
    library,
    version,
    core,
    property: (name) => text(name, (pointer) => table.coreProperty(core, "CPU", name, pointer)),
    readModel: async (path) => {
      const pointer: [Handle | null] = [null];
      await later("reading the graph", (done) => table.readModel.async(core, path, null, pointer, done));
      return pointer[0]!;
    },
    compile: async (model, properties) => {
      const pointer: [Handle | null] = [null];
      // A core of its own: properties can be given to the compilation itself only as variable arguments, which cannot be called from another thread.
      const own = out("start", (made) => table.createCore(made));
      try {
        for (const [name, value] of Object.entries(properties)) check(table.setProperty(own, "CPU", "str", name, "str", value), `setting ${name}`);
        await later("compiling the graph", (done) => table.compile.async(own, model, "CPU", 0, pointer, done));
      } finally {
        table.freeCore(own);
      }
      return pointer[0]!;
    },
    compiledProperty: (compiled, name) => text(name, (pointer) => table.compiledProperty(compiled, name, pointer)),
    createRequest: (compiled) => out("making a request", (pointer) => table.createRequest(compiled, pointer)),
    elementType: (compiled, side, name) => {
      const port = out(`${side} ${name}`, (pointer) => (side === "input" ? table.inputPort : table.outputPort)(compiled, name, pointer));
      try {
        const type: [number] = [0];
        check(table.portType(port, type), `type of ${name}`);
        return type[0];
      } finally {
        table.freePort(port);
      }
    },
    tensorOver: (type, dims, data) => {
      const shape = { rank: dims.length, dims: BigInt64Array.from(dims, BigInt) };
      const tensor = out("making a tensor", (pointer) => table.tensorOver(type, shape, data, pointer));
      const size: [number] = [0];
      check(table.byteSize(tensor, size), "size of a tensor");
      if (Number(size[0]) === data.byteLength) return tensor;
      table.freeTensor(tensor);
      throw unusable(`it takes ${data.byteLength} bytes for ${size[0]}`);
    },
    setTensor: (request, name, tensor) => check(table.setTensor(request, name, tensor), `setting ${name}`),
    infer: async (request) => {
      check(table.start(request), "run");
      await later("run", (done) => table.wait.async(request, done));
    },
    cancel: (request) => void table.cancel(request),
    free: (kind, handle) =>
      void { model: table.freeModel, compiled: table.freeCompiled, request: table.freeRequest, tensor: table.freeTensor }[kind](handle),
  };
  try {
    api.property("FULL_DEVICE_NAME");
  } catch (error) {
    throw unusable(`its CPU plugin does not load (${messageOf(error)})`, error);
  }
  return api;
}

const asyncStack = 8 * 2 ** 20;

/** Every function of the C interface that is used; throws where one is not there. */
function declare(koffi: Koffi, c: ReturnType<Koffi["load"]>) {
  const shape = koffi.struct({ rank: "int64_t", dims: "int64_t *" });
  const version = koffi.struct({ buildNumber: "char *", description: "char *" });
  const status = (name: string, args: Spec[]) => c.func(name, "int", args);
  const nothing = (name: string, args: Spec[]) => c.func(name, "void", args);
  const [pointer, created, string] = ["void *", "_Out_ void **", "_Out_ char **"];
  return {
    lastError: c.func("ov_get_last_err_msg", "str", []),
    version: status("ov_get_openvino_version", [koffi.out(koffi.pointer(version))]),
    createCore: status("ov_core_create", [created]),
    coreProperty: status("ov_core_get_property", [pointer, "str", "str", string]),
    readModel: status("ov_core_read_model", [pointer, "str", "str", created]),
    compile: status("ov_core_compile_model", [pointer, pointer, "str", "size_t", created]),
    setProperty: status("ov_core_set_property", [pointer, "str", "..."]),
    freeCore: nothing("ov_core_free", [pointer]),
    compiledProperty: status("ov_compiled_model_get_property", [pointer, "str", string]),
    createRequest: status("ov_compiled_model_create_infer_request", [pointer, created]),
    inputPort: status("ov_compiled_model_input_by_name", [pointer, "str", created]),
    outputPort: status("ov_compiled_model_output_by_name", [pointer, "str", created]),
    portType: status("ov_port_get_element_type", [pointer, "_Out_ int *"]),
    freePort: nothing("ov_output_const_port_free", [pointer]),
    tensorOver: status("ov_tensor_create_from_host_ptr", ["int", shape, pointer, created]),
    byteSize: status("ov_tensor_get_byte_size", [pointer, "_Out_ size_t *"]),
    setTensor: status("ov_infer_request_set_tensor", [pointer, "str", pointer]),
    start: status("ov_infer_request_start_async", [pointer]),
    wait: status("ov_infer_request_wait", [pointer]),
    cancel: status("ov_infer_request_cancel", [pointer]),
    freeModel: nothing("ov_model_free", [pointer]),
    freeCompiled: nothing("ov_compiled_model_free", [pointer]),
    freeRequest: nothing("ov_infer_request_free", [pointer]),
    freeTensor: nothing("ov_tensor_free", [pointer]),
  };
}

async function importKoffi(): Promise<Koffi> {
  try {
    const koffi = await import("koffi");
    return "default" in koffi ? (koffi.default as unknown as Koffi) : koffi;
  } catch (cause) {
    throw new SessionError("runtime-missing", "OpenVINO is called through the package koffi, which is not installed; run: npm install koffi", {
      cause,
    });
  }
}

/** The part of OpenVINO's message that says something, on one line. */
function readable(message: string | null): string {
  return (message ?? "no message").replaceAll(/\s+/g, " ").trim().slice(0, 600);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
