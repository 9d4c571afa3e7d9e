import { parentPort } from "node:worker_threads";
import { type PixelTask, runPixelTask } from "./task.js";

parentPort!.on("message", ({ serial, task }: { readonly serial: number; readonly task: PixelTask }) => {
  try {
    parentPort!.postMessage({ serial, value: runPixelTask(task) });
  } catch (error) {
    parentPort!.postMessage({ serial, error: error instanceof Error ? error.message : String(error) });
  }
});
