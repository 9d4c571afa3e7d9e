import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SessionError } from "@refadgen/graph";
import { findOpenVino, installed, loadOpenVino } from "@refadgen/graph/openvino";

/** A line for each runtime and what is to be said of it. */
export async function listRuntimes(): Promise<string[]> {
  const lines = ["onnxruntime  installed with refadgen"];
  try {
    const { folder, found } = await findOpenVino();
    const api = await loadOpenVino();
    lines.push(`openvino     ${api.version}, from ${found}: ${folder}`);
    lines.push(`             ${api.property("FULL_DEVICE_NAME").trim()}, computes in ${api.property("OPTIMIZATION_CAPABILITIES")}`);
  } catch (error) {
    if (!SessionError.isInstance(error)) throw error;
    lines.push(`openvino     cannot be used: ${error.message}`);
  }
  for (const folder of await installed()) lines.push(`             in the cache: ${folder}, ${((await folderBytes(folder)) / 1e6).toFixed(0)} MB`);
  return lines;
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
