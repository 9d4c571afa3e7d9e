import { parseArgs } from "node:util";
import { ArgumentError } from "@refadgen/errors";

/** Where a subcommand writes, and when it stops. */
export interface SubcommandContext {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** A part of `refadgen-augment`. */
export interface Subcommand {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly usage: string;
  /**
   * @param args what follows the name
   * @throws ArgumentError for wrong usage.
   */
  run(args: readonly string[], context: SubcommandContext): Promise<void>;
}

type OptionTypes = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>;

/** Options by name, and what stands between them. */
export interface ParsedArguments {
  readonly texts: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** Reads arguments; a name that is not known, or comes twice, is refused. */
export function parseArguments(command: string, args: readonly string[], options: OptionTypes): ParsedArguments {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    throw new ArgumentError(`${command}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const seen = new Set<string>();
  for (const token of parsed.tokens ?? []) {
    if (token.kind !== "option") continue;
    if (seen.has(token.name)) throw new ArgumentError(`${command}: expected --${token.name} once, got it twice`);
    seen.add(token.name);
  }
  const entries = Object.entries(parsed.values);
  return {
    texts: new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    flags: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)),
    positionals: parsed.positionals,
  };
}

/** A number among the options; undefined if it is not there. */
export function numberOption(command: string, { texts }: ParsedArguments, name: string): number | undefined {
  const text = texts.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new ArgumentError(`${command}: expected a number after --${name}, got ${JSON.stringify(text)}`);
  return value;
}

/** A colour as #rrggbb, `white` or `black`. */
export function colorOption(command: string, { texts }: ParsedArguments, name: string): readonly [number, number, number] | undefined {
  const text = texts.get(name);
  if (text === undefined) return undefined;
  const hex = text === "white" ? "#ffffff" : text === "black" ? "#000000" : text;
  if (!/^#[0-9a-f]{6}$/i.test(hex))
    throw new ArgumentError(`${command}: expected white, black or #rrggbb after --${name}, got ${JSON.stringify(text)}`);
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as [number, number, number];
  return [red, green, blue];
}
