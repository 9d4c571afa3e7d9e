import { readFileSync } from "node:fs";
import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Tensor, torchGenerator } from "@refadgen/graph";
import { describe, expect, it } from "vitest";
import { parseSchedulerConfig } from "../schedule/config.js";
import { levelBefore } from "../schedule/forward.js";
import { createSchedule, type Schedule } from "../schedule/schedule.js";
import { type DenoiseOptions, type Denoiser, denoise, type SamplerStep, startLatents } from "./denoise.js";
import { SamplerError } from "./error.js";
import { samplerConfig, samplerNames } from "./names.js";

// Recorded from diffusers 0.35.2 by the conformance kit's generate/schedulers.py.
const fixtures = new URL("../../fixtures/schedulers/", import.meta.url);
const recorded = readTensors(readFileSync(new URL("trajectories.safetensors", fixtures)));
const runs = JSON.parse(readFileSync(new URL("cases.json", fixtures), "utf8")) as Record<
  string,
  { class: string; settings: object; step: { eta?: number }; steps: number; initNoiseSigma: number; absMax: number; strength?: number }
>;
/** The `scheduler_config.json` that Stable Diffusion 1.5 was published with. */
const published = {
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};
const dims = [2, 4, 3, 5];
const size = elementCount(dims);

/** The kit's model, in float32. */
const fakeDenoiser: Denoiser = async (latents, timestep) => {
  const offset = Math.fround(0.05 * Math.sin(timestep / 100));
  return { ...latents, data: latents.data.map((value) => Math.fround(Math.fround(0.3) * value) + offset) };
};

