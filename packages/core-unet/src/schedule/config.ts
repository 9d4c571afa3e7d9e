import { ArgumentError } from "@refadgen/errors";

export type BetaSchedule = "linear" | "scaled_linear" | "squaredcos_cap_v2";
export type PredictionType = "epsilon" | "sample" | "v_prediction";
export type TimestepSpacing = "leading" | "trailing" | "linspace";

/** The fields of a diffusers `scheduler_config.json` that every class has. */
export interface SharedSchedulerConfig {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: BetaSchedule;
  /** The betas themselves, instead of a schedule. */
  readonly trained_betas: readonly number[] | null;
  /** What the network's output means. */
  readonly prediction_type: PredictionType;
  readonly timestep_spacing: TimestepSpacing;
  /** Added to every timestep of leading spacing. */
  readonly steps_offset: number;
  /** Rescale so that the last timestep is pure noise. PNDM knows no such thing: always false there. */
  readonly rescale_betas_zero_snr: boolean;
}

/** Clip the predicted clean latents to ± `clip_sample_range`. */
interface ClipConfig {
  readonly clip_sample: boolean;
  readonly clip_sample_range: number;
}

interface SigmaConfig {
  /** Noise levels by Karras et al. (2022) instead of those of the timesteps. */
  readonly use_karras_sigmas: boolean;
  /** The noise level after the last step. */
  readonly final_sigmas_type: "zero" | "sigma_min";
}

interface MultistepConfig extends SigmaConfig {
  readonly solver_order: number;
  /** Fall back to a lower order in the last steps of short runs. */
  readonly lower_order_final: boolean;
}

export interface DdimConfig extends SharedSchedulerConfig, ClipConfig {
  readonly _class_name: "DDIMScheduler";
  /** After the last step the signal's share is 1, instead of that of timestep 0. */
  readonly set_alpha_to_one: boolean;
}

export interface PndmConfig extends SharedSchedulerConfig {
  readonly _class_name: "PNDMScheduler";
  readonly set_alpha_to_one: boolean;
  /** Begin with the linear multistep method at once; the Runge-Kutta start is not supported. */
  readonly skip_prk_steps: true;
}

export interface EulerConfig extends SharedSchedulerConfig, SigmaConfig {
  readonly _class_name: "EulerDiscreteScheduler";
}

export interface EulerAncestralConfig extends SharedSchedulerConfig {
  readonly _class_name: "EulerAncestralDiscreteScheduler";
}

export interface DpmSolverConfig extends SharedSchedulerConfig, MultistepConfig {
  readonly _class_name: "DPMSolverMultistepScheduler";
  readonly algorithm_type: "dpmsolver++" | "sde-dpmsolver++";
  readonly solver_type: "midpoint" | "heun";
  readonly euler_at_final: boolean;
}

export interface UniPcConfig extends SharedSchedulerConfig, MultistepConfig {
  readonly _class_name: "UniPCMultistepScheduler";
  readonly solver_type: "bh1" | "bh2";
  /** Steps (0-based) after which the corrector is left out. */
  readonly disable_corrector: readonly number[];
}

export interface LcmConfig extends SharedSchedulerConfig, ClipConfig {
  readonly _class_name: "LCMScheduler";
  readonly set_alpha_to_one: boolean;
  /** Steps of the schedule that the network was distilled on. */
  readonly original_inference_steps: number;
  readonly timestep_scaling: number;
}

/** A diffusers `scheduler_config.json`: field names and meanings are the published ones. */
export type SchedulerConfig = DdimConfig | PndmConfig | EulerConfig | EulerAncestralConfig | DpmSolverConfig | UniPcConfig | LcmConfig;

interface ClassRules<C extends SchedulerConfig> {
  readonly defaults: C;
  /** Where only some values of the right type are supported. */
  readonly allowed: Readonly<Record<string, readonly unknown[]>>;
  /** Settings of the diffusers class that are not supported, with the values at which they change nothing. */
  readonly neutral: Readonly<Record<string, readonly unknown[]>>;
}

const shared: SharedSchedulerConfig = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: "linear",
  trained_betas: null,
  prediction_type: "epsilon",
  timestep_spacing: "leading",
  steps_offset: 0,
  rescale_betas_zero_snr: false,
};
const clip: ClipConfig = { clip_sample: true, clip_sample_range: 1 };
const sigma: SigmaConfig = { use_karras_sigmas: false, final_sigmas_type: "zero" };
const multistep: MultistepConfig = { ...sigma, solver_order: 2, lower_order_final: true };

const sharedAllowed = {
  beta_schedule: ["linear", "scaled_linear", "squaredcos_cap_v2"],
  prediction_type: ["epsilon", "sample", "v_prediction"],
  timestep_spacing: ["leading", "trailing", "linspace"],
  final_sigmas_type: ["zero", "sigma_min"],
  solver_order: [1, 2, 3],
};
const noThresholding = { thresholding: [false] };
const noOtherSigmas = { use_exponential_sigmas: [false, null], use_beta_sigmas: [false, null] };
const noFlow = { use_flow_sigmas: [false, null], use_dynamic_shifting: [false] };

