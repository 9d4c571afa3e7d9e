import { readFileSync } from "node:fs";
import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { parseSchedulerConfig, parseSchedulerJson, type SchedulerConfig } from "./config.js";
import { addNoise, velocity } from "./forward.js";
import { noiseSchedule } from "./noise-schedule.js";
import { createSchedule, timestepsOf } from "./schedule.js";

interface Ends {
  readonly head: number[];
  readonly tail: number[];
  readonly sum: number;
}

// Recorded from diffusers 0.35.2 by the conformance kit's generate/schedulers.py.
const tables = JSON.parse(readFileSync(new URL("../../fixtures/schedulers/timesteps.json", import.meta.url), "utf8")) as Record<
  string,
  { error?: string; firstStep?: string; count: number; timesteps: number[] | Ends; sigmas?: Ends }
>;
const sd15 = { num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };
const classes: Record<string, object> = {
  ddim: { _class_name: "DDIMScheduler", clip_sample: false, set_alpha_to_one: false },
  pndm: { _class_name: "PNDMScheduler", skip_prk_steps: true },
  euler: { _class_name: "EulerDiscreteScheduler" },
  "euler-a": { _class_name: "EulerAncestralDiscreteScheduler" },
  "dpmpp-2m": { _class_name: "DPMSolverMultistepScheduler" },
  unipc: { _class_name: "UniPCMultistepScheduler" },
  lcm: { _class_name: "LCMScheduler" },
};
const ddimTrailing = parseSchedulerConfig({ ...classes.ddim, ...sd15, timestep_spacing: "trailing" });

describe("createSchedule", () => {
  it("gives the recorded timesteps and sigmas, and an error where the reference fails", () => {
    let refused = 0;
    for (const [name, table] of Object.entries(tables).filter(([name]) => name !== "ddim/odd")) {
      const [sampler, spacing, steps] = name.split("/") as [string, string, string];
      const leading = spacing.startsWith("leading");
      const config = parseSchedulerConfig({
        ...classes[sampler],
        ...sd15,
        timestep_spacing: spacing.replace("-karras", ""),
        steps_offset: leading ? 1 : 0,
        use_karras_sigmas: spacing.endsWith("-karras"),
      });
      if (table.error ?? table.firstStep) {
        expect(() => createSchedule({ config, steps: Number(steps) }), name).toThrow(ArgumentError);
        refused++;
        continue;
      }
      const { timesteps, sigmas } = createSchedule({ config, steps: Number(steps) });
      expect(timesteps.length, name).toBe(table.count);
      expectEnds(name, timesteps, table.timesteps, sampler.startsWith("euler") ? () => 1e-4 : () => 0);
      if (table.sigmas) expectEnds(name, Array.from(sigmas!), table.sigmas, (sigma) => 2e-5 * sigma);
    }
    expect(refused).toBe(9);
  });

  it("gives DDIM exactly as many timesteps as steps, all different and of training", () => {
    for (let steps = 1; steps <= 1000; steps++) {
      const { timesteps } = createSchedule({ config: ddimTrailing, steps });
      expect(timesteps.length).toBe(steps);
      expect(new Set(timesteps).size).toBe(steps);
      expect(timesteps.every((timestep, i) => timestep >= 0 && timestep < (timesteps[i - 1] ?? 1000))).toBe(true);
    }
  });

  it("refuses steps that are no count", () => {
    for (const steps of [0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createSchedule({ config: ddimTrailing, steps })).toThrow(ArgumentError);
    }
  });
});

describe("timestepsOf", () => {
  it("leaves out the first steps by strength", () => {
    const schedule = createSchedule({ config: ddimTrailing, steps: 7 });
    expect(timestepsOf({ schedule }).timesteps).toEqual(schedule.timesteps);
    expect(timestepsOf({ schedule, strength: 0.35 })).toEqual({ start: 5, timesteps: schedule.timesteps.slice(5) });
    expect(timestepsOf({ schedule, strength: 1 }).start).toBe(0);
    for (const strength of [0, 0.1, 1.1, Number.NaN]) expect(() => timestepsOf({ schedule, strength })).toThrow(ArgumentError);
  });
});

describe("noiseSchedule", () => {
  it("agrees with float64 to 1e-6", () => {
    const { betas, alphasCumprod } = noiseSchedule(ddimTrailing);
    let product = 1;
    for (let t = 0; t < 1000; t++) {
      const beta = (Math.sqrt(0.00085) + ((Math.sqrt(0.012) - Math.sqrt(0.00085)) * t) / 999) ** 2;
      product *= 1 - beta;
      expect(Math.abs(betas[t]! - beta)).toBeLessThan(1e-8);
      expect(Math.abs(alphasCumprod[t]! - product)).toBeLessThan(1e-6);
    }
  });

  it("rescales the amplitude to end in noise and begin as before", () => {
    const plain = noiseSchedule(ddimTrailing).alphasCumprod;
    const rescaled = noiseSchedule({ ...ddimTrailing, rescale_betas_zero_snr: true }).alphasCumprod;
    expect(rescaled[999]).toBe(0);
    expect(rescaled[0]).toBeCloseTo(plain[0]!, 6);
    const amplitude = (t: number): number =>
      ((Math.sqrt(plain[t]!) - Math.sqrt(plain[999]!)) * Math.sqrt(plain[0]!)) / (Math.sqrt(plain[0]!) - Math.sqrt(plain[999]!));
    for (const t of [1, 41, 500, 981]) expect(rescaled[t]).toBeCloseTo(amplitude(t) ** 2, 6);
    const euler = parseSchedulerConfig({ ...classes.euler, ...sd15, rescale_betas_zero_snr: true });
    expect(noiseSchedule(euler).alphasCumprod[999]).toBe(2 ** -24);
  });

  it("takes betas as they are given", () => {
    const config = parseSchedulerConfig({ ...classes.ddim, num_train_timesteps: 3, trained_betas: [0.5, 0.25, 0.5] });
    expect(Array.from(noiseSchedule(config).alphasCumprod)).toEqual([0.5, 0.375, 0.1875]);
  });
});