describe("denoise", () => {
  it.each(Object.keys(runs).filter((name) => !name.startsWith("forward/")))("walks the recorded path of %s", async (name) => {
    const run = runs[name]!;
    const schedule = createSchedule({ config: parseSchedulerConfig({ _class_name: run.class, ...run.settings }), steps: run.steps });
    expect(Math.abs(schedule.initNoiseSigma / run.initNoiseSigma - 1)).toBeLessThan(2e-5);
    const image = run.strength !== undefined;
    const start = { schedule, latents: part(image ? "image" : "x", 0), ...(image && { strength: run.strength!, startNoise: part("noise", 31) }) };
    const path = [startLatents(start)];
    const clean: Tensor<"float32">[] = [];
    for await (const step of denoise({ ...start, ...run.step, denoiser: fakeDenoiser, noise: (step) => part("noise", step) })) {
      path.push(step.latents);
      clean.push(step.denoised);
    }
    const tolerance = 5e-6 * Math.max(1, run.absMax);
    expectClose(path, `${name}/x`, tolerance);
    expectClose(path.slice(-1), `${name}/x64`, tolerance);
    if (recorded.has(`${name}/clean`)) expectClose(clean, `${name}/clean`, tolerance);
  });

  it.each(samplerNames.filter((name) => name !== "lcm"))("%s finds the image that a perfect network sees", async (name) => {
    const config = samplerConfig({ name, published: { ...published, set_alpha_to_one: true } });
    const schedule = createSchedule({ config, steps: 10 });
    const goal = part("image", 0);
    const steps = await all({ schedule, latents: part("x", 0), denoiser: seeing(goal, schedule), generator: torchGenerator(1) });
    const last = steps.at(-1)!.latents.data;
    for (let i = 0; i < size; i++) expect(Math.abs(last[i]! - goal.data[i]!)).toBeLessThan(2e-5);
    for (let i = 0; i < size; i++) expect(Math.abs(steps[3]!.denoised.data[i]! - goal.data[i]!)).toBeLessThan(1e-4);
  });

  it("tells the steps of the run", async () => {
    const schedule = createSchedule({ config: samplerConfig({ name: "pndm", published }), steps: 4 });
    const steps = await all({ schedule, latents: part("x", 0), denoiser: fakeDenoiser });
    expect(steps.map(({ step, steps, timestep }) => [step, steps, timestep])).toEqual([
      [0, 5, 751],
      [1, 5, 501],
      [2, 5, 501],
      [3, 5, 251],
      [4, 5, 1],
    ]);
    expect(steps[0]!.modelOutput.dims).toEqual(dims);
  });

  it("draws noise in diffusers' order, and one per image from a list", async () => {
    const schedule = createSchedule({ config: samplerConfig({ name: "euler-ancestral", published }), steps: 3 });
    const clean = part("image", 0);
    const generator = torchGenerator(3);
    const startNoise = generator.randn(dims);
    const noises = [generator.randn(dims), generator.randn(dims)];
    const wanted = await all({ schedule, latents: clean, strength: 0.7, startNoise, noise: (step) => noises[step]!, denoiser: fakeDenoiser });
    const drawn = await all({ schedule, latents: clean, strength: 0.7, generator: torchGenerator(3), denoiser: fakeDenoiser });
    expect(drawn.at(-1)!.latents).toEqual(wanted.at(-1)!.latents);

    const seeds = [5, 6];
    const batch = await all({ schedule, latents: part("x", 0), generator: seeds.map(torchGenerator), denoiser: fakeDenoiser });
    for (const [i, seed] of seeds.entries()) {
      const own = { ...part("x", 0), dims: [1, ...dims.slice(1)], data: part("x", 0).data.slice((i * size) / 2, ((i + 1) * size) / 2) };
      const alone = await all({ schedule, latents: own, generator: torchGenerator(seed), denoiser: fakeDenoiser });
      expect(alone.at(-1)!.latents.data).toEqual(batch.at(-1)!.latents.data.slice((i * size) / 2, ((i + 1) * size) / 2));
    }
  });

  it("stops between and during steps when aborted", async () => {
    const schedule = createSchedule({ config: samplerConfig({ name: "ddim", published }), steps: 4 });
    const controller = new AbortController();
    let calls = 0;
    const between = denoise({
      schedule,
      latents: part("x", 0),
      signal: controller.signal,
      denoiser: async (latents, timestep, { signal }) => {
        expect(signal).toBe(controller.signal);
        calls++;
        return fakeDenoiser(latents, timestep, {});
      },
    });
    await between.next();
    controller.abort(new Error("enough"));
    await expect(between.next()).rejects.toThrow("enough");
    expect(calls).toBe(1);

    const during = new AbortController();
    const interrupted: Denoiser = async (latents, timestep) => {
      during.abort(new Error("now"));
      return fakeDenoiser(latents, timestep, {});
    };
    await expect(denoise({ schedule, latents: part("x", 0), signal: during.signal, denoiser: interrupted }).next()).rejects.toThrow("now");
  });

  it("names the step in which the network answers NaN", async () => {
    const schedule = createSchedule({ config: samplerConfig({ name: "ddim", published }), steps: 4 });
    const failing: Denoiser = async (latents, timestep) => {
      const answer = await fakeDenoiser(latents, timestep, {});
      if (timestep === 501) answer.data[7] = Number.NaN;
      return answer;
    };
    const error: unknown = await all({ schedule, latents: part("x", 0), denoiser: failing }).catch((caught: unknown) => caught);
    expect(SamplerError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: "model-output", step: 1, timestep: 501 });
    const loud: Denoiser = async (latents) => ({ ...latents, data: latents.data.map(() => 3e38) });
    await expect(all({ schedule, latents: part("x", 0), denoiser: loud })).rejects.toMatchObject({ code: "latents" });
  });

  it("checks everything before the first call", async () => {
    const named = (name: string, settings: object = {}, steps = 4): Schedule =>
      createSchedule({ config: samplerConfig({ name, published: { ...published, ...settings } }), steps });
    const latents = part("x", 0);
    const denoiser: Denoiser = () => expect.fail("was called");
    const generator = torchGenerator(0);
    const attempts: DenoiseOptions[] = [
      { schedule: named("euler-ancestral"), latents, denoiser },
      { schedule: named("dpmpp-2m-sde"), latents, denoiser },
      { schedule: named("lcm"), latents, denoiser },
      { schedule: named("ddim"), latents, denoiser, eta: 0.5 },
      { schedule: named("ddim"), latents, denoiser, eta: 1.5, generator },
      { schedule: named("euler"), latents, denoiser, eta: 0.5, generator },
      { schedule: named("ddim"), latents, denoiser, eta: 0.5, generator, noise: () => latents },
      { schedule: named("ddim"), latents, denoiser, strength: 0.5 },
      { schedule: named("ddim"), latents, denoiser, strength: 0.5, startNoise: { ...latents, dims: [2, 4, 5, 3] } },
      { schedule: named("ddim"), latents: { ...latents, dims: [2, 4, 3, 4] }, denoiser },
      { schedule: named("ddim", { rescale_betas_zero_snr: true, timestep_spacing: "trailing" }), latents, denoiser },
      { schedule: named("lcm", { rescale_betas_zero_snr: true }), latents, denoiser, generator },
      { schedule: named("dpmpp-2m", { timestep_spacing: "leading" }, 1001), latents, denoiser },
      { schedule: named("unipc", { timestep_spacing: "leading" }, 1001), latents, denoiser },
      { schedule: named("unipc", { solver_type: "bh1" }), latents, denoiser },
      { schedule: named("unipc", { lower_order_final: false }), latents, denoiser },
    ];
    for (const options of attempts) expect(() => denoise(options), options.schedule.config._class_name).toThrow(ArgumentError);

    const turned: Denoiser = async (input) => ({ ...input, dims: [2, 4, 5, 3] });
    await expect(all({ schedule: named("ddim"), latents, denoiser: turned })).rejects.toThrow("expected a model output [2, 4, 3, 5]");
    await expect(all({ schedule: named("lcm"), latents, denoiser: fakeDenoiser, noise: () => part("forward/clean", 0) })).rejects.toThrow(
      "expected noise",
    );
  });
});

