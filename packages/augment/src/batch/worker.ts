import { parentPort } from "node:worker_threads";
import { augmentProduct, type ProductJob } from "./augment-product.js";

/** What a worker answers to a job. */
export type WorkerAnswer =
  | { readonly result: Awaited<ReturnType<typeof augmentProduct>> }
  | { readonly failed: { readonly code: string; readonly message: string } };

parentPort?.on("message", async (job: ProductJob) => {
  let answer: WorkerAnswer;
  try {
    answer = { result: await augmentProduct(job) };
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), "code");
    answer = { failed: { code: typeof code === "string" ? code : "failed", message: error instanceof Error ? error.message : String(error) } };
  }
  parentPort?.postMessage(answer);
});
