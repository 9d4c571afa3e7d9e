import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readSplats, SplatFileError, type SplatScene, shCoefficientCount, type WriteSplatsOptions, writeSplats } from "@refadgen/augment";
import type { CaseResult } from "../../case.js";
import { type Comparison, compareNumbers, failed, float32Of, messageOf, type Recording, readRecording, resultOf } from "./recording.js";

type Fields = "positions" | "log_scales" | "quats" | "opacities" | "sh";

/** Every splat file of the folder against `decoded.safetensors`, what is written again, and every file of `broken`. */
export async function* splatFiles(folder: string): AsyncIterable<CaseResult> {
  const names = (await readdir(folder)).sort();
  const files = names.filter((name) => /\.(ply|splat|ksplat|spz|sog)$/.test(name));
  let recording: Recording | undefined;
  try {
    recording = await readRecording(join(folder, "decoded.safetensors"));
  } catch (error) {
    yield failed("files/decoded", messageOf(error));
  }
  if (recording) {
    for (const file of files) yield await attempt(`files/${file}`, () => compareFile(folder, file, recording));
    yield* writers(folder, files, recording);
    for (const name of recording.tensors.keys()) {
      const [file = ""] = name.split("/");
      if (file !== "truth" && !files.includes(file)) yield failed(`files/${name}`, "recorded values of a file that is not there");
    }
  }
  if (names.includes("broken")) yield* broken(join(folder, "broken"));
}

async function attempt(name: string, run: () => Promise<readonly Comparison[]>): Promise<CaseResult> {
  try {
    return resultOf(name, await run());
  } catch (error) {
    return failed(name, messageOf(error));
  }
}

async function compareFile(folder: string, file: string, recording: Recording): Promise<readonly Comparison[]> {
  const scene = await readSplats(join(folder, file));
  return compareScene(scene, recording, recording.tensors.has(`${file}/positions`) ? file : "truth", 2e-6);
}

/** Against what a file decodes to; `truth` has logits and spherical harmonics of degree 3, of which a file may hold fewer. */
function compareScene(scene: SplatScene, recording: Recording, of: string, atol: number): readonly Comparison[] {
  const expected = (field: Fields): Float32Array => {
    if (field === "opacities" && of === "truth") return float32Of(recording, "truth/opacity_logits").map((logit) => 1 / (1 + Math.exp(-logit)));
    return float32Of(recording, `${of}/${field}`);
  };
  const coefficients = shCoefficientCount(scene.shDegree);
  const sh = expected("sh");
  const recorded = sh.length / scene.count / 3;
  const known = Float32Array.from(
    { length: scene.sh.length },
    (_, i) => sh[Math.floor(i / (coefficients * 3)) * recorded * 3 + (i % (coefficients * 3))]!,
  );
  const comparisons = [
    compareNumbers("positions", scene.means, expected("positions"), { atol, rtol: 1e-7 }),
    compareNumbers("ln scales", scene.scales.map(Math.log), expected("log_scales"), { atol, rtol: 1e-7 }),
    compareNumbers("quaternions", signed(scene.quaternions, expected("quats")), expected("quats"), { atol }),
    compareNumbers("opacities", scene.opacities, expected("opacities"), { atol }),
    compareNumbers("sh", scene.sh, known, { atol }),
  ];
  // A file of its own has exactly the recorded degree.
  if (of !== "truth" && recorded !== coefficients)
    return [...comparisons, { what: "degree", share: Number.POSITIVE_INFINITY, detail: `${coefficients} coefficients of ${recorded}` }];
  return comparisons;
}

/** q and -q turn alike. */
function signed(answer: Float32Array, expected: Float32Array): Float32Array {
  return answer.map((value, i) => {
    const start = i - (i % 4);
    let dot = 0;
    for (let k = start; k < start + 4; k++) dot += answer[k]! * expected[k]!;
    return dot < 0 ? -value : value;
  });
}