const classes: { readonly [Name in SchedulerConfig["_class_name"]]: ClassRules<Extract<SchedulerConfig, { _class_name: Name }>> } = {
  DDIMScheduler: {
    defaults: { _class_name: "DDIMScheduler", ...shared, ...clip, set_alpha_to_one: true },
    allowed: sharedAllowed,
    neutral: noThresholding,
  },
  PNDMScheduler: {
    // diffusers' own default for skip_prk_steps is false, which is not supported: parseSchedulerConfig refuses a file that leaves it out.
    defaults: { _class_name: "PNDMScheduler", ...shared, set_alpha_to_one: false, skip_prk_steps: true },
    allowed: { ...sharedAllowed, prediction_type: ["epsilon", "v_prediction"] },
    neutral: {},
  },
  EulerDiscreteScheduler: {
    defaults: { _class_name: "EulerDiscreteScheduler", ...shared, ...sigma, timestep_spacing: "linspace" },
    allowed: sharedAllowed,
    neutral: { ...noOtherSigmas, interpolation_type: ["linear"], timestep_type: ["discrete"], sigma_min: [null], sigma_max: [null] },
  },
  EulerAncestralDiscreteScheduler: {
    defaults: { _class_name: "EulerAncestralDiscreteScheduler", ...shared, timestep_spacing: "linspace" },
    allowed: { ...sharedAllowed, prediction_type: ["epsilon", "v_prediction"] },
    neutral: {},
  },
  DPMSolverMultistepScheduler: {
    defaults: {
      _class_name: "DPMSolverMultistepScheduler",
      ...shared,
      ...multistep,
      timestep_spacing: "linspace",
      algorithm_type: "dpmsolver++",
      solver_type: "midpoint",
      euler_at_final: false,
    },
    allowed: { ...sharedAllowed, algorithm_type: ["dpmsolver++", "sde-dpmsolver++"], solver_type: ["midpoint", "heun"] },
    neutral: {
      ...noThresholding,
      ...noOtherSigmas,
      ...noFlow,
      use_lu_lambdas: [false, null],
      variance_type: [null],
      lambda_min_clipped: [Number.NEGATIVE_INFINITY],
    },
  },
  UniPCMultistepScheduler: {
    defaults: {
      _class_name: "UniPCMultistepScheduler",
      ...shared,
      ...multistep,
      timestep_spacing: "linspace",
      solver_type: "bh2",
      disable_corrector: [],
    },
    allowed: { ...sharedAllowed, solver_type: ["bh1", "bh2"] },
    neutral: { ...noThresholding, ...noOtherSigmas, ...noFlow, predict_x0: [true], solver_p: [null] },
  },
  LCMScheduler: {
    defaults: {
      _class_name: "LCMScheduler",
      ...shared,
      ...clip,
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: "scaled_linear",
      clip_sample: false,
      set_alpha_to_one: true,
      original_inference_steps: 50,
      timestep_scaling: 10,
    },
    allowed: sharedAllowed,
    neutral: noThresholding,
  },
};

/** Fields that matter only to settings that are refused anyway. */
const irrelevant = ["dynamic_thresholding_ratio", "sample_max_value", "flow_shift", "time_shift_type"];

/** Fields of one class that another does not have are passed over, as diffusers does: a file can serve several samplers. */
const knownFields: ReadonlySet<string> = new Set([
  ...irrelevant,
  ...Object.values(classes).flatMap(({ defaults, neutral }) => [...Object.keys(defaults), ...Object.keys(neutral)]),
]);

/** What diffusers itself reads as another value when a file of one class is used for another. */
const aliases: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  DPMSolverMultistepScheduler: { algorithm_type: { deis: "dpmsolver++" }, solver_type: { logrho: "midpoint", bh1: "midpoint", bh2: "midpoint" } },
  UniPCMultistepScheduler: { solver_type: { midpoint: "bh2", heun: "bh2", logrho: "bh2" } },
};

/**
 * Reads a diffusers `scheduler_config.json` (already parsed, see `parseSchedulerJson`). Fields left out take the defaults of the
 * diffusers class that `_class_name` names.
 *
 * @throws ArgumentError that names the field, for a class, a field or a value that is not supported.
 * Source: huggingface/diffusers 0.35 `schedulers/scheduling_*.py`.
 */
