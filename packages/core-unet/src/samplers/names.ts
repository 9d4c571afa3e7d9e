import { ArgumentError } from "@refadgen/errors";
import { parseSchedulerConfig, type SchedulerConfig } from "../schedule/config.js";

/** The names by which samplers are chosen. */
export type SamplerName =
  | "ddim"
  | "pndm"
  | "euler"
  | "euler-ancestral"
  | "dpmpp-2m"
  | "dpmpp-2m-karras"
  | "dpmpp-2m-sde"
  | "dpmpp-2m-sde-karras"
  | "unipc"
  | "lcm";

/** What a sampler's name sets; everything else comes from the checkpoint's own `scheduler_config.json`. */
const settings: Readonly<Record<SamplerName, object>> = {
  ddim: { _class_name: "DDIMScheduler" },
  pndm: { _class_name: "PNDMScheduler", skip_prk_steps: true },
  euler: { _class_name: "EulerDiscreteScheduler" },
  "euler-ancestral": { _class_name: "EulerAncestralDiscreteScheduler" },
  "dpmpp-2m": dpmSolver({ algorithm_type: "dpmsolver++", use_karras_sigmas: false }),
  "dpmpp-2m-karras": dpmSolver({ algorithm_type: "dpmsolver++", use_karras_sigmas: true }),
  "dpmpp-2m-sde": dpmSolver({ algorithm_type: "sde-dpmsolver++", use_karras_sigmas: false }),
  "dpmpp-2m-sde-karras": dpmSolver({ algorithm_type: "sde-dpmsolver++", use_karras_sigmas: true }),
  unipc: { _class_name: "UniPCMultistepScheduler" },
  lcm: { _class_name: "LCMScheduler" },
};

/** All sampler names. */
export const samplerNames: readonly SamplerName[] = Object.keys(settings) as SamplerName[];

/**
 * The config of a sampler for a checkpoint: its published `scheduler_config.json` with the class, and what else the name says,
 * exchanged. Fields that the file leaves out take the defaults of the new class.
 *
 * @param options.published the parsed `scheduler_config.json`
 * @throws ArgumentError for a name that is none of `samplerNames`, or a config that the sampler cannot take.
 * Source: behaviour of huggingface/diffusers `from_config`.
 */
export function samplerConfig({ name, published }: { readonly name: string; readonly published: unknown }): SchedulerConfig {
  if (!isSamplerName(name)) throw new ArgumentError(`samplerConfig: expected one of ${samplerNames.join(", ")}, got ${JSON.stringify(name)}`);
  if (typeof published !== "object" || published === null || Array.isArray(published)) {
    throw new ArgumentError(`samplerConfig: expected a published config, got ${JSON.stringify(published)}`);
  }
  return parseSchedulerConfig({ ...published, ...settings[name] });
}

function isSamplerName(name: string): name is SamplerName {
  return Object.hasOwn(settings, name);
}

function dpmSolver(own: { readonly algorithm_type: string; readonly use_karras_sigmas: boolean }): object {
  return { _class_name: "DPMSolverMultistepScheduler", solver_order: 2, ...own };
}
