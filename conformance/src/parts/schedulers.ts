import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  addNoise,
  createSchedule,
  denoise,
  noiseSchedule,
  parseSchedulerConfig,
  type Schedule,
  type SchedulerConfig,
  startLatents,
  timestepsOf,
  velocity,
} from "@refadgen/core-unet";
import { RefAdGenError } from "@refadgen/errors";
import { elementCount, type Tensor } from "@refadgen/graph";
import type { CaseResult, Part } from "../case.js";
import { failure } from "../compare.js";
import { openRecording } from "../recording.js";
import { type Allowed, worstError } from "../worst-error.js";

/** One run in `cases.json`. */
interface RecordedRun {
  readonly class: string;
  readonly settings: object;
  readonly step: { readonly eta?: number };
  readonly steps: number;
  readonly timesteps: readonly number[];
  readonly initNoiseSigma: number;
  readonly absMax: number;
  readonly sigmas?: readonly number[];
  readonly strength?: number;
}

interface Ends {
  readonly head: readonly number[];
  readonly tail: readonly number[];
  readonly sum: number;
}

/** One entry of `timesteps.json`. */
interface RecordedTable {
  readonly error?: string;
  readonly firstStep?: string;
  readonly count?: number;
  readonly timesteps?: readonly number[] | Ends;
  readonly sigmas?: Ends;
}

/** Step counts whose timesteps are out of order in the reference: steps, count, largest, smallest. */
type OddCounts = Readonly<Record<string, readonly (readonly [number, number, number, number])[]>>;

