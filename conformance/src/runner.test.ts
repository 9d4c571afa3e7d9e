import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CaseResult, Part } from "./case.js";
import { runParts } from "./runner.js";

let fixtures: string;
let lines: string[];
const print = (line: string): void => void lines.push(line);

beforeEach(async () => {
  fixtures = await mkdtemp(join(tmpdir(), "conformance-"));
  lines = [];
});
afterEach(() => rm(fixtures, { recursive: true }));

function partOf(...results: CaseResult[]): Part {
  return async function* () {
    yield* results;
  };
}

const pass: CaseResult = { name: "a", error: 0.25, detail: "max 1e-4 of 4e-4", passed: true };
const fail: CaseResult = { name: "b", error: Number.POSITIVE_INFINITY, detail: "cannot\nbe read", passed: false };

describe("runParts", () => {
  it("prints one line per case and counts them", async () => {
    await mkdir(join(fixtures, "text"));
    const counts = await runParts({ fixtures, parts: new Map([["text", { run: partOf(pass, fail) }]]), print });
    expect(counts).toEqual({ found: 2, passed: 1, failed: 1 });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^text +a +0\.25 of tolerance +pass +max 1e-4 of 4e-4$/);
    expect(lines[1]).toMatch(/^text +b +not comparable +FAIL +cannot be read$/);
  });

  it("names folders that no part knows, empty parts and parts asked for that are absent", async () => {
    for (const name of ["text", "augment"]) await mkdir(join(fixtures, name));
    const parts = new Map([
      ["text", { run: partOf(), note: "half of it" }],
      ["micro", { run: partOf(pass) }],
    ]);
    expect(await runParts({ fixtures, parts, print })).toEqual({ found: 0, passed: 0, failed: 0 });
    expect(lines.join("\n")).toMatch(/note: text: no case found.*\nnote: text: half of it\nnote: not run, folders of no known part: augment$/);
    lines = [];
    await runParts({ fixtures, parts, only: new Set(["micro"]), print });
    expect(lines.join("\n")).toMatch(/^note: micro: no such folder/);
  });

  it("counts a part that throws as one failure and goes on", async () => {
    for (const name of ["text", "micro"]) await mkdir(join(fixtures, name));
    const broken: Part = async function* () {
      yield pass;
      throw new Error("torn");
    };
    const parts = new Map([
      ["text", { run: broken }],
      ["micro", { run: partOf(pass) }],
    ]);
    expect(await runParts({ fixtures, parts, print })).toEqual({ found: 3, passed: 2, failed: 1 });
    expect(lines[1]).toMatch(/FAIL +torn$/);
  });

  it("hands on the folder and whether to run full-size networks", async () => {
    await mkdir(join(fixtures, "networks"));
    const seen: unknown[] = [];
    const run: Part = async function* (folder, options) {
      seen.push(folder, options);
      yield pass;
    };
    await runParts({ fixtures, parts: new Map([["networks", { run }]]), full: true, print });
    expect(seen).toEqual([join(fixtures, "networks"), { full: true }]);
  });
});

describe("the command", () => {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const command = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });

  it.each([
    [["--fixture", "x"]],
    [[]],
    [["--fixtures", "no-such-folder"]],
    [["--fixtures", ".", "--only", "nothing"]],
    [["--fixtures", ".", "rest"]],
  ])("refuses %j with exit code 2", (args) => {
    const { status, stdout, stderr } = command(...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^conformance: .*\n\nUsage:/s);
  });

  it("fails where no case is found", () => {
    const { status, stdout } = command("--fixtures", fixtures);
    expect([status, stdout]).toEqual([1, "0 found, 0 passed, 0 failed\n"]);
  });
});
