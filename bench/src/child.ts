import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/**
 * Runs a module of this folder in a Node process of its own, so that its memory and its start are its own. What it writes to stderr
 * is shown as it comes.
 *
 * @param input what the module finds in `childInput()`
 * @returns what it gave to `childOutput`
 * @throws Error when it fails
 */
export async function runChild<T>(module: string, input: unknown): Promise<T> {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(input)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${module} ended with ${code}`);
  return JSON.parse(text.trim().split("\n").at(-1)!) as T;
}

/** The input of the module that runs as a child. */
export function childInput<T>(): T {
  return JSON.parse(process.argv[2]!) as T;
}

/** Hands the result to the parent. */
export function childOutput(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
