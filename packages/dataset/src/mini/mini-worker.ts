import { parentPort } from "node:worker_threads";
import { type MiniFiles, type MiniFilesOptions, miniFiles } from "./files.js";

export interface MiniRequest {
  readonly index: number;
  readonly options: MiniFilesOptions;
}

export type MiniAnswer = { readonly index: number } & ({ readonly made: MiniFiles } | { readonly error: unknown });

// One after another: each takes the thread for itself.
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", ({ index, options }: MiniRequest) => {
  last = last.then(async () => {
    const answer: MiniAnswer = await miniFiles(index, options).then(
      (made) => ({ index, made }),
      (error: unknown) => ({ index, error }),
    );
    parentPort?.postMessage(answer);
  });
});
