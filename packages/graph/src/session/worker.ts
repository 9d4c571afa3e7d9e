// Runs ONNX Runtime away from the main thread: its `run()` blocks the thread that calls it.
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { RunDType, Tensor, TensorData } from "../tensor.js";
import { keptModel, keptWeights, type OpenRequest, type Reply, type Request, type RunReply } from "./protocol.js";

type Runtime = typeof import("onnxruntime-node");

let runtime: Runtime | undefined;
let session: InferenceSession | undefined;
const held = new Map<number, OrtTensor>();

async function open(request: OpenRequest): Promise<number> {
  const started = performance.now();
  runtime = await import("onnxruntime-node");
  // Errors are thrown; printed besides, they would only clutter the caller's terminal.
  runtime.env.logLevel = "fatal";
  const keep = request.keepIn;
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider(request)],
    graphOptimizationLevel: request.level,
    intraOpNumThreads: request.threads,
    logSeverityLevel: 4,
    ...(keep === undefined ? {} : { optimizedModelFilePath: join(keep, keptModel) }),
    extra: {
      session: {
        ...(typeof request.model === "string" ? {} : { model_external_initializers_file_folder_path: request.root }),
        // Weights that are packed anew would be copied out of the mapped file; a kept model has them packed in its own file.
        ...(keep === undefined
          ? { disable_prepacking: request.level === "disabled" ? "0" : "1" }
          : { optimized_model_external_initializers_file_name: keptWeights, save_external_prepacked_constant_initializers: "1" }),
      },
    },
  };
  await session?.release();
  const { InferenceSession: Session } = runtime;
  session = await (typeof request.model === "string" ? Session.create(request.model, options) : Session.create(request.model, options));
  return performance.now() - started;
}

/** Only these take a device by its number; WebGPU refuses the option. */
function provider({ provider, deviceId }: OpenRequest): InferenceSession.ExecutionProviderConfig {
  const numbered = ["cuda", "tensorrt", "dml"].includes(provider);
  return { name: provider, ...(numbered && { deviceId }) } as InferenceSession.ExecutionProviderConfig;
}

async function run(feeds: Readonly<Record<string, Tensor | number>>, outputs: readonly string[]): Promise<RunReply> {
  if (!session) throw new ArgumentError("run: the session is not open");
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [name, typeof feed === "number" ? held.get(feed)! : ortTensor(feed)]),
  );
  const started = performance.now();
  const results = await session.run(inputs, [...outputs]);
  const milliseconds = performance.now() - started;
  const tensors = outputs.map((name) => {
    const { type, dims, data } = results[name]!;
    return [name, { dtype: type as RunDType, dims: [...dims], data: data as TensorData[RunDType] }] as const;
  });
  return { outputs: Object.fromEntries(tensors), milliseconds };
}

function ortTensor({ dtype, data, dims }: Tensor): OrtTensor {
  return new runtime!.Tensor(dtype, data, dims);
}

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "open":
      return open(request);
    case "run":
      return run(request.feeds, request.outputs);
    case "hold":
      return void held.set(request.id, ortTensor(request.tensor));
    case "release":
      return void held.delete(request.id);
  }
}

parentPort!.on("message", async ({ serial, request }: { readonly serial: number; readonly request: Request }) => {
  let reply: Reply;
  try {
    reply = { serial, result: await answer(request) };
  } catch (error) {
    const missing = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
    reply = { serial, error: { message: error instanceof Error ? error.message : String(error), missing } };
  }
  const moved =
    "result" in reply && request.kind === "run"
      ? Object.values((reply.result as RunReply).outputs).map(({ data }) => data.buffer as ArrayBuffer)
      : [];
  parentPort!.postMessage(reply, moved);
});
