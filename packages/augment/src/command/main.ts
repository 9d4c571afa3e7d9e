#!/usr/bin/env node
import { runAugmentCommand } from "./run.js";

const abort = new AbortController();
process.on("SIGINT", () => {
  if (abort.signal.aborted) process.exit(130);
  process.stderr.write("\nstopping; Ctrl-C again stops at once\n");
  abort.abort(new Error("interrupted"));
});
process.exitCode = await runAugmentCommand(process.argv.slice(2), { signal: abort.signal });