describe("samplerConfig", () => {
  it("keeps the checkpoint's own settings and exchanges the class", () => {
    expect(samplerConfig({ name: "ddim", published })).toMatchObject({
      _class_name: "DDIMScheduler",
      clip_sample: false,
      set_alpha_to_one: false,
      steps_offset: 1,
    });
    expect(samplerConfig({ name: "dpmpp-2m-sde-karras", published })).toMatchObject({
      algorithm_type: "sde-dpmsolver++",
      use_karras_sigmas: true,
      timestep_spacing: "linspace",
    });
    const heun = { ...published, _class_name: "DPMSolverMultistepScheduler", solver_type: "heun", use_karras_sigmas: true };
    expect(samplerConfig({ name: "dpmpp-2m", published: heun })).toMatchObject({ solver_type: "heun", use_karras_sigmas: false });
    expect(samplerConfig({ name: "unipc", published: heun })).toMatchObject({ solver_type: "bh2", use_karras_sigmas: true });
  });

  it("lists the names when it does not know one", () => {
    expect(() => samplerConfig({ name: "dpm++", published })).toThrow(samplerNames.join(", "));
    expect(() => samplerConfig({ name: "toString", published })).toThrow(ArgumentError);
    expect(() => samplerConfig({ name: "ddim", published: null })).toThrow(ArgumentError);
  });
});

async function all(options: DenoiseOptions): Promise<SamplerStep[]> {
  const steps: SamplerStep[] = [];
  for await (const step of denoise(options)) steps.push(step);
  return steps;
}

/** A network that knows the image, and answers with exactly the noise between it and what it is shown. */
function seeing(goal: Tensor<"float32">, schedule: Schedule): Denoiser {
  return async (latents, timestep) => {
    const sigma = schedule.sigmas?.[schedule.timesteps.indexOf(timestep)];
    const level =
      sigma === undefined
        ? levelBefore(schedule, schedule.timesteps.indexOf(timestep))
        : { signal: 1 / Math.hypot(sigma, 1), noise: sigma / Math.hypot(sigma, 1) };
    return { ...latents, data: latents.data.map((value, i) => (value - level.signal * goal.data[i]!) / level.noise) };
  };
}

function part(key: string, place: number): Tensor<"float32"> {
  const { shape, values } = recorded.get(key)!;
  const partDims = shape.length === 5 ? shape.slice(1) : shape;
  const length = elementCount(partDims);
  return { dtype: "float32", dims: partDims, data: Float32Array.from(values.slice(place * length, (place + 1) * length)) };
}

function expectClose(path: readonly Tensor<"float32">[], key: string, tolerance: number): void {
  const { values } = recorded.get(key)!;
  expect(path.length * size, key).toBe(values.length);
  for (const [i, value] of values.entries()) {
    const got = path[Math.floor(i / size)]!.data[i % size]!;
    if (!(Math.abs(got - value) <= tolerance)) expect.fail(`${key}[${i}]: expected ${value}, got ${got} (allowed ${tolerance})`);
  }
}

function readTensors(file: Buffer): Map<string, { shape: number[]; values: Float64Array }> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, { shape: number[]; values: Float64Array }>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header).filter(([name]) => name !== "__metadata__")) {
    const at = start + data_offsets[0];
    const read = (i: number): number =>
      dtype === "F32" ? file.readFloatLE(at + i * 4) : dtype === "F64" ? file.readDoubleLE(at + i * 8) : Number(file.readBigInt64LE(at + i * 8));
    tensors.set(name, { shape, values: Float64Array.from({ length: elementCount(shape) }, (_, i) => read(i)) });
  }
  return tensors;
}
