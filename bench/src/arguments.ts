import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ArgumentError } from "@refadgen/errors";
import { type BenchSettings, fullSettings, quickSettings } from "./settings.js";

export const parts = ["step", "peers", "load", "image"] as const;
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
  --only LIST     of ${parts.join(",")}; default all (peers needs --python)
  --python PATH   Python with torch, diffusers and openvino
  --peers DIR     also run the scripts in DIR (torch_step.py, openvino_step.py) as they are; default ../shared/peers if it is there, "none" for none
  --rounds N      timed rounds of the step, default ${fullSettings.rounds}
  --threads N     threads of every contestant, default 2
  --contestants L  of the step, separated by commas, e.g. "ours openvino,diffusers fp32"; default all
  --json FILE     write every figure to FILE
  --help`;

const siblingScripts = fileURLToPath(new URL("../../../shared/peers", import.meta.url));

/** @throws ArgumentError for anything that it does not know */
export function readArguments(args: readonly string[]): BenchOptions | "help" {
  const { values } = parse(args);
  if (values.help) return "help";
  const only = (values.only?.split(",") ?? parts).map((part) => {
    if (!isPart(part)) throw new ArgumentError(`--only: expected ${parts.join(", ")}, got "${part}"`);
    return part;
  });
  const settings = values.quick ? quickSettings : fullSettings;
  const found = !values.quick && existsSync(siblingScripts) ? siblingScripts : undefined;
  return {
    settings: { ...settings, rounds: count("--rounds", values.rounds) ?? settings.rounds },
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
      options: { quick: flag, help: flag, only: text, python: text, peers: text, rounds: text, threads: text, json: text, contestants: text },
    });
  } catch (cause) {
    throw new ArgumentError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
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
