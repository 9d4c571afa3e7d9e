import { startQueueWorker } from "./queue-worker.js";

/** A worker in a process of its own, which tells each job: `redis queue`. */
const [redis, queue] = process.argv.slice(2);
await startQueueWorker({
  redis: redis!,
  queue: queue!,
  concurrent: 1,
  lock: 1,
  onJob: ({ stage, item }) => process.stdout.write(`${stage} ${item}\n`),
});
process.stdout.write("ready\n");
