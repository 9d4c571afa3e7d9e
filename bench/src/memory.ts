import { readFileSync } from "node:fs";
import { freemem } from "node:os";

/** The most memory that this process has had resident, in bytes, mapped files included. */
export function peakResidentBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readSystemFile("/proc/self/status"));
  return line ? Number(line[1]) * 1024 : process.resourceUsage().maxRSS * 1024;
}

/** Memory of this process's own, without mapped files, now, in bytes; undefined where the system does not say. */
export function anonymousBytes(): number | undefined {
  const line = /^RssAnon:\s+(\d+) kB/m.exec(readSystemFile("/proc/self/status"));
  return line ? Number(line[1]) * 1024 : undefined;
}

/** Memory that new work can have without swapping, in bytes. */
export function availableBytes(): number {
  const line = /^MemAvailable:\s+(\d+) kB/m.exec(readSystemFile("/proc/meminfo"));
  return line ? Number(line[1]) * 1024 : freemem();
}

function readSystemFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not Linux
  }
}
