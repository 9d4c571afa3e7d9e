import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ArgumentError } from "@refadgen/errors";
import { type BenchSettings, fullSettings, quickSettings } from "./settings.js";

/** The last two only when they are named. */
export const parts = ["step", "peers", "load", "image", "savings", "gpu"] as const;
const usual: readonly BenchPart[] = ["step", "peers", "load", "image"];
export type BenchPart = (typeof parts)[number];

export interface BenchOptions {
  readonly settings: BenchSettings;
  readonly only: ReadonlySet<BenchPart>;
  /** Python with torch, diffusers and openvino; without it the peers are left out. */
  readonly python: string | undefined;
  /** Folder of peer scripts that are run as they are, as a check on our own. */
  readonly peerScripts: string | undefined;
  /** File that the figures are written to. */
  readonly json: string | undefined;
  readonly threads: number;
  /** Names of those that take part in the step; undefined for all. */
  readonly contestants: ReadonlySet<string> | undefined;
}

export const usage: string = `npm run bench -- [options]
  --quick         tiny networks: shows that everything runs, measures nothing of interest
  --only LIST     of ${parts.join(",")}; default ${usual.join(",")} (peers needs --python)
  --python PATH   Python with torch, diffusers and openvino
  --peers DIR     also run the scripts in DIR (torch_step.py, openvino_step.py) as they are; default ../shared/peers if it is there, "none" for none
  --rounds N      timed rounds of the step, default ${fullSettings.rounds}
  --size WxH      of the image in pixels, default ${fullSettings.width}x${fullSettings.height}
  --steps N       of the image, default ${fullSettings.steps}
  --threads N     threads of every contestant, default 2
  --contestants L  of the step, separated by commas, e.g. "ours openvino,diffusers fp32"; default all
  --json FILE     write every figure to FILE
  --help`;

const siblingScripts = fileURLToPath(new URL("../../../shared/peers", import.meta.url));

/** @throws ArgumentError for anything that it does not know */
export function readArguments(args: readonly string[]): BenchOptions | "help" {
  const { values } = parse(args);
  if (values.help) return "help";
  const only = (values.only?.split(",") ?? usual).map((part) => {
    if (!isPart(part)) throw new ArgumentError(`--only: expected ${parts.join(", ")}, got "${part}"`);
    return part;
  });
  const settings = values.quick ? quickSettings : fullSettings;
  const found = !values.quick && existsSync(siblingScripts) ? siblingScripts : undefined;
  return {
    settings: {
      ...settings,
      ...size(values.size),
      steps: count("--steps", values.steps) ?? settings.steps,
      rounds: count("--rounds", values.rounds) ?? settings.rounds,
    },
    only: new Set(only),
    python: values.python,
    peerScripts: values.peers === "none" ? undefined : (values.peers ?? found),
    json: values.json,
    threads: count("--threads", values.threads) ?? 2,
    contestants: values.contestants === undefined ? undefined : new Set(values.contestants.split(",")),
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: flag,
        help: flag,
        only: text,
        python: text,
        peers: text,
        rounds: text,
        threads: text,
        json: text,
        contestants: text,
        size: text,
        steps: text,
      },
    });
  } catch (cause) {
    throw new ArgumentError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function size(text: string | undefined): { readonly width: number; readonly height: number } | undefined {
  if (text === undefined) return undefined;
  const [width, height] = text.split("x").map(Number);
  if (![width, height].every((side) => side !== undefined && Number.isInteger(side) && side >= 64 && side % 8 === 0))
    throw new ArgumentError(`--size: expected WIDTHxHEIGHT in multiples of 8 of at least 64, got "${text}"`);
  return { width: width!, height: height! };
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new ArgumentError(`${name}: expected a whole number of at least 1, got "${text}"`);
  return number;
}

function isPart(text: string): text is BenchPart {
  return parts.some((part) => part === text);
}
