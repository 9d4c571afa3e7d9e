import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import { startHubServer } from "@refadgen/hub/testing";
import { parse as parseCsv } from "csv-parse/sync";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { readEvaluation } from "../evaluate/evaluation-json.js";
import { formulaImage, temporaryFolder, writeImages } from "../evaluate/fixture-images.test-support.js";
import { allElements, parseHtml } from "../report/parse-html.test-support.js";
import { runCommand } from "./command.js";
import { randomAlexNet } from "./random-alexnet.test-support.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));

let root: string;
let generated: string;
let reference: string;
let alexnet: string;
beforeAll(async () => {
  root = await temporaryFolder();
  [generated, reference, alexnet] = [join(root, "generated"), join(root, "reference"), join(root, "alexnet.safetensors")];
  const seeds = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`${index}.png`, index + 1]));
  await writeImages(generated, seeds, { width: 48, height: 40 });
  await writeImages(reference, Object.fromEntries(Object.entries(seeds).map(([name, seed]) => [name, seed + 0.02])), { width: 48, height: 40 });
  await writeFile(alexnet, randomAlexNet());
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Settings {
  readonly env?: Readonly<Record<string, string>>;
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

function refadgenMetrics(args: readonly string[], { env = {}, onStart }: Settings = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const { GITHUB_STEP_SUMMARY: _, GITHUB_ACTIONS: __, ...inherited } = process.env;
    const child = spawn(process.execPath, [main, ...args], { cwd: root, env: { ...inherited, REFADGEN_CACHE: join(root, "cache"), ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    onStart?.((signal) => child.kill(signal));
  });
}

/** The same without a process of its own, which takes longer to start than most refusals. */
async function inThisProcess(args: readonly string[]): Promise<Omit<Ended, "signal">> {
  const [folder, cache] = [process.cwd(), process.env.REFADGEN_CACHE];
  let [stdout, stderr] = ["", ""];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      stdout += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      stderr += String(text);
      return true;
    }),
  ];
  try {
    process.chdir(root);
    process.env.REFADGEN_CACHE = join(root, "cache");
    const code = await runCommand(args);
    return { code, stdout, stderr };
  } finally {
    process.chdir(folder);
    if (cache === undefined) delete process.env.REFADGEN_CACHE;
    else process.env.REFADGEN_CACHE = cache;
    for (const spy of spies) spy.mockRestore();
  }
}

const evaluation = (...more: readonly string[]) => ["eval", "--generated", generated, "--reference", reference, ...more];
const pixels = (...more: readonly string[]) => evaluation("--metrics", "psnr,ssim", ...more);

/** Of 8-bit pictures, in dB. */
function psnrOf(a: number, b: number): number {
  const [first, second] = [formulaImage(a, { width: 48, height: 40 }).data, formulaImage(b, { width: 48, height: 40 }).data];
  const error = first.reduce((sum, value, index) => sum + (value - second[index]!) ** 2, 0) / first.length;
  return 10 * Math.log10(255 ** 2 / error);
}

/** A PNG of a few bytes whose header promises ten thousand million pixels. */
function hugePng(): Uint8Array {
  const header = Buffer.alloc(17);
  header.write("IHDR");
  header.writeUInt32BE(100_000, 4);
  header.writeUInt32BE(100_000, 8);
  header.set([8, 2, 0, 0, 0], 12);
  const chunk = (content: Buffer) => {
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length - 4);
    checksum.writeUInt32BE(crc32(content));
    return Buffer.concat([length, content, checksum]);
  };
  const data = Buffer.concat([Buffer.from("IDAT"), deflateSync(Buffer.alloc(100))]);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk(header), chunk(data), chunk(Buffer.from("IEND"))]);
}

