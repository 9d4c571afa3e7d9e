import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult, Part, PartOptions } from "./case.js";

/** A part of the fixtures, known by its folder's name. */
export interface RegisteredPart {
  readonly run: Part;
  /** What of the folder is not compared; printed, so that nothing is left out silently. */
  readonly note?: string;
}

export interface RunOptions {
  /** A folder with one folder per part. */
  readonly fixtures: string;
  readonly parts: ReadonlyMap<string, RegisteredPart>;
  /** Run these parts only; default: every part that has a folder. */
  readonly only?: ReadonlySet<string>;
  /** Also run the full-size networks; default false. */
  readonly full?: boolean;
  /** See `PartOptions`. */
  readonly session?: PartOptions["session"];
  readonly print: (line: string) => void;
}

export interface Counts {
  readonly found: number;
  readonly passed: number;
  readonly failed: number;
}

/** Runs the parts one after the other and prints one line per case: part, case, worst error, tolerance, pass or fail. */
export async function runParts({ fixtures, parts, only, full = false, session, print }: RunOptions): Promise<Counts> {
  const entries = await readdir(fixtures, { withFileTypes: true });
  const folders = new Set(entries.filter((entry) => !entry.isFile()).map(({ name }) => name));
  const wanted = [...parts].filter(([name]) => folders.has(name) && (only?.has(name) ?? true));

  let [passed, failed] = [0, 0];
  for (const [part, { run, note }] of wanted) {
    const before = passed + failed;
    for await (const result of settled(run(join(fixtures, part), { full, ...(session && { session }) }))) {
      print(caseLine(part, result));
      if (result.passed) passed++;
      else failed++;
    }
    if (passed + failed === before) print(`note: ${part}: no case found${full ? "" : "; full-size networks are run with --full only"}`);
    if (note !== undefined) print(`note: ${part}: ${note}`);
  }

  for (const name of only ?? []) if (!folders.has(name)) print(`note: ${name}: no such folder in ${fixtures}`);
  const strangers = only ? [] : [...folders].filter((name) => !parts.has(name)).sort();
  if (strangers.length > 0) print(`note: not run, folders of no known part: ${strangers.join(", ")}`);
  return { found: passed + failed, passed, failed };
}

/** A part yields its failures; one that throws all the same must not hide what the other parts have to say. */
async function* settled(results: AsyncIterable<CaseResult>): AsyncIterable<CaseResult> {
  try {
    yield* results;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    yield { name: "(whole part)", error: Number.POSITIVE_INFINITY, detail, passed: false };
  }
}

function caseLine(part: string, { name, error, detail, passed }: CaseResult): string {
  const share = Number.isFinite(error) ? `${error === 0 ? "0" : error.toPrecision(2)} of tolerance` : "not comparable";
  return [part.padEnd(10), name.padEnd(44), share.padEnd(22), passed ? "pass" : "FAIL", detail.replaceAll(/\s+/g, " ").trim()].join("  ");
}
