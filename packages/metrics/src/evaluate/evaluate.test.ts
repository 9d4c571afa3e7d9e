import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { beforeAll, describe, expect, it } from "vitest";
import type { MetricName } from "../metrics/contract.js";
import { EvaluationError } from "./error.js";
import { type EvaluateOptions, type EvaluationProgress, evaluateWith } from "./evaluate.js";
import { evaluationToJson } from "./evaluation-json.js";
import { fakeMetrics } from "./fake-metrics.test-support.js";
import { formulaImage, temporaryFolder, writeImages } from "./fixture-images.test-support.js";

let root: string;
let generated: string;
let reference: string;
beforeAll(async () => {
  root = await temporaryFolder();
  [generated, reference] = [join(root, "generated"), join(root, "reference")];
  const seeds = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${String(index).padStart(2, "0")}.png`, index + 1]));
  await writeImages(generated, seeds);
  await writeImages(reference, Object.fromEntries(Object.entries(seeds).map(([name, seed]) => [name, seed + 100])));
});

let caches = 0;
const freshCache = () => join(root, `cache-${caches++}`);
const run = (
  options: EvaluateOptions & { readonly onScore?: (metric: MetricName, count: number) => void } = {},
  input: object = { generated, reference },
) => {
  const { onScore, ...rest } = options;
  // The fakes run no network; given ones are not looked for.
  const networks = { inception: {}, clip: {} } as never;
  const defaults: EvaluateOptions = { metrics: ["psnr"], cacheDirectory: freshCache(), createdAt: new Date(0), networks };
  return evaluateWith(fakeMetrics(onScore ? { onScore } : {}), input as never, { ...defaults, ...rest });
};
const difference = (a: number, b: number) => {
  const [first, second] = [formulaImage(a).data, formulaImage(b).data];
  return first.reduce((sum, value, index) => sum + Math.abs(value - second[index]!), 0) / first.length;
};

describe("evaluate", () => {
  it("computes every metric of what belongs together", async () => {
    const prompts = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [String(index).padStart(2, "0"), "x".repeat(index + 1)]));
    const evaluation = await run({ metrics: ["clip-score", "fid", "psnr", "kid"] }, { generated, reference, prompts });
    expect(evaluation.metrics.map(({ metric }) => metric)).toEqual(["clip-score", "fid", "psnr", "kid"]);
    const [clip, fid, psnr, kid] = evaluation.metrics;
    const each = Array.from({ length: 40 }, (_, index) => difference(index + 1, index + 101));
    expect(psnr!.perImage!.map(({ value }) => value)).toEqual(each);
    expect(psnr!.perImage![7]!.name).toBe("07.png");
    expect([clip!.value, clip!.n, fid!.counts, kid!.value]).toEqual([20.5, 40, { real: 40, generated: 40 }, fid!.value]);
    expect(evaluation).toMatchObject({
      passed: true,
      gates: [],
      notRun: [],
      unmatched: [],
      skipped: [],
      createdAt: "1970-01-01T00:00:00.000Z",
      label: generated,
    });
    expect(evaluation.items[0]).toEqual({
      name: "00.png",
      generated: join(generated, "00.png"),
      references: [join(reference, "00.png")],
      prompt: "x",
    });
  });

  it("goes on where a run was stopped, and comes to the same numbers", async () => {
    const cacheDirectory = freshCache();
    const whole = await run();
    const stop = new AbortController();
    let scored = 0;
    const stopped = run({
      cacheDirectory,
      signal: stop.signal,
      onScore: (_, count) => {
        scored += count;
        if (scored >= 20) stop.abort(new Error("stopped"));
      },
    });
    await expect(stopped).rejects.toThrow("stopped");
    let again = 0;
    const resumed = await run({
      cacheDirectory,
      onScore: (_, count) => {
        again += count;
      },
    });
    expect(again).toBeLessThan(40);
    expect(again).toBeGreaterThan(0);
    expect(resumed.metrics[0]).toEqual({ ...whole.metrics[0], cached: 40 - again, seconds: resumed.metrics[0]!.seconds });
    expect(resumed.metrics[0]!.cached).toBeGreaterThanOrEqual(16);
  });

  it("computes anew what has changed: a file, a recipe, an option", async () => {
    const cacheDirectory = freshCache();
    const folder = join(root, "changing");
    await writeImages(folder, { "00.png": 1, "01.png": 2 });
    const count = async (options: EvaluateOptions = {}) => {
      let scored = 0;
      const { metrics } = await run(
        {
          metrics: ["ssim"],
          cacheDirectory,
          ...options,
          onScore: (_, pairs) => {
            scored += pairs;
          },
        },
        { generated: folder, reference },
      );
      return [scored, metrics[0]!.value];
    };
    const first = (difference(1, 101) + difference(2, 102)) / 2;
    expect(await count()).toEqual([2, first]);
    expect(await count()).toEqual([0, first]);
    expect((await count({ recipes: { ssim: "piq" } }))[0]).toBe(2);
    expect((await count({ options: { ssim: { k1: 1 } } }))[0]).toBe(2);
    expect((await count({ cache: false }))[0]).toBe(2);
    await writeImages(folder, { "01.png": 3 });
    expect(await count()).toEqual([2, (difference(1, 101) + difference(3, 102)) / 2]);
  });

  it("skips what cannot be read or compared, lists it once, and measures the rest", async () => {
    const [bad, good] = [join(root, "bad"), join(root, "good")];
    const names = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`${index}.png`, index + 1]));
    await Promise.all([writeImages(bad, names), writeImages(good, names)]);
    await writeFile(join(bad, "0.png"), "");
    await writeFile(join(bad, "1.png"), "this is no picture");
    await writeImages(bad, { "2.png": 1 }, { width: 9, height: 20 });
    await writeFile(join(good, "3.png"), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const evaluation = await run({ metrics: ["psnr", "ssim", "fid"] }, { generated: bad, reference: good });
    const [psnr, ssim, fid] = evaluation.metrics;
    expect([psnr!.n, psnr!.value, ssim!.n, fid!.counts]).toEqual([2, 0, 2, { real: 5, generated: 4 }]);
    expect(psnr!.skipped.map(({ name, code }) => [name, code])).toEqual([
      ["0.png", expect.any(String)],
      ["1.png", expect.any(String)],
      [join(good, "3.png"), expect.any(String)],
      ["2.png", "size"],
    ]);
    expect(evaluation.skipped.find(({ code }) => code === "size")!.reason).toBe("it has 9 × 20 pixels and its reference 24 × 20");
    expect(evaluation.skipped.filter(({ name }) => name === "0.png")).toHaveLength(1);
    expect(evaluation.warnings.join()).toMatch(/skipped: /);
    await expect(run({ strict: true }, { generated: bad, reference: good })).rejects.toThrow(/cannot be used, and strict/);
    const resized = await run({ resizeReferences: "bicubic" }, { generated: bad, reference: good });
    expect(resized.metrics[0]!.n).toBe(3);
  });

  it("refuses to give a number when nothing is left", async () => {
    const folder = join(root, "none");
    await mkdir(folder);
    await writeFile(join(folder, "00.png"), "x");
    const act = run({}, { generated: folder, reference });
    await expect(act).rejects.toThrow(EvaluationError);
    await expect(act).rejects.toThrow(/psnr: none of the 1 pictures can be judged; the first, 00\.png:/);
    await expect(run({ metrics: ["fid"] }, { generated: folder, reference })).rejects.toThrow(/none of the 1 generated pictures can be read/);
  });

  it("counts every pair of a picture with several references", async () => {
    const entries = [{ generated: join(generated, "00.png"), reference: [join(reference, "00.png"), join(reference, "01.png")], name: "x" }];
    const { metrics } = await run({}, { manifest: entries });
    expect(metrics[0]!.perImage).toEqual([
      { name: "x [1]", value: difference(1, 101) },
      { name: "x [2]", value: difference(1, 102) },
    ]);
  });

  it("judges thresholds and the baseline, and remembers the baseline", async () => {
    const first = await run({ label: "main" });
    const { value } = first.metrics[0]!;
    const baseline = join(root, "baseline.json");
    await writeFile(baseline, evaluationToJson({ ...first, metrics: [{ ...first.metrics[0]!, value: value * 1.5 }] }));
    const second = await run({ baseline, maxRegression: "2%", thresholds: [`psnr>${value - 1}`, `psnr.min>${value}`] });
    expect(second.gates.map(({ kind, passed }) => [kind, passed])).toEqual([
      ["threshold", true],
      ["threshold", false],
      ["regression", false],
    ]);
    expect([second.passed, second.history]).toEqual([false, [{ label: "main", createdAt: first.createdAt, values: { psnr: value * 1.5 } }]]);
    expect(second.gates[2]!.message).toMatch(/^psnr went from .* \(−33\.33 %\); 2% for the worse is allowed; p = 1$/);
    expect((await run({ baseline: first, maxRegression: "0" })).passed).toBe(true);
  });

  it("stops at the first failure when asked to, cheap metrics first", async () => {
    const scored = new Set<MetricName>();
    const onScore = (metric: MetricName) => void scored.add(metric);
    const { notRun, metrics } = await run({ metrics: ["ms-ssim", "ssim", "psnr"], thresholds: ["psnr>1e6"], failFast: true, onScore });
    expect([notRun, metrics.map(({ metric }) => metric), [...scored]]).toEqual([["ms-ssim", "ssim"], ["psnr"], ["psnr"]]);
  });

  it("tells how far it is", async () => {
    const seen: EvaluationProgress[] = [];
    await run({ onProgress: (progress) => void seen.push(progress) });
    expect(seen[0]).toEqual({ stage: "match" });
    const scores = seen.filter((progress) => progress.stage === "score");
    expect(scores.map(({ done }) => done)).toEqual([16, 32, 40]);
    expect(scores.every(({ total }) => total === 40)).toBe(true);
  });

  it.each([
    ["an unknown metric", { metrics: ["psnr", "fod"] }, ArgumentError, /got "fod"/],
    ["no metric", { metrics: [] }, ArgumentError, /at least one/],
    ["a metric twice", { metrics: ["psnr", "psnr"] }, ArgumentError, /"psnr" twice/],
    ["a threshold of another metric", { thresholds: ["ssim>0.5"] }, ArgumentError, /ssim>0\.5 is for a metric that is not computed/],
    ["a threshold that is none", { thresholds: ["psnr is good"] }, ArgumentError, /parseThreshold/],
    [
      "a smallest score of a whole set",
      { metrics: ["fid"], thresholds: ["fid.min<5"] },
      ArgumentError,
      /fid\.min<5: expected one of value, n of fid, got "min"/,
    ],
    [
      "a detail that a metric does not have",
      { thresholds: ["psnr.recall>1"] },
      ArgumentError,
      /expected one of value, n, min, max, median, low, high of psnr/,
    ],
    ["an interval that is left out", { interval: false, thresholds: ["psnr.low>1"] }, ArgumentError, /got "low"/],
    ["a limit without baseline", { maxRegression: "2%" }, ArgumentError, /expected a baseline/],
    ["a recipe of another metric", { recipes: { ssim: "piq" } }, ArgumentError, /ssim, which is not among the metrics/],
    ["a recipe that does not exist", { recipes: { psnr: "mine" } }, ArgumentError, /got "mine"/],
    ["a significance of 5", { significance: 5 }, ArgumentError, /between 0 and 1/],
    ["a baseline that is not there", { baseline: "nowhere.json", maxRegression: "2%" }, EvaluationError, /baseline: nowhere\.json cannot be read/],
    ["prompts that are missing", { metrics: ["clip-score", "psnr"] }, EvaluationError, /CLIP-Score needs prompts/],
    ["masks that are missing", { metrics: ["mp-lpips"] }, EvaluationError, /MP-LPIPS needs references and masks/],
  ])("refuses %s before any work", async (_, options, type, message) => {
    const act = run(options as never);
    await expect(act).rejects.toThrow(type);
    await expect(act).rejects.toThrow(message);
  });

  it("names every weight file that is missing before it begins", async () => {
    const act = run({ metrics: ["fid", "lpips", "psnr"], offline: true, networks: {} });
    await expect(act).rejects.toMatchObject({ code: "missing" });
    await expect(act).rejects.toThrow(/2 weight files are not on this machine.*alexnet.*lpips-alex.*pt_inception.*weights fetch/);
  });
});