export function parseSchedulerConfig(json: unknown): SchedulerConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ArgumentError(`parseSchedulerConfig: expected an object, got ${json === null ? "null" : typeof json}`);
  }
  const given = json as Readonly<Record<string, unknown>>;
  const name = given._class_name;
  if (typeof name !== "string" || !isClassName(name)) {
    throw new ArgumentError(
      `parseSchedulerConfig: expected _class_name to be one of ${Object.keys(classes).join(", ")}, got ${JSON.stringify(name)}`,
    );
  }
  const unknown = Object.keys(given).find((field) => !field.startsWith("_") && !knownFields.has(field));
  if (unknown !== undefined) throw new ArgumentError(`parseSchedulerConfig: field ${unknown} is not known`);

  const { defaults, allowed, neutral } = classes[name];
  for (const [field, values] of Object.entries(neutral)) expectOneOf(field, given[field], values);
  const config: Record<string, unknown> = { ...defaults };
  for (const [field, standard] of Object.entries(defaults)) {
    const value = given[field];
    if (value === undefined || field === "_class_name") continue;
    config[field] = read(field, typeof value === "string" ? (aliases[name]?.[field]?.[value] ?? value) : value, standard);
    if (allowed[field]) expectOneOf(field, config[field], allowed[field]);
  }
  // Left out means false in diffusers.
  if (name === "PNDMScheduler") expectOneOf("skip_prk_steps", given.skip_prk_steps ?? false, [true]);
  const parsed = config as unknown as SchedulerConfig;
  expectRanges(parsed);
  return parsed;
}

/**
 * Parses the text of a `scheduler_config.json`. Python writes `-Infinity`, `Infinity` and `NaN`, which JSON does not have.
 *
 * @throws ArgumentError when the text is not JSON apart from that.
 */
export function parseSchedulerJson(text: string): unknown {
  // Strings are matched too, so that a word within one stays as it is.
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) => (token.startsWith('"') ? token : `"\u0000${token}"`));
  try {
    return JSON.parse(marked.replaceAll("\u0000", "\\u0000"), (_, value: unknown) =>
      typeof value === "string" && value.startsWith("\u0000") ? Number(value.slice(1)) : value,
    );
  } catch (cause) {
    throw new ArgumentError("parseSchedulerJson: expected JSON", { cause });
  }
}

function isClassName(name: string): name is SchedulerConfig["_class_name"] {
  return Object.hasOwn(classes, name);
}

function read(field: string, value: unknown, standard: unknown): unknown {
  // Python's optional flags.
  if (field === "use_karras_sigmas" && value === null) return false;
  const numbers = standard === null || Array.isArray(standard);
  if (standard === null && value === null) return null;
  const fits = numbers ? Array.isArray(value) && value.every((item) => Number.isFinite(item)) : typeof value === typeof standard;
  if (fits) return value;
  throw new ArgumentError(`parseSchedulerConfig: expected ${field} like ${JSON.stringify(standard)}, got ${JSON.stringify(value)}`);
}

function expectOneOf(field: string, value: unknown, values: readonly unknown[]): void {
  if (value === undefined || values.includes(value)) return;
  const list = values.map((item) => (typeof item === "number" ? String(item) : JSON.stringify(item))).join(" or ");
  throw new ArgumentError(`parseSchedulerConfig: expected ${field} ${list}, got ${typeof value === "number" ? value : JSON.stringify(value)}`);
}

function expectRanges(config: SchedulerConfig): void {
  const { num_train_timesteps: count, beta_start, beta_end, trained_betas, steps_offset } = config;
  expectRange("num_train_timesteps", Number.isInteger(count) && count >= 2 && count <= 1_000_000, "an integer from 2 to 1000000", count);
  expectRange("beta_start", beta_start > 0 && beta_start < 1, "a number between 0 and 1", beta_start);
  expectRange("beta_end", beta_end > 0 && beta_end < 1, "a number between 0 and 1", beta_end);
  expectRange("steps_offset", Number.isInteger(steps_offset) && steps_offset >= 0, "an integer of 0 or more", steps_offset);
  if (trained_betas !== null) {
    const fits = trained_betas.length === count && trained_betas.every((beta) => beta > 0 && beta < 1);
    expectRange("trained_betas", fits, `${count} numbers between 0 and 1`, `${trained_betas.length}`);
  }
  if ("clip_sample_range" in config) expectRange("clip_sample_range", config.clip_sample_range > 0, "a number above 0", config.clip_sample_range);
  if (config._class_name === "LCMScheduler") {
    const { original_inference_steps: original, timestep_scaling: scaling } = config;
    expectRange(
      "original_inference_steps",
      Number.isInteger(original) && original >= 1 && original <= count,
      `an integer from 1 to ${count}`,
      original,
    );
    expectRange("timestep_scaling", Number.isFinite(scaling), "a finite number", scaling);
  }
}

function expectRange(field: string, fits: boolean, expected: string, got: number | string): void {
  if (!fits) throw new ArgumentError(`parseSchedulerConfig: expected ${field} to be ${expected}, got ${got}`);
}
