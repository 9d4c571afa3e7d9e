import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { executionProviders, precisions, runtimeNames } from "@refadgen/graph";
import { tfjsBackends } from "@refadgen/graph/tfjs";
import type { PartOptions } from "./case.js";
import { augment } from "./parts/augment.js";
import { dataset } from "./parts/dataset.js";
import { formats } from "./parts/formats.js";
import { metrics } from "./parts/metrics.js";
import { micro } from "./parts/micro.js";
import { networks } from "./parts/networks.js";
import { random } from "./parts/random.js";
import { schedulers } from "./parts/schedulers.js";
import { text } from "./parts/text.js";
import { type RegisteredPart, runParts } from "./runner.js";

const usage = `Usage: pnpm conformance --fixtures DIR [--only PART]... [--runtime NAME] [--provider NAME] [--precision P] [--full]

Compares this project with what the reference implementations answered, as recorded in DIR/PART.
  --fixtures DIR  the folder that holds the parts
  --only PART     run this part only; may be given more than once
  --runtime NAME  what networks run on: onnxruntime, openvino, tfjs; default: the fastest exact one that is installed
  --provider NAME for onnxruntime: cpu (default), cuda, webgpu, dml, coreml, tensorrt
  --backend NAME  for tfjs: its backend
  --precision P   fp32 (default), bf16 or int8; those two are held against tolerances of their own
  --full          also run the full-size networks: minutes, up to 9 GB of memory

Exit code: 0 all passed; 1 a case failed or none was found; 2 wrong usage.`;

const parts: ReadonlyMap<string, RegisteredPart> = new Map([
  ["random", { run: random }],
  ["text", { run: text }],
  ["formats", { run: formats }],
  ["schedulers", { run: schedulers }],
  ["metrics", { run: metrics }],
  ["micro", { run: micro }],
  ["augment", { run: augment }],
  ["dataset", { run: dataset, ...(process.env.REFADGEN_PYTHON === undefined && { note: "ours not read by Python: REFADGEN_PYTHON is not set" }) }],
  ["networks", { run: networks }],
]);

class UsageError extends Error {}

const code = await main(process.argv.slice(2));
// A worker that a failed case left behind must not keep the command from ending.
process.stdout.write("", () => process.exit(code));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = await readOptions(argv);
    if (options === "help") {
      console.log(usage);
      return 0;
    }
    const { found, passed, failed } = await runParts({ ...options, parts, print: (line) => console.log(line) });
    console.log(`${found} found, ${passed} passed, ${failed} failed`);
    return found > 0 && failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`conformance: ${error.message}\n\n${usage}`);
    return 2;
  }
}

async function readOptions(
  argv: readonly string[],
): Promise<"help" | { fixtures: string; only?: ReadonlySet<string>; full: boolean; session?: PartOptions["session"] }> {
  const { fixtures, only, full, help, runtime, provider, precision, backend } = parse(argv);
  if (help) return "help";
  if (fixtures === undefined) throw new UsageError("expected --fixtures DIR, got none");
  const folder = resolve(fixtures);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new UsageError(`--fixtures: expected a folder, got ${fixtures}`);
  for (const name of only ?? []) {
    if (!parts.has(name)) throw new UsageError(`--only: expected one of ${[...parts.keys()].join(", ")}, got ${name}`);
  }
  const session = {
    ...(runtime !== undefined && { runtime: named("--runtime", runtime, [...runtimeNames, "auto"] as const) }),
    ...(provider !== undefined && { provider: named("--provider", provider, executionProviders) }),
    ...(precision !== undefined && { precision: named("--precision", precision, precisions) }),
    ...(backend !== undefined && { backend: named("--backend", backend, tfjsBackends) }),
  };
  return { fixtures: folder, full: full ?? false, session, ...(only && { only: new Set(only) }) };
}

function named<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${option}: expected one of ${allowed.join(", ")}, got ${value}`);
  return found;
}

function parse(argv: readonly string[]): {
  fixtures?: string;
  only?: string[];
  full?: boolean;
  help?: boolean;
  runtime?: string;
  provider?: string;
  precision?: string;
  backend?: string;
} {
  const options = {
    fixtures: { type: "string" },
    only: { type: "string", multiple: true },
    full: { type: "boolean" },
    runtime: { type: "string" },
    provider: { type: "string" },
    precision: { type: "string" },
    backend: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