/** Writes the true cloud in every format and compares with the recorded file of that format: bytes, within one each. */
async function* writers(folder: string, files: readonly string[], recording: Recording): AsyncIterable<CaseResult> {
  const truth = sceneOfTruth(recording);
  for (const file of files) {
    const options = writeOptions(file);
    if (!options) continue;
    yield await attempt(`files/write ${file}`, async () => {
      const original = await readFile(join(folder, file));
      const { shDegree } = await readSplats(original);
      const written = await writeSplats(cut(truth, shDegree), options);
      if (options.format === "ply") return [...compareScene(await readSplats(written), recording, "truth", 2e-6)];
      const again = await readSplats(written);
      const decoded = compareScene(again, recording, file, Number.POSITIVE_INFINITY).filter(({ share }) => Number.isNaN(share) || share > 1);
      const [own, expected] = [payload(written), payload(original)];
      return [...decoded, compareNumbers(own.equals(expected) ? "bytes, equal" : "bytes", own, expected, { atol: 1 })];
    });
  }
}

function payload(bytes: Uint8Array): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : Buffer.from(bytes);
}

/** Version 2 of `.spz` is read only. */
function writeOptions(file: string): WriteSplatsOptions | undefined {
  if (file === "splats.ply" || file.endsWith("degree0.ply")) return { format: "ply" };
  if (file.endsWith(".splat")) return { format: "splat" };
  const version = /_v([34])_.*\.spz$/.exec(file)?.[1];
  return version ? { format: "spz", version: Number(version) as 3 | 4 } : undefined;
}

function sceneOfTruth(recording: Recording): SplatScene {
  const means = float32Of(recording, "truth/positions");
  return {
    count: means.length / 3,
    shDegree: 3,
    means,
    scales: float32Of(recording, "truth/log_scales").map(Math.exp),
    quaternions: float32Of(recording, "truth/quats"),
    opacities: float32Of(recording, "truth/opacity_logits").map((logit) => 1 / (1 + Math.exp(-logit))),
    sh: float32Of(recording, "truth/sh"),
  };
}

function cut(scene: SplatScene, shDegree: SplatScene["shDegree"]): SplatScene {
  const kept = shCoefficientCount(shDegree) * 3;
  const all = shCoefficientCount(scene.shDegree) * 3;
  const sh = Float32Array.from({ length: scene.count * kept }, (_, i) => scene.sh[Math.floor(i / kept) * all + (i % kept)]!);
  return { ...scene, shDegree, sh };
}

interface Broken {
  readonly wrong: string;
  readonly expected: string;
}

const refusalSeconds = 2;
const refusalBytes = 64 * 2 ** 20;

/** A typed error in bounded time and memory; where the kit allows it, a scene without a number that is none. */
async function* broken(folder: string): AsyncIterable<CaseResult> {
  const files = (await readdir(folder)).filter((name) => name !== "manifest.json");
  if (files.length === 0) return;
  const manifest: Readonly<Record<string, Broken>> = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  for (const file of files) if (!Object.hasOwn(manifest, file)) yield failed(`files/broken/${file}`, "a file that the manifest does not explain");
  for (const [file, { wrong, expected }] of Object.entries(manifest)) {
    const name = `files/broken/${file}`;
    const bytes = process.memoryUsage().arrayBuffers;
    const started = performance.now();
    let outcome: string;
    let passed: boolean;
    try {
      const scene = await readSplats(join(folder, file));
      const sound = [scene.means, scene.scales, scene.quaternions, scene.opacities, scene.sh].every((values) => values.every(Number.isFinite));
      passed = sound && /^(read it|an empty cloud|identity)/.test(expected);
      outcome = `read ${scene.count} splats`;
    } catch (error) {
      const typed = SplatFileError.isInstance(error) ? error : undefined;
      passed = typed !== undefined && /reject/.test(expected) && namesWhatItFound(typed, expected);
      outcome = typed ? `refused (${typed.code}): ${typed.message}` : `untyped error: ${messageOf(error)}`;
    }
    const seconds = (performance.now() - started) / 1000;
    const grown = process.memoryUsage().arrayBuffers - bytes;
    const bounded = seconds < refusalSeconds && grown < refusalBytes;
    yield {
      name,
      error: passed && bounded ? 0 : Number.POSITIVE_INFINITY,
      detail: `${wrong}; ${outcome}${bounded ? "" : `; ${seconds} s, ${grown} bytes`}`,
      passed: passed && bounded,
    };
  }
}

/** "naming the splat and the field": the message must hold both; every message says what was expected and what was found. */
function namesWhatItFound({ message }: SplatFileError, expected: string): boolean {
  const said = /expected/.test(message) && /got/.test(message);
  if (/naming the splat/.test(expected)) return said && /splat \d+/.test(message) && /(scale_\d|\b[xyz]\b|rot_\d|opacity|f_dc)/.test(message);
  return said;
}