describe("refadgen-metrics eval", () => {
  it("measures, writes every report, and passes", async () => {
    const out = join(root, "new", "folder");
    const reports = ["json", "junit", "html", "csv", "markdown"].flatMap((report) => [`--${report}`, join(out, `report.${report}`)]);
    const { code, stdout, stderr } = await refadgenMetrics(pixels("--threshold", "psnr>20", "--threshold", "ssim.min>0.5", ...reports));
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^PSNR ↑/m);
    // No terminal, no progress.
    for (const sign of ["\u001B", "\r", "█"]) expect(stdout).not.toContain(sign);
    expect((await readdir(out)).sort()).toEqual(["report.csv", "report.html", "report.json", "report.junit", "report.markdown"]);
    const report = await readEvaluation(join(out, "report.json"));
    expect(report.gates.map(({ passed }) => passed)).toEqual([true, true]);
    for (const [index, { name, value }] of report.metrics[0]!.perImage!.entries()) {
      expect(name).toBe(`${index}.png`);
      expect(value).toBeCloseTo(psnrOf(index + 1, index + 1.02), 4);
    }
    const rows: string[][] = parseCsv(await readFile(join(out, "report.csv"), "utf8"));
    expect(rows[3]![3]).toBe(String(report.metrics[0]!.perImage![2]!.value));
    const page = parseHtml(await readFile(join(out, "report.html"), "utf8"));
    expect(page.errors).toEqual([]);
    expect(allElements(page.document).filter(({ tagName }) => tagName === "img")).toHaveLength(24);
  });

  it("ends with 1 when a threshold is missed, and says which", async () => {
    const junit = join(root, "missed.xml");
    const { code, stdout } = await refadgenMetrics(pixels("--threshold", "psnr>99", "--threshold", "ssim>0", "--junit", junit));
    expect([code, stdout.match(/^FAIL .*$/gm)]).toEqual([1, [expect.stringMatching(/^FAIL psnr is [\d.]+, not as required: > 99$/)]]);
    expect(await readFile(junit, "utf8")).toContain('<failure message="psnr is');
    const quiet = await refadgenMetrics(pixels("--threshold", "psnr>99", "--quiet"), { env: { GITHUB_ACTIONS: "true" } });
    expect([quiet.code, quiet.stderr.startsWith("FAIL psnr"), quiet.stdout]).toEqual([
      1,
      true,
      expect.stringMatching(/^::error title=refadgen-metrics::psnr is/),
    ]);
  });

  it("holds a run against the one before, and stops early when asked to", async () => {
    const [first, second] = [join(root, "first.json"), join(root, "second.json")];
    expect((await inThisProcess(pixels("--json", first, "--label", "main"))).code).toBe(0);
    const same = await inThisProcess(pixels("--baseline", first, "--max-regression", "2%", "--json", second));
    expect([same.code, (await readEvaluation(second)).history.map(({ label }) => label)]).toEqual([0, ["main"]]);
    const report = JSON.parse(await readFile(first, "utf8")) as { metrics: { value: number }[] };
    report.metrics[0]!.value *= 1.1;
    await writeFile(first, JSON.stringify(report));
    const worse = await refadgenMetrics(pixels("--baseline", first, "--max-regression", "2%", "--fail-fast"));
    expect([worse.code, worse.stdout]).toEqual([1, expect.stringMatching(/SSIM was not run: an earlier metric failed/)]);
    expect((await inThisProcess(pixels("--baseline", first, "--max-regression", "psnr=20%"))).code).toBe(0);
  });

  it("appends to GitHub's step summary, and prints JSON and Markdown where asked", async () => {
    const summary = join(root, "summary.md");
    await writeFile(summary, "before\n");
    await refadgenMetrics(pixels("--markdown"), { env: { GITHUB_STEP_SUMMARY: summary } });
    expect(await readFile(summary, "utf8")).toMatch(/^before\n## 📏 Image metrics measured/);
    const { stdout } = await refadgenMetrics(pixels("--json", "-"));
    expect((JSON.parse(stdout) as { format: string }).format).toBe("refadgen-metrics");
    expect((await refadgenMetrics(pixels("--markdown"))).stdout).toMatch(/^## 📏 [\s\S]*\| PSNR ↑ \|/);
  });

  it("goes on after kill -9 and comes to the same numbers", async () => {
    const [many, others, cache] = ["many", "others", "kill-cache"].map((name) => join(root, name)) as [string, string, string];
    const names = Object.fromEntries(Array.from({ length: 112 }, (_, index) => [`${index}.png`, index]));
    const size = { width: 160, height: 150 };
    await Promise.all([
      writeImages(many, names, size),
      writeImages(others, Object.fromEntries(Object.keys(names).map((name, index) => [name, index + 0.1])), size),
    ]);
    const args = (place: string, json: string) => [
      "eval",
      "--generated",
      many,
      "--reference",
      others,
      "--metrics",
      "psnr",
      "--cache",
      place,
      "--json",
      json,
    ];
    const states = async () =>
      (await readdir(join(cache, "metrics", "states"), { recursive: true }).catch(() => [])).filter((name) => name.endsWith(".state")).length;
    const killed = await refadgenMetrics(args(cache, join(root, "killed.json")), {
      onStart: (kill) => {
        const watch = setInterval(async () => {
          if ((await states()) < 1) return;
          clearInterval(watch);
          kill("SIGKILL");
        }, 10);
      },
    });
    expect(killed.signal).toBe("SIGKILL");
    const kept = await states();
    expect(kept).toBeGreaterThanOrEqual(1);
    expect(kept).toBeLessThan(7);
    await expect(stat(join(root, "killed.json"))).rejects.toThrow();
    const [resumed, whole] = [join(root, "resumed.json"), join(root, "whole.json")];
    await refadgenMetrics(args(cache, resumed));
    await refadgenMetrics(args(join(root, "other-cache"), whole));
    const [a, b] = [(await readEvaluation(resumed)).metrics[0]!, (await readEvaluation(whole)).metrics[0]!];
    expect([a.cached, b.cached]).toEqual([16 * kept, 0]);
    expect({ ...a, cached: 0, seconds: 0 }).toEqual({ ...b, cached: 0, seconds: 0 });
  });

  it("stops on SIGINT with 130 and writes no report", async () => {
    const json = join(root, "interrupted.json");
    const ended = await refadgenMetrics(
      ["eval", "--generated", join(root, "many"), "--reference", join(root, "others"), "--metrics", "ssim", "--no-cache", "--json", json],
      {
        onStart: (kill) => void setTimeout(() => kill("SIGINT"), 700),
      },
    );
    expect(ended.code).toBe(130);
    await expect(stat(json)).rejects.toThrow();
  });

  it("runs LPIPS from a weight file, keeps its scores, and compares pictures of odd sizes", async () => {
    const json = join(root, "lpips.json");
    const args = evaluation(
      "--metrics",
      "lpips",
      "--weights",
      `alexnet=${alexnet}`,
      "--offline",
      "--json",
      json,
      "--cache",
      join(root, "lpips-cache"),
    );
    expect(await refadgenMetrics(args)).toMatchObject({ code: 0, stderr: "" });
    const first = (await readEvaluation(json)).metrics[0]!;
    expect([first.n, first.cached, first.networks.length]).toEqual([6, 0, 1]);
    expect(first.value).toBeGreaterThan(0);
    await refadgenMetrics(args);
    const second = (await readEvaluation(json)).metrics[0]!;
    expect([second.cached, second.perImage]).toEqual([6, first.perImage]);
  });

  it("measures what it can of a folder of bad pictures, and lists the rest", async () => {
    const bad = join(root, "bad");
    await mkdir(bad);
    await Promise.all([
      writeImages(bad, { "0.png": 1, "5.png": 6 }, { width: 48, height: 40 }),
      writeImages(bad, { "1.png": 2 }, { width: 20, height: 40 }),
      writeFile(join(bad, "2.png"), ""),
      writeFile(join(bad, "3.jpg"), "no picture"),
      writeFile(join(bad, "4.png"), (await readFile(join(generated, "4.png"))).subarray(0, 300)),
      writeFile(join(bad, "6.png"), hugePng()),
      writeFile(join(bad, "readme.txt"), "x"),
    ]);
    const json = join(root, "bad.json");
    const partners = join(root, "partners");
    await writeImages(partners, Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`${index}.png`, index])), { width: 48, height: 40 });
    const args = ["eval", "--generated", bad, "--reference", partners, "--metrics", "psnr", "--json", json];
    const { code, stdout } = await refadgenMetrics(args);
    expect(code).toBe(0);
    const report = await readEvaluation(json);
    expect(report.metrics[0]!.n).toBe(2);
    expect(report.skipped.map(({ name, code: why }) => [name, why]).sort()).toEqual([
      ["1.png", "size"],
      ["2.png", expect.any(String)],
      ["3.jpg", expect.any(String)],
      ["4.png", expect.any(String)],
      ["6.png", "limit"],
    ]);
    expect(report.unmatched).toEqual([{ role: "generated", name: "readme.txt", reason: "not a picture by its extension" }]);
    expect(stdout).toMatch(/5 files skipped:/);
    expect((await refadgenMetrics([...args, "--strict"])).code).toBe(2);
  });

  const wrong: readonly [string, number, RegExp, readonly string[]][] = [
    ["no input", 2, /expected --generated FOLDER or --manifest FILE/, ["--metrics", "psnr"]],
    ["an unknown option", 2, /unknown option '--colour'/, ["--colour"]],
    ["an unknown metric", 2, /got "fod"/, ["--metrics", "fod"]],
    ["a threshold that is none", 2, /Expected METRIC, one of/, ["--threshold", "lpips is low"]],
    [
      "a threshold of a metric that is not measured",
      2,
      /lpips<1 is for a metric that is not computed/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "psnr", "--threshold", "lpips<1"],
    ],
    ["a limit that is none", 2, /Expected a share such as 2%/, ["--max-regression", "a bit"]],
    ["a limit without baseline", 2, /expected a baseline/, ["--generated", "generated", "--metrics", "psnr", "--max-regression", "2%"]],
    ["a folder that is not there", 2, /generated: there is no folder nowhere/, ["--generated", "nowhere", "--metrics", "psnr"]],
    ["a manifest and folders", 2, /leave out --generated/, ["--manifest", "m.jsonl", "--generated", "generated", "--metrics", "psnr"]],
    [
      "a baseline that is no report",
      2,
      /baseline generated\/0\.png: not JSON/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "psnr", "--baseline", "generated/0.png"],
    ],
    [
      "an output in a file",
      2,
      /alexnet\.safetensors\/out\.json cannot be written.*nothing was measured/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "psnr", "--json", "alexnet.safetensors/out.json"],
    ],
    [
      "an output that is a folder",
      2,
      /generated is a folder; give the name of a file in it/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "psnr", "--html", "generated"],
    ],
    ["an unknown recipe", 2, /mine/, ["--generated", "generated", "--reference", "reference", "--metrics", "psnr", "--recipe", "psnr=mine"]],
    [
      "weights that are not there",
      3,
      /ViT-B-32\.pt for clip-vit-b-32.*weights fetch/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "clip-i", "--offline"],
    ],
    [
      "weights of another network",
      3,
      /expected the weights of FID's Inception.*got torchvision's AlexNet/i,
      ["--generated", "generated", "--reference", "reference", "--metrics", "fid", "--weights", "inception-fid=alexnet.safetensors"],
    ],
    [
      "weights that are no weights",
      3,
      /0\.png/,
      ["--generated", "generated", "--reference", "reference", "--metrics", "lpips", "--weights", "alexnet=generated/0.png"],
    ],
    ["an unknown weight id", 2, /expected ID=PATH with one of the ids/, ["--generated", "generated", "--metrics", "lpips", "--weights", "alex=x"]],
    ["prompts that are missing", 2, /CLIP-Score needs prompts/, ["--generated", "generated", "--metrics", "clip-score"]],
  ];
  it.each(wrong)("refuses %s with exit code %i and one readable paragraph", async (_, expected, message, args) => {
    const { code, stderr, stdout } = await inThisProcess(["eval", ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect([code, stdout]).toEqual([expected, ""]);
  });

  it("refuses a file of the published name with other contents", async () => {
    const folder = join(root, "weights");
    await mkdir(folder);
    await writeFile(join(folder, "alexnet-owt-7be5be79.pth"), randomAlexNet());
    const { code, stderr } = await refadgenMetrics(evaluation("--metrics", "lpips", "--weights-dir", folder, "--offline"));
    expect([code, stderr]).toEqual([3, expect.stringMatching(/expected sha256 7be5be79…, got [0-9a-f]{64}/)]);
    await rm(folder, { recursive: true });
  });

  it("explains itself", async () => {
    const { code, stdout } = await refadgenMetrics(["eval", "--help"]);
    expect(code).toBe(0);
    for (const words of ["--threshold", "--masks", "Exit codes", "Examples:", "Reports:"]) expect(stdout).toContain(words);
    expect((await inThisProcess(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect((await inThisProcess([])).code).toBe(2);
  });
});

describe("refadgen-metrics compare", () => {
  it("tells a better model from chance, and gates", async () => {
    const [a, b, out] = [join(root, "a.json"), join(root, "b.json"), join(root, "comparison.json")];
    await inThisProcess(pixels("--json", a, "--label", "A"));
    const worse = join(root, "worse");
    await writeImages(worse, Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`${index}.png`, index + 1.3])), { width: 48, height: 40 });
    await inThisProcess(["eval", "--generated", worse, "--reference", reference, "--metrics", "psnr,ssim", "--json", b]);
    const { code, stdout } = await refadgenMetrics(["compare", a, b, "--gate", "--alpha", "0.1", "--json", out]);
    expect(stdout).toMatch(/^PSNR ↑ .* B is worse$/m);
    expect(code).toBe(1);
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({
      format: "refadgen-metrics-comparison",
      metrics: [{ metric: "psnr", verdict: "worse" }, {}],
    });
    expect((await inThisProcess(["compare", b, a, "--gate", "--alpha", "0.1"])).code).toBe(0);
    expect((await inThisProcess(["compare", a, a, "--markdown"])).stdout).toMatch(/^## Image metrics compared[\s\S]*no clear difference/);
    expect((await inThisProcess(["compare", a, join(generated, "0.png")])).code).toBe(2);
  });
});

describe("refadgen-metrics weights", () => {
  it("lists what metrics need, with size, licence, source, and whether it is here", async () => {
    const { code, stdout } = await inThisProcess(["weights"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^no +image-reward +1\.79 GB +Apache-2\.0 +image-reward$/m);
    expect(stdout).toMatch(/^shipped +lpips-lin-vgg +7\.3 kB +BSD-2-Clause +lpips$/m);
    expect(stdout).toContain("psnr, ssim, ms-ssim: no weights needed");
    const list = JSON.parse((await inThisProcess(["weights", "--metrics", "lpips", "--json", "--weights", `alexnet=${alexnet}`])).stdout) as {
      id: string;
      state: string;
      metrics: string[];
    }[];
    expect(list.map(({ id, state }) => [id, state])).toEqual([
      ["alexnet", "present"],
      ["lpips-lin-alex", "shipped"],
    ]);
  });

  it("fetches what is absent, goes on where it was stopped, and then runs offline", async () => {
    const bytes = randomAlexNet();
    const server = await startHubServer({ "org/nets": { files: { "alexnet.safetensors": bytes }, large: ["alexnet.safetensors"] } });
    const cache = join(root, "fetched");
    const env = { HF_ENDPOINT: server.url, HF_HUB_CACHE: cache, HF_HUB_OFFLINE: "", HF_TOKEN: "" };
    try {
      let broken = 0;
      server.intercept = (request, response, path) => {
        if (!path.endsWith(".safetensors") || request.headers.range !== undefined || broken++ > 0) return false;
        response.writeHead(200, { "content-length": bytes.length, "content-type": "application/octet-stream" });
        response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
        return true;
      };
      const source = ["--metrics", "lpips", "--weights", "alexnet=org/nets/alexnet.safetensors", "--cache", cache];
      const fetched = await refadgenMetrics(["weights", "fetch", ...source], { env });
      expect([fetched.code, fetched.stderr]).toEqual([0, expect.stringMatching(/MB of .* MB/)]);
      expect((await readFile(fetched.stdout.trim())).equals(bytes)).toBe(true);
      expect(server.requests.some(({ range }) => range !== undefined)).toBe(true);
      expect((await refadgenMetrics(["weights", "fetch", ...source], { env })).stdout).toMatch(/everything is here/);
      expect(await refadgenMetrics([...evaluation(...source), "--offline"], { env })).toMatchObject({ code: 0 });
      const nothing = await refadgenMetrics(["weights", "fetch", "--metrics", "lpips", "--weights", "alexnet=org/nets/other.pt", "--cache", cache], {
        env,
      });
      expect([nothing.code, nothing.stderr]).toEqual([3, expect.stringMatching(/could not be fetched.*other\.pt/)]);
    } finally {
      await server.close();
    }
  });

  it("refuses to fetch offline", async () => {
    expect((await inThisProcess(["weights", "--offline", "fetch"])).code).toBe(2);
  });
});
