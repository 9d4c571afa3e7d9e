import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Tests run as compiled by `tsc -b`: what is tested is what is published, worker threads and all. The list is made from the
 * sources, so that the output of a deleted test is not run. `*.long.test.ts` belongs to `npm run test:long`.
 */
const long = process.env.REFADGEN_TEST_LONG === "1";
const folders = ["conformance", "bench", ...readdirSync("packages").map((name) => join("packages", name))].filter((folder) =>
  existsSync(join(folder, "src")),
);

const setupFiles = [join(import.meta.dirname, "scripts/vitest-setup.mjs")];

function testFiles(folder: string): string[] {
  return readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && (long || !file.endsWith(".long.test.ts")))
    .map((file) => join("dist", file.replace(/\.ts$/, ".js")));
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: folders
      .map((folder) => ({ folder, include: testFiles(folder) }))
      .filter(({ include }) => include.length > 0)
      .map(({ folder, include }) => ({
        test: { name: folder, root: folder, include, exclude: [], setupFiles, testTimeout: long ? 1_800_000 : 60_000 },
      })),
  },
});
