import { parentPort } from "node:worker_threads";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import { type PreparedRow, type PrepareJob, prepareRow } from "./prepare.js";

export interface PrepareRequest {
  readonly id: number;
  readonly job: PrepareJob;
}

export type PrepareAnswer =
  | { readonly id: number; readonly row: PreparedRow }
  | { readonly id: number; readonly code: DatasetErrorCode | undefined; readonly message: string };

parentPort?.on("message", async ({ id, job }: PrepareRequest) => {
  try {
    const row = await prepareRow(job);
    const answer: PrepareAnswer = { id, row };
    parentPort?.postMessage(answer, [row.ad.buffer, row.product.buffer, row.mask.buffer, row.clipImage.buffer]);
  } catch (error) {
    const answer: PrepareAnswer = {
      id,
      code: DatasetError.isInstance(error) ? error.code : undefined,
      message: error instanceof Error ? error.message : String(error),
    };
    parentPort?.postMessage(answer);
  }
});
