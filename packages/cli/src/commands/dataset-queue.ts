import { once } from "node:events";
import { deadLetters, retryDeadLetters, startQueueWorker } from "@refadgen/dataset";
import type { CommandContext } from "../command-context.js";

export interface WorkerSettings {
  readonly redis: string;
  readonly queue: string;
  readonly workers?: number;
  readonly store?: string;
  readonly quiet?: boolean;
}

export interface DeadSettings {
  readonly redis: string;
  readonly queue: string;
  readonly retry?: boolean;
}

/** Works until it is told to stop; what is under way is finished. */
export async function workerAction({ redis, queue, workers, store, quiet = false }: WorkerSettings, { signal }: CommandContext): Promise<void> {
  let done = 0;
  const worker = await startQueueWorker({
    redis,
    queue,
    ...(workers !== undefined && { concurrent: workers }),
    ...(store !== undefined && { store }),
    onJob: ({ stage, item, ended }) => {
      done++;
      if (ended === "failed") process.stderr.write(`${stage} of ${item}: its process died\n`);
      else if (!quiet && done % 100 === 0) process.stderr.write(`${done} jobs done\n`);
    },
  });
  if (!quiet) process.stderr.write(`waiting for work in ${queue}; Ctrl+C ends it\n`);
  if (!signal.aborted) await once(signal, "abort");
  await worker.close();
}

export async function deadAction({ redis, queue, retry = false }: DeadSettings): Promise<void> {
  const letters = await deadLetters({ redis, queue });
  for (const { stage, item, reason, attempts } of letters) process.stdout.write(`${stage} of ${item}, ${attempts} attempts: ${reason}\n`);
  if (letters.length === 0) process.stdout.write("nothing was given up\n");
  if (retry && letters.length > 0) process.stdout.write(`${await retryDeadLetters({ redis, queue })} put back into the queue\n`);
}
