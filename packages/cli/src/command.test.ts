import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const assets = fileURLToPath(new URL("../../../assets", import.meta.url));
const weights = ["--base", join(assets, "micro", "base"), "--checkpoint", join(assets, "micro", "refadgen", "mp_rank_00_model_states.pt")];
const product = ["--product", join(assets, "product.png")];
const small = ["--steps", "2", "--width", "64", "--height", "72"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function refadgen(args: readonly string[], onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, (signal) => child.kill(signal));
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe("refadgen generate", () => {
  it("writes an image with its settings, tells plain lines where there is no terminal, and skips what is there", async () => {
    const out = join(folder, "one");
    const args = ["generate", ...weights, ...product, ...small, "--prompt", "On a table, 50% off!", "--out", out, "--seed", "7"];
    const first = await refadgen(args);
    expect(first.stderr).toMatch(/denoise: \d/);
    for (const sign of ["\u001B", "\r", "█"]) expect(first.stderr).not.toContain(sign);
    expect(first.code).toBe(0);
    const files = (await readdir(out)).sort();
    expect(files).toEqual([expect.stringMatching(/^on-a-table-50-off-7-[0-9a-f]{6}\.json$/), expect.stringMatching(/\.png$/)]);
    expect(first.stdout.trim()).toBe(join(out, files[1]!));
    expect(JSON.parse(await readFile(join(out, files[0]!), "utf8"))).toMatchObject({
      prompt: "On a table, 50% off!",
      seed: "7",
      steps: 2,
      width: 64,
    });

    const written = (await stat(join(out, files[1]!))).mtimeMs;
    const second = await refadgen(args);
    expect([second.code, second.stdout.includes("there already")]).toEqual([0, true]);
    expect((await stat(join(out, files[1]!))).mtimeMs).toBe(written);
  });

  it("makes all prompts of a file and tells every event as JSON", async () => {
    const prompts = join(folder, "prompts.jsonl");
    await writeFile(prompts, '{"prompt": "a", "seed": 1}\n\n{"prompt": "b", "negativePrompt": "c"}\n');
    const out = join(folder, "two");
    const { code, stdout } = await refadgen(["generate", ...weights, ...product, ...small, "--prompts", prompts, "--out", out, "--json"]);
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(events.filter(({ type }) => type === "job")).toMatchObject([
      { prompt: "a", seed: 1 },
      { prompt: "b", negativePrompt: "c" },
    ]);
    expect(events.filter(({ type }) => type === "step")).toHaveLength(4);
    expect(events.filter(({ type }) => type === "file").map(({ status }) => status)).toEqual(["written", "written"]);
    expect((await readdir(out)).filter((name) => name.endsWith(".png"))).toHaveLength(2);
  });

  it("stops on SIGINT with 130 and leaves nothing half-written", async () => {
    const out = join(folder, "three");
    const args = ["generate", ...weights, ...product, "--steps", "500", "--width", "64", "--height", "64", "--prompt", "x", "--out", out, "--json"];
    const { code } = await refadgen(args, (text, kill) => {
      if (text.includes('"step":2')) kill("SIGINT");
    });
    expect(code).toBe(130);
    expect(await readdir(out)).toEqual([]);
  });

  it("writes an overview, and with --resume refuses company of other settings", async () => {
    const out = join(folder, "resumed");
    const args = ["generate", ...weights, ...product, ...small, "--prompt", "a", "--out", out, "--quiet", "--resume"];
    expect(await refadgen([...args, "--prompt", "b", "--contact-sheet", join(out, "overview.png"), "--preview"])).toMatchObject({ code: 0 });
    const { width, height } = await sharp(join(out, "overview.png")).metadata();
    expect(width > 480 && height > 400).toBe(true);
    expect((await readdir(out)).filter((name) => name.endsWith(".png")).length).toBe(4);
    expect((await refadgen(args)).stdout).toContain("there already");
    const other = await refadgen([...args, "--guidance-scale", "3"]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("guidanceScale was not given, is 3")]);
  });

  const wrong: readonly [string, number, RegExp, readonly string[]][] = [
    ["an unknown option", 2, /unknown option/, ["--colour"]],
    ["no prompt", 2, /--prompt/, []],
    ["an odd width", 2, /multiple of 8/, ["--prompt", "x", "--width", "65", "--height", "64"]],
    ["a number that is none", 2, /whole number/, ["--prompt", "x", "--steps", "ten"]],
    ["an unknown sampler", 2, /magic/, ["--prompt", "x", "--sampler", "magic"]],
    ["a product that is not there", 2, /nowhere\.png/, ["--prompt", "x", "--product", "nowhere.png"]],
    ["weights that are not there", 3, /nowhere\.pt/, ["--prompt", "x", "--checkpoint", "nowhere.pt"]],
    ["weights of another kind", 3, /RefAdGen checkpoint/, ["--prompt", "x", "--checkpoint", join(assets, "micro", "ip-adapter-plus.bin")]],
  ];
  it.each(wrong)("refuses %s with exit code %i and one readable message", async (_, expected, message, args) => {
    const { code, stderr } = await refadgen(["generate", ...weights, ...product, "--out", join(folder, "none"), ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(expected);
  });

  it("calibrates for 8 bits, and takes ranges and savings", async () => {
    const ranges = join(folder, "ranges.json");
    const calibrate = ["calibrate", ...weights, ...product, "--width", "64", "--height", "72", "--steps", "2", "--prompt", "a", "--out", ranges];
    const made = await refadgen([...calibrate, "--prompt", "b"]);
    expect([made.code, made.stdout.trim()]).toEqual([0, ranges]);
    expect(made.stderr).toMatch(/\[2\/2\] b\n.*step 2 of 2/s);
    const seen = Object.values(JSON.parse(await readFile(ranges, "utf8")) as Record<string, [number, number]>);
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.every(([least, most]) => least <= most)).toBe(true);
    expect((await refadgen(calibrate)).stderr).toMatch(/there already/);

    const out = join(folder, "int8");
    const generate = ["generate", ...weights, ...product, ...small, "--prompt", "a", "--out", out, "--ranges"];
    const savings = ["--guidance-interval", "0,600", "--cache-interval", "2", "--reference-tokens", "product"];
    expect((await refadgen([...generate, ranges, "--precision", "int8", ...savings])).code).toBe(0);
    const [record] = (await readdir(out)).filter((name) => name.endsWith(".json"));
    expect(JSON.parse(await readFile(join(out, record!), "utf8"))).toMatchObject({
      precision: "int8",
      ranges,
      guidanceInterval: [0, 600],
      cacheInterval: 2,
      referenceTokens: "product",
    });
    await writeFile(join(folder, "odd.json"), '{"x": [2, 1]}');
    const odd = await refadgen([...generate, join(folder, "odd.json"), "--precision", "int8"]);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringMatching(/\[2,1\]/)]);
    expect((await refadgen([...generate, ranges])).stderr).toMatch(/for --precision int8/);
  });

  it("explains itself", async () => {
    const { code, stdout } = await refadgen(["generate", "--help"]);
    expect(code).toBe(0);
    for (const word of ["--mask", "--sampler", "Example"]) expect(stdout).toContain(word);
    expect((await refadgen(["--help"])).stdout).toContain("Exit codes");
    expect((await refadgen(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("refadgen runtime", () => {
  it("lists what is there, and refuses what is no wheel or no runtime, saying what to do", async () => {
    const listed = await refadgen(["runtime", "ls"]);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/^onnxruntime {2}installed.*\nopenvino {5}/);
    const wheel = join(folder, "some.whl");
    await writeFile(wheel, "not a wheel");
    const refused = await refadgen(["runtime", "install", "openvino", wheel]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/the sha256 of .*some\.whl is [0-9a-f]{64}/);
    expect((await refadgen(["runtime", "install", "abacus"])).stderr).toMatch(/expected openvino, got "abacus"/);
  });
});