interface Values {
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

type Recorded = ReadonlyMap<string, Values>;

const stableDiffusion = { num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };
const ddimSettings = { ...stableDiffusion, clip_sample: false, set_alpha_to_one: false, timestep_spacing: "leading", steps_offset: 1 };

/** What the labels of `forward/` stand for. */
const forwardSettings: Readonly<Record<string, object>> = {
  sd15: ddimSettings,
  "zero-snr": { ...ddimSettings, rescale_betas_zero_snr: true, timestep_spacing: "trailing" },
};

/** What the sampler names of `timesteps.json` stand for. */
const tableSettings: Readonly<Record<string, { readonly className: string; readonly settings: object }>> = {
  ddim: { className: "DDIMScheduler", settings: { clip_sample: false, set_alpha_to_one: false } },
  pndm: { className: "PNDMScheduler", settings: { skip_prk_steps: true, set_alpha_to_one: false } },
  euler: { className: "EulerDiscreteScheduler", settings: {} },
  "euler-a": { className: "EulerAncestralDiscreteScheduler", settings: {} },
  "dpmpp-2m": { className: "DPMSolverMultistepScheduler", settings: {} },
  unipc: { className: "UniPCMultistepScheduler", settings: {} },
  lcm: { className: "LCMScheduler", settings: {} },
};

/** The steps of which `forward/{case}` takes its timesteps. */
const forwardSteps = 20;

const sigmaTolerance: Allowed = (sigma) => 2e-5 * Math.abs(sigma);

/** Every run, noising and timestep table of the folder. */
export const schedulers: Part = async function* (folder) {
  const recorded = new Map<string, Values>();
  let runs: Readonly<Record<string, RecordedRun>>;
  let tables: Readonly<Record<string, RecordedTable | OddCounts>>;
  try {
    const recording = await openRecording(join(folder, "trajectories.safetensors"));
    for (const name of recording.names) recorded.set(name, { dims: recording.dims(name), values: await recording.values(name) });
    runs = JSON.parse(await readFile(join(folder, "cases.json"), "utf8"));
    tables = JSON.parse(await readFile(join(folder, "timesteps.json"), "utf8"));
  } catch (error) {
    yield failure("files", error);
    return;
  }
  const compared = new Set(["x", "image", "noise"]);
  for (const [name, run] of Object.entries(runs)) {
    if (name.startsWith("forward/")) continue; // differences of the reference to its own float64 run
    for (const what of ["x", "x64", "clean"]) compared.add(`${name}/${what}`);
    yield await attempt(name, () => compareRun(name, run, recorded));
  }
  for (const label of new Set([...recorded.keys()].map((key) => /^forward\/([^/]+)\/[^/]+$/.exec(key)?.[1]))) {
    if (label !== undefined) yield await attempt(`forward/${label}`, () => compareForward(label, recorded, runs));
  }
  for (const key of recorded.keys())
    if (!key.startsWith("forward/") && !compared.has(key)) yield failure(key, "recorded values that no case explains");
  for (const [name, table] of Object.entries(tables)) {
    yield await attempt(`timesteps/${name}`, () =>
      name.endsWith("/odd") ? compareOdd(name, table as OddCounts) : compareTable(name, table as RecordedTable),
    );
  }
};

async function attempt(name: string, compare: () => CaseResult | Promise<CaseResult>): Promise<CaseResult> {
  try {
    return await compare();
  } catch (error) {
    return failure(name, error);
  }
}

async function compareRun(name: string, run: RecordedRun, recorded: Recorded): Promise<CaseResult> {
  const schedule = createSchedule({ config: configOf(run), steps: run.steps });
  const strength = run.strength;
  const path = recordedAt(recorded, `${name}/x`);
  const noise = recordedAt(recorded, "noise");
  const [, ...dims] = path.dims;
  const size = elementCount(dims);
  const tensor = (from: ArrayLike<number>, place: number): Tensor<"float32"> => ({
    dtype: "float32",
    dims,
    data: Float32Array.from({ length: size }, (_, i) => from[place * size + i]!),
  });
  const start = {
    schedule,
    latents: tensor(recordedAt(recorded, strength === undefined ? "x" : "image").values, 0),
    ...(strength === undefined ? {} : { strength, startNoise: tensor(noise.values, noise.values.length / size - 1) }),
  };
  const got: Float32Array[] = [startLatents(start).data];
  const clean: Float32Array[] = [];
  const eta = run.step.eta ?? 0;
  for await (const step of denoise({ ...start, eta, noise: (i) => tensor(noise.values, i), denoiser: fakeDenoiser })) {
    got.push(step.latents.data);
    clean.push(step.denoised.data);
  }
  const tolerance = 5e-6 * Math.max(1, run.absMax);
  const final = recordedAt(recorded, `${name}/x64`);
  const cleanPath = recorded.get(`${name}/clean`);
  const errors: Record<string, number> = {
    timesteps: worstError(timestepsOf({ schedule, strength }).timesteps, run.timesteps, timestepTolerance(schedule.config)),
    sigmas: run.sigmas ? worstError(schedule.sigmas ?? [], run.sigmas, sigmaTolerance) : 0,
    initNoiseSigma: worstError([schedule.initNoiseSigma], [run.initNoiseSigma], sigmaTolerance),
    path: worstError(joined(got), path.values, tolerance),
    end: worstError(got.at(-1)!, final.values, tolerance),
    clean: cleanPath ? worstError(joined(clean), cleanPath.values, tolerance) : 0,
    absMax: worstError([got.reduce((most, latents) => latents.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0)], [run.absMax], tolerance),
  };
  return summed(name, errors, `${got.length} states to ${tolerance.toExponential(1)}`);
}

/** The kit's model: 0.3 x + 0.05 sin(t / 100) in float32, in that order. */
async function fakeDenoiser({ dims, data }: Tensor<"float32">, timestep: number): Promise<Tensor<"float32">> {
  const factor = Math.fround(0.3);
  const offset = Math.fround(0.05 * Math.sin(timestep / 100));
  return { dtype: "float32", dims, data: data.map((value) => Math.fround(factor * value) + offset) };
}

function compareForward(label: string, recorded: Recorded, runs: Readonly<Record<string, RecordedRun>>): CaseResult {
  const prefix = `forward/${label}/`;
  const run = Object.entries(runs).find(([name]) => name.startsWith(`${label}/`))?.[1];
  const config = forwardSettings[label] ? parseSchedulerConfig({ _class_name: "DDIMScheduler", ...forwardSettings[label] }) : run && configOf(run);
  if (!config) throw new Error("expected a label of the kit or the name of a run");
  const own = recorded.get(`${prefix}t`);
  const schedule = own ? createSchedule({ config, steps: forwardSteps }) : noiseSchedule(config);
  const timesteps = Array.from((own ?? recordedAt(recorded, "forward/t")).values);
  const clean = floatTensor(recordedAt(recorded, "forward/clean"));
  const noise = floatTensor(recordedAt(recorded, "forward/eps"));
  const answers: Readonly<Record<string, () => ArrayLike<number>>> = {
    betas: () => schedule.betas,
    alphas_cumprod: () => schedule.alphasCumprod,
    add_noise: () => addNoise({ schedule, clean, noise, timesteps: nearest(timesteps, schedule) }).data,
    get_velocity: () => velocity({ schedule, clean, noise, timesteps }).data,
    t: () => nearest(timesteps, schedule),
  };
  const errors: Record<string, number> = {};
  for (const [key, values] of recorded) {
    if (!key.startsWith(prefix)) continue;
    const what = key.slice(prefix.length);
    const answer = answers[what.replace(/64$/, "")];
    if (!answer) throw new Error(`${key}: recorded values of a kind that is not known`);
    const expected = values.values;
    errors[what] = worstError(answer(), expected, forwardTolerance(what, config, expected));
  }
  return summed(`forward/${label}`, errors, Object.keys(errors).join(", "));
}

function forwardTolerance(what: string, { rescale_betas_zero_snr: rescaled }: SchedulerConfig, expected: Float64Array): number {
  if (what === "t") return 1e-4;
  if (what.startsWith("alphas_cumprod")) return 1e-6;
  // The kit states none. Rescaled betas are one minus a ratio of differences that vanish towards the last timestep: another rounding of
  // one float32 square root moves them by 3e-6.
  if (what === "betas") return rescaled ? 1e-5 : 1e-6;
  return 5e-6 * Math.max(1, largest(expected));
}

async function compareTable(name: string, table: RecordedTable): Promise<CaseResult> {
  const [sampler = "", spacingName = "", stepsText = ""] = name.split("/");
  const known = tableSettings[sampler];
  if (!known) throw new Error(`expected one of ${Object.keys(tableSettings).join(", ")}, got ${sampler}`);
  const karras = spacingName.endsWith("-karras");
  const spacing = spacingName.replace(/-karras$/, "");
  const config = parseSchedulerConfig({
    _class_name: known.className,
    ...stableDiffusion,
    ...known.settings,
    timestep_spacing: spacing,
    ...(spacing === "leading" ? { steps_offset: 1 } : {}),
    ...(karras ? { use_karras_sigmas: true } : {}),
  });
  const create = (): Schedule => createSchedule({ config, steps: Number(stepsText) });
  if (table.error !== undefined || table.firstStep !== undefined) {
    return expectRefused(`timesteps/${name}`, table.error ?? table.firstStep!, async () => {
      const latents: Tensor<"float32"> = { dtype: "float32", dims: [1, 4, 3, 5], data: new Float32Array(60) };
      await denoise({ schedule: create(), latents, noise: () => latents, denoiser: fakeDenoiser }).next();
    });
  }
  const { timesteps, sigmas } = create();
  const errors: Record<string, number> = {
    count: worstError([timesteps.length], [table.count ?? -1], 0),
    timesteps: table.timesteps ? worstEnds(timesteps, table.timesteps, timestepTolerance(config)) : Number.POSITIVE_INFINITY,
    sigmas: table.sigmas ? worstEnds(Array.from(sigmas ?? []), table.sigmas, sigmaTolerance) : 0,
  };
  return summed(`timesteps/${name}`, errors, `${timesteps.length} timesteps`);
}

/**
 * What the reference gets wrong: too many timesteps, or some outside of training. Here every number of steps gives as many different
 * timesteps of training, or an error beforehand where only the offset leads out of them; the counts that are not listed are regular.
 */
async function compareOdd(name: string, odd: OddCounts): Promise<CaseResult> {
  for (const [spacing, list] of Object.entries(odd)) {
    const listed = new Map(list.map((entry) => [entry[0], entry]));
    const config = parseSchedulerConfig({ _class_name: "DDIMScheduler", ...ddimSettings, timestep_spacing: spacing });
    for (let steps = 1; steps <= config.num_train_timesteps; steps++) {
      const most = listed.get(steps)?.[2] ?? 0;
      if (most >= config.num_train_timesteps) {
        const refused = await expectRefused(name, `timestep ${most}`, async () => createSchedule({ config, steps }));
        if (!refused.passed) return failure(`timesteps/${name}`, `${spacing}, ${steps} steps: ${refused.detail}`);
        continue;
      }
      const { timesteps } = createSchedule({ config, steps });
      const regular =
        new Set(timesteps).size === steps && timesteps.length === steps && timesteps.every((t) => t >= 0 && t < config.num_train_timesteps);
      if (!regular) return failure(`timesteps/${name}`, `${spacing}: expected ${steps} different timesteps of training, got ${timesteps.length}`);
    }
  }
  return passedOrFailed(`timesteps/${name}`, 0, "every number of steps gives as many timesteps");
}

/** Where the reference fails, the schedule or the first step must throw an error of ours. */
async function expectRefused(name: string, reference: string, run: () => Promise<unknown>): Promise<CaseResult> {
  try {
    await run();
    return failure(name, `expected an error as in the reference (${reference}), got none`);
  } catch (error) {
    return RefAdGenError.isInstance(error) ? passedOrFailed(name, 0, error.message) : failure(name, error);
  }
}

function worstEnds(values: readonly number[], recorded: readonly number[] | Ends, tolerance: Allowed): number {
  if (!("head" in recorded)) return worstError(values, recorded, tolerance);
  const { head, tail, sum } = recorded;
  const each = values.reduce((total, value) => total + (typeof tolerance === "number" ? tolerance : tolerance(value)), 0);
  return Math.max(
    worstError(values.slice(0, head.length), head, tolerance),
    worstError(values.slice(-tail.length), tail, tolerance),
    worstError([values.reduce((total, value) => total + value, 0)], [sum], each),
  );
}

/** Euler's timesteps can be fractional, and were recorded in float32. */
function timestepTolerance({ _class_name }: SchedulerConfig): number {
  return _class_name === "EulerDiscreteScheduler" || _class_name === "EulerAncestralDiscreteScheduler" ? 1e-4 : 0;
}

/** The schedule's own timesteps for recorded ones, which were rounded to float32. */
function nearest(timesteps: readonly number[], schedule: object): readonly number[] {
  if (!("timesteps" in schedule)) return timesteps;
  const own = schedule.timesteps as readonly number[];
  return timesteps.map((timestep) =>
    own.reduce((best, candidate) => (Math.abs(candidate - timestep) < Math.abs(best - timestep) ? candidate : best)),
  );
}

function configOf({ class: className, settings }: RecordedRun): SchedulerConfig {
  return parseSchedulerConfig({ _class_name: className, ...settings });
}

function recordedAt(recorded: Recorded, key: string): Values {
  const found = recorded.get(key);
  if (!found) throw new Error(`expected ${key} in trajectories.safetensors`);
  return found;
}

function floatTensor({ dims, values }: Values): Tensor<"float32"> {
  return { dtype: "float32", dims, data: Float32Array.from(values) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function summed(name: string, errors: Readonly<Record<string, number>>, detail: string): CaseResult {
  const worst = Math.max(0, ...Object.values(errors));
  const misses = Object.entries(errors).filter(([, error]) => !(error <= 1));
  return passedOrFailed(
    name,
    worst,
    misses.length === 0 ? detail : misses.map(([what, error]) => `${what} ${error.toPrecision(3)} × tolerance`).join(", "),
  );
}

function passedOrFailed(name: string, error: number, detail: string): CaseResult {
  return { name, error, detail, passed: error <= 1 };
}
