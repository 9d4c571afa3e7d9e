import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { runChild } from "./child.js";
import type { LoadFigures, LoadInput } from "./load-child.js";
import type { Optimization } from "./our-step.js";

export interface LoadMeasurement extends LoadFigures {
  readonly asked: Optimization;
  /** `first`: caches may have to be filled. `cold`: the system's page cache was emptied before. `warm`: right after. */
  readonly state: "first" | "cold" | "warm";
}

/** Opens all sessions of an image in fresh processes: a first time, cold where the page cache can be emptied, and warm. */
export async function measureLoad(input: Omit<LoadInput, "optimization">, log: (line: string) => void): Promise<LoadMeasurement[]> {
  const all: LoadMeasurement[] = [];
  for (const optimization of ["mapped", "kept"] as const) {
    for (const state of ["first", "cold", "warm"] as const) {
      if (state === "cold" && !emptyPageCache()) {
        log("load: cold skipped, only root may empty the page cache");
        continue;
      }
      const figures = await runChild<LoadFigures>("./load-child.js", { ...input, optimization } satisfies LoadInput);
      all.push({ ...figures, asked: optimization, state });
      const parts = Object.entries(figures.parts).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
      log(`load ${optimization} ${state}: ${figures.seconds.toFixed(2)} s (${parts.join(", ")})`);
    }
  }
  return all;
}

/** Returns false where that is not possible: not Linux, or not root. */
function emptyPageCache(): boolean {
  try {
    execFileSync("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch {
    return false;
  }
}
