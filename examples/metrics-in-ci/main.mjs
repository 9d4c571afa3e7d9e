// What the workflow beside this file does, on pictures made here and without downloads: `node main.mjs`.
// A model is measured and becomes the baseline; a worse one must not pass.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { saveImage } from "@refadgen/image";

const folder = fileURLToPath(new URL("../../output/metrics-in-ci/", import.meta.url));
rmSync(folder, { recursive: true, force: true });
for (const name of ["products", "good", "bad"]) mkdirSync(`${folder}${name}`, { recursive: true });

// 1. Products on a plain background; "ads" of them by a good model, and by one that gets the colours wrong.
const [width, height] = [96, 80];
function picture(seed, { noise, shift }) {
  const data = new Uint8Array(width * height * 3);
  for (let index = 0; index < width * height; index++) {
    const [x, y] = [index % width, Math.floor(index / width)];
    const inside = (x - 48) ** 2 + (y - 40) ** 2 < 700 + 40 * (seed % 7);
    for (let channel = 0; channel < 3; channel++) {
      const colour = inside ? 128 + 100 * Math.sin(seed + channel * 2 + shift) : 225;
      data[index * 3 + channel] = Math.max(0, Math.min(255, colour + noise * Math.sin(index * 12.9898 + seed * 78.233 + channel)));
    }
  }
  return { width, height, channels: 3, data };
}
const prompts = [];
for (let seed = 0; seed < 12; seed++) {
  await saveImage(picture(seed, { noise: 0, shift: 0 }), `${folder}products/${seed}.png`);
  await saveImage(picture(seed, { noise: 6, shift: 0 }), `${folder}good/${seed}.png`);
  await saveImage(picture(seed, { noise: 6, shift: 0.8 }), `${folder}bad/${seed}.png`);
  prompts.push(JSON.stringify({ name: `${seed}.png`, prompt: `a round badge in colour ${seed}` }));
}
writeFileSync(`${folder}prompts.jsonl`, `${prompts.join("\n")}\n`);

// 2. LPIPS needs AlexNet, 244 MB that a CI cache keeps. Here seeded random weights stand in for it: the numbers mean nothing, the way is the same.
writeFileSync(`${folder}alexnet.safetensors`, randomAlexNet());

// 3. The command, as a workflow runs it. Exit code 0: every gate holds; 1: one is missed.
function measure(model, ...more) {
  const command = fileURLToPath(new URL("./command/main.js", import.meta.resolve("@refadgen/metrics")));
  const pictures = ["--generated", `${folder}${model}`, "--reference", `${folder}products`, "--prompts", `${folder}prompts.jsonl`];
  const metrics = ["--metrics", "psnr,ssim,lpips", "--weights", `alexnet=${folder}alexnet.safetensors`, "--offline"];
  const gates = ["--threshold", "psnr>20", "--threshold", "ssim.min>0.5"];
  const reports = ["json", "junit:xml", "html", "csv"].flatMap((report) => {
    const [option, extension = option] = report.split(":");
    return [`--${option}`, `${folder}${model}.${extension}`];
  });
  const args = ["eval", ...pictures, ...metrics, ...gates, ...reports, "--label", model, "--cache", `${folder}cache`, ...more];
  console.log(`\nrefadgen-metrics eval --generated ${model} …`);
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: "inherit" });
  return status;
}

const good = measure("good");
const bad = measure("bad", "--baseline", `${folder}good.json`, "--max-regression", "2%", "--significance", "0.05");
if (good !== 0 || bad !== 1) throw new Error(`expected exit codes 0 and 1, got ${good} and ${bad}`);

const { gates } = JSON.parse(readFileSync(`${folder}bad.json`, "utf8"));
console.log(`\nThe second model was stopped by ${gates.filter(({ passed }) => !passed).length} of ${gates.length} gates. Reports: ${folder}`);

function randomAlexNet() {
  const layers = { 0: [64, 3, 11, 11], 3: [192, 64, 5, 5], 6: [384, 192, 3, 3], 8: [256, 384, 3, 3], 10: [256, 256, 3, 3] };
  const header = {};
  const values = [];
  let [at, state] = [0, 1];
  for (const [layer, dims] of Object.entries(layers)) {
    const inputs = dims[1] * dims[2] * dims[3];
    for (const [name, shape, scale] of [
      ["weight", dims, Math.sqrt(6 / inputs)],
      ["bias", [dims[0]], 0.05],
    ]) {
      const tensor = Float32Array.from({ length: shape.reduce((product, size) => product * size) }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state / 2 ** 31 - 1) * scale;
      });
      header[`features.${layer}.${name}`] = { dtype: "F32", shape, data_offsets: [at, at + tensor.byteLength] };
      at += tensor.byteLength;
      values.push(Buffer.from(tensor.buffer));
    }
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...values]);
}
