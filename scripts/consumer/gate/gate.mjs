// A CI job that has nothing but @refadgen/metrics: its command runs by its name, and gates.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { saveImage } from "@refadgen/image";
import { evaluate, psnr } from "@refadgen/metrics";

function assert(condition, claim) {
  if (!condition) throw new Error(`expected that ${claim}`);
}

const [width, height] = [40, 32];
const picture = (shift) => ({
  ...{ width, height, channels: 3 },
  data: Uint8Array.from({ length: width * height * 3 }, (_, index) => ((index * 7) % 200) + shift),
});
for (const folder of ["made", "wanted"]) mkdirSync(folder);
for (const name of ["a", "b"]) {
  await saveImage(picture(5), `made/${name}.png`);
  await saveImage(picture(0), `wanted/${name}.png`);
}
await saveImage(picture(9), "made/lonely.png");

function metrics(...args) {
  const { status, stdout, stderr, error } = spawnSync("npx", ["--no-install", "refadgen-metrics", ...args], {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (error) throw error;
  return { status, output: stdout + stderr };
}
const measure = ["eval", "--generated", "made", "--reference", "wanted", "--cache", "cache"];
// Everything is off by 5 of 255: 10 lg (255² / 25) = 34.15 dB.
const passes = metrics(...measure, "--metrics", "psnr,ssim", "--threshold", "psnr>34.1", "--json", "metrics.json", "--html", "metrics.html");
assert(passes.status === 0, `a threshold that holds gives 0, got ${passes.status}: ${passes.output}`);
assert(passes.output.includes("lonely.png"), "a file without a partner is listed");
assert(existsSync("metrics.html"), "a page is written");
const report = JSON.parse(readFileSync("metrics.json", "utf8"));
assert(Math.abs(report.metrics[0].value - 10 * Math.log10(255 ** 2 / 25)) < 1e-4, `PSNR is 34.15 dB, got ${report.metrics[0].value}`);
const codes = {
  missed: metrics(...measure, "--metrics", "psnr", "--threshold", "psnr>34.2").status,
  usage: metrics(...measure, "--metrics", "psnr", "--threshold", "psnr is fine").status,
  weights: metrics(...measure, "--metrics", "lpips", "--offline").status,
};
assert(JSON.stringify(codes) === JSON.stringify({ missed: 1, usage: 2, weights: 3 }), `exit codes are 1, 2 and 3, got ${JSON.stringify(codes)}`);

// The same from code.
assert(typeof psnr === "function", "metrics can be called");
const { metrics: results, passed } = await evaluate(
  { generated: "made", reference: "wanted" },
  { metrics: ["psnr"], thresholds: ["psnr>34.1"], cache: false },
);
assert(passed && results[0].n === 2, "evaluate gives the same");