describe("addNoise and velocity", () => {
  const config: SchedulerConfig = parseSchedulerConfig({ ...classes.ddim, num_train_timesteps: 3, trained_betas: [0.36, 0.4375, 0.75] }); // ᾱ 0.64, 0.36, 0.09
  const clean = { dtype: "float32", dims: [2, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4) } as const;
  const noise = { dtype: "float32", dims: [2, 1, 1, 2], data: Float32Array.of(10, 20, 30, 40) } as const;

  it("mix clean latents and noise by the timestep of each item", () => {
    const options = { schedule: noiseSchedule(config), clean, noise, timesteps: [0, 1] };
    expectNear(addNoise(options).data, [0.8 + 6, 1.6 + 12, 1.8 + 24, 2.4 + 32]);
    expectNear(velocity(options).data, [8 - 0.6, 16 - 1.2, 18 - 2.4, 24 - 3.2]);
  });

  it("refuse other dims and timesteps that are not there", () => {
    const schedule = noiseSchedule(config);
    expect(() => addNoise({ schedule, clean, noise, timesteps: [0, 3] })).toThrow(ArgumentError);
    expect(() => addNoise({ schedule, clean, noise, timesteps: [0] })).toThrow(ArgumentError);
    expect(() => addNoise({ schedule, clean, noise: { ...noise, dims: [1, 2, 1, 2] }, timesteps: [0, 1] })).toThrow(ArgumentError);
    const euler = createSchedule({ config: parseSchedulerConfig({ ...classes.euler, ...sd15 }), steps: 5 });
    expect(() => addNoise({ schedule: euler, clean, noise, timesteps: [999, 500] })).toThrow(ArgumentError);
    expectNear(addNoise({ schedule: euler, clean, noise, timesteps: [999, 0] }).data, [147.146, 294.293, 3.875, 5.1667], 1e-3);
  });
});

describe("parseSchedulerConfig", () => {
  it("takes the class's defaults and passes over other classes' fields", () => {
    const config = parseSchedulerConfig({
      _class_name: "DPMSolverMultistepScheduler",
      _diffusers_version: "0.6.0",
      skip_prk_steps: true,
      trained_betas: null,
    });
    expect(config).toMatchObject({ timestep_spacing: "linspace", solver_order: 2, beta_end: 0.02, final_sigmas_type: "zero" });
  });

  it("names the field that it refuses", () => {
    for (const [field, value] of Object.entries({
      thresholding: true,
      prediction_type: "flow_prediction",
      beta_schedule: "cubic",
      beta_end: 1.5,
      num_train_timesteps: "1000",
      steps_offset: 0.5,
      trained_betas: [0.1],
      solver_order: 4,
      use_flow_sigmas: true,
      use_lu_lambdas: true,
      algorithm_type: "dpmsolver",
      lambda_min_clipped: -5.1,
      variance_type: "learned_range",
      invented: 1,
    })) {
      expect(() => parseSchedulerConfig({ _class_name: "DPMSolverMultistepScheduler", [field]: value }), field).toThrow(
        expect.objectContaining({ name: "ArgumentError", message: expect.stringContaining(field) as unknown }),
      );
    }
    for (const wrong of [
      null,
      [],
      "x",
      {},
      { _class_name: "HeunDiscreteScheduler" },
      { _class_name: "toString" },
      { _class_name: "PNDMScheduler" },
    ]) {
      expect(() => parseSchedulerConfig(wrong)).toThrow(ArgumentError);
    }
    expect(() => parseSchedulerConfig({ _class_name: "PNDMScheduler", skip_prk_steps: false })).toThrow("skip_prk_steps");
    expect(() => parseSchedulerConfig({ ...classes["euler-a"], prediction_type: "sample" })).toThrow("prediction_type");
    expect(() => parseSchedulerConfig({ ...classes.lcm, original_inference_steps: 2000 })).toThrow("original_inference_steps");
  });
});

describe("parseSchedulerJson", () => {
  it("reads what Python writes", () => {
    const json = parseSchedulerJson(
      '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "_note": "a \\"-Infinity\\" NaN", "x": [NaN, Infinity]}',
    );
    expect(json).toMatchObject({
      lambda_min_clipped: Number.NEGATIVE_INFINITY,
      _note: 'a "-Infinity" NaN',
      x: [Number.NaN, Number.POSITIVE_INFINITY],
    });
    expect(() => parseSchedulerJson("{")).toThrow(ArgumentError);
  });
});

function expectEnds(name: string, values: readonly number[], recorded: readonly number[] | Ends, allowed: (value: number) => number): void {
  const parts =
    "head" in recorded
      ? [[values.slice(0, recorded.head.length), recorded.head] as const, [values.slice(-recorded.tail.length), recorded.tail] as const]
      : [[values, recorded] as const];
  for (const [got, want] of parts) {
    const wrong = want.findIndex((value, i) => !(Math.abs(got[i]! - value) <= allowed(value)));
    if (wrong !== -1) expect.fail(`${name}: expected ${want[wrong]}, got ${got[wrong]}`);
  }
  if (!("head" in recorded)) return;
  const sum = values.reduce((total, value) => total + value, 0);
  expect(Math.abs(sum - recorded.sum), name).toBeLessThanOrEqual(values.reduce((total, value) => total + allowed(value), 0));
}

function expectNear(got: Float32Array, want: readonly number[], allowed = 1e-5): void {
  for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(allowed * Math.max(1, value));
}
