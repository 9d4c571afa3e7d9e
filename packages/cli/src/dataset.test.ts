import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("./main.js", import.meta.url));

let folder: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-dataset-"));
  config = join(folder, "dataset.json");
  expect(refadgen(["mini", "pictures", "--count", "3", "--size", "96x80", "--format", "pictures", "--quiet"])).toMatchObject({ code: 0, stderr: "" });
  const settings = {
    sources: [{ kind: "folder", path: "pictures" }],
    output: "adprod",
    filter: { thresholds: [{ score: "shortSide", least: 64 }] },
    extract: { drivers: [{ name: "plain-background" }], least: 0.01 },
    augment: { variants: 1, views: 0 },
  };
  await writeFile(config, JSON.stringify(settings));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function refadgen(args: readonly string[]): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "dataset", ...args], { encoding: "utf8", cwd: folder });
  return { code: status, stdout, stderr };
}

describe("refadgen dataset", () => {
  it("runs a config, tells how far it is, and knows the second time that all is done", async () => {
    expect(refadgen(["status", "dataset.json"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/nothing has been run there yet/) });
    expect(refadgen(["browse", "dataset.json"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/dataset run dataset\.json comes first/) });
    const first = refadgen(["run", "dataset.json", "--workers", "1"]);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^3 items, \d triplets: \d for training, \d for tests\n/) });
    expect(first.stderr).toMatch(/^ingest +3 {2}/m);
    expect(await readdir(join(folder, "adprod"))).toEqual(
      expect.arrayContaining(["ledger.sqlite", "report.html", "report.json", "report.md", "webdataset"]),
    );
    const second = refadgen(["run", "dataset.json", "--json"]);
    const lines = second.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly type: string; readonly step?: string; readonly state?: string });
    expect(lines.find(({ step, state }) => step === "score" && state === "end")).toMatchObject({ done: 3, known: 3 });
    expect(lines.at(-1)).toMatchObject({ type: "summary", items: 3, shards: [{ known: true }] });
    expect(refadgen(["status", "dataset.json", "--json"]).stdout).toMatch(/"items": 3/);
  });

  it("does single steps, and counts what thresholds would do without doing it", async () => {
    const report = await readFile(join(folder, "adprod", "report.json"), "utf8");
    const { code, stdout } = refadgen(["filter", "dataset.json", "--what-if"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/shortSide +at least 64 +0 +0 +0\n\n3 of 3 would stay\.\n$/)]);
    expect(refadgen(["report", "dataset.json", "--quiet"])).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(join(folder, "adprod", "report.json"), "utf8")).toBe(report);
  });

  it("serves a page to look at", async () => {
    const child = spawn(process.execPath, [main, "dataset", "browse", "dataset.json"], { cwd: folder });
    const url = await new Promise<string>((resolve) => child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim())));
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, expect.stringMatching(/<title>Dataset/)]);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  it("says in one paragraph what is wrong and what to do", async () => {
    const broken = join(folder, "broken.json");
    await writeFile(broken, JSON.stringify({ sources: [{ kind: "folder", path: "pictures" }], ouput: "x" }));
    expect(refadgen(["run", "broken.json"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^refadgen: broken\.json: .*did you mean "output"\?.*\n$/),
    });
    expect(refadgen(["run", "missing.json"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^refadgen: there is no config missing\.json; refadgen dataset init writes one.*\n$/),
    });
    expect(refadgen(["run", "dataset.json", "--shard", "2/2"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/from 0\/n to \(n-1\)\/n/) });
    expect(refadgen(["init", "dataset.json"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/--force replaces it/) });
    expect(refadgen(["init", "new.json", "--pictures", "elsewhere"])).toMatchObject({ code: 0, stdout: "new.json\n" });
    expect(refadgen(["run", "new.json"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot read the folder .*elsewhere/) });
  });

  it("has help with an example for every command", () => {
    for (const args of [["run"], ["ingest"], ["filter"], ["init"], ["status"], ["browse"], ["mini"], ["split"]])
      expect(refadgen([...args, "--help"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/Examples?:\n {2}refadgen dataset/) });
  });
});
