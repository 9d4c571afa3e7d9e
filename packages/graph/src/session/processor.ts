import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

let flags: Promise<ReadonlySet<string>> | undefined;

/** What the processor can do, by the names that Linux uses: `avx2`, `avx512f`, `asimd`, …; empty where the system does not say. */
export function processorFlags(): Promise<ReadonlySet<string>> {
  flags ??= readFlags();
  return flags;
}

async function readFlags(): Promise<ReadonlySet<string>> {
  if (process.platform === "linux") {
    const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
    return new Set((/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? "").split(/\s+/).filter((flag) => flag !== ""));
  }
  if (process.platform === "darwin") {
    const { stdout } = await promisify(execFile)("sysctl", ["-a"], { maxBuffer: 2 ** 24 }).catch(() => ({ stdout: "" }));
    const found = [...stdout.matchAll(/hw\.optional\.(?:arm\.)?(?:FEAT_)?(\w+): 1/g)].map(([, name]) => name!.toLowerCase());
    return new Set(process.arch === "arm64" ? ["asimd", ...found] : found);
  }
  return new Set();
}
