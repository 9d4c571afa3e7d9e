import { readConfig } from "../config/read-config.js";
import { runDataset } from "./run-dataset.js";

/**
 * A run in a process of its own, that ends itself without warning: `config point delay`. Progress is counted over all steps; known or not, an item is one event, so
 * that a point means the same place in every run.
 */
const [path, point = "0", delay = "0"] = process.argv.slice(2);
let events = 0;
const die = () => process.kill(process.pid, "SIGKILL");

await runDataset(await readConfig(path!), {
  workers: 2,
  onProgress: () => {
    events++;
    if (events !== Number(point)) return;
    if (Number(delay) === 0) die();
    else setTimeout(die, Number(delay));
  },
});
process.stdout.write(`${JSON.stringify({ events })}\n`);
