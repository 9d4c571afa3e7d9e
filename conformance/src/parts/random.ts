import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Generator, type RandomDType, randnTensor, type Tensor, torchGenerator } from "@refadgen/graph";
import type { CaseResult, Part } from "../case.js";
import { failure } from "../compare.js";
import { openRecording } from "../recording.js";
import { type Allowed, worstError } from "../worst-error.js";

/** What stands beside the draws: sums of tensors too long to keep, and facts about seeds. */
interface Notes {
  readonly long?: readonly {
    readonly key: string;
    readonly shape: readonly number[];
    readonly sum: number;
    readonly sumOfSquares: number;
    readonly absMax: number;
  }[];
  readonly sameStream?: readonly (readonly (number | string)[])[];
  readonly refused?: readonly (number | string)[];
}

type Draw = Pick<Tensor, "data">;
type Recorded = ReadonlyMap<string, { readonly dims: readonly number[]; readonly values: Float64Array }>;

interface Answer {
  readonly draw: Draw;
  readonly tolerance: Allowed;
}

/** Every draw of every `.safetensors` file, and the `.json` of the same name. */
export const random: Part = async function* (folder) {
  const files = await readdir(folder);
  for (const file of files.filter((name) => name.endsWith(".safetensors")).sort()) {
    const notesFile = `${basename(file, ".safetensors")}.json`;
    try {
      const recording = await openRecording(join(folder, file));
      const recorded = new Map<string, { dims: readonly number[]; values: Float64Array }>();
      for (const name of recording.names) recorded.set(name, { dims: recording.dims(name), values: await recording.values(name) });
      const notes: Notes = files.includes(notesFile) ? JSON.parse(await readFile(join(folder, notesFile), "utf8")) : {};
      yield* runDraws(recorded, notes);
    } catch (error) {
      yield failure(file, error);
    }
  }
};

function* runDraws(recorded: Recorded, notes: Notes): Iterable<CaseResult> {
  const sequences = drawSequences(recorded);
  const long = new Map((notes.long ?? []).map((entry) => [entry.key, entry]));
  for (const [key, { values }] of recorded) {
    if (key === "bernoulli/p" || key === "multinomial/weights") continue; // what other draws start from
    try {
      const part = /\/(head|tail)$/.exec(key)?.[1];
      const whole = part ? key.slice(0, -part.length - 1) : key;
      const { draw, tolerance } = sequences.get(whole) ?? answerTo(whole, recorded);
      const data: ArrayLike<number | bigint> = draw.data;
      const got = part === "head" ? Array.from(data).slice(0, values.length) : part === "tail" ? Array.from(data).slice(-values.length) : data;
      const error = worstError(got, values, tolerance);
      yield passedOrFailed(key, error, `${values.length} values, ${describe(tolerance)}`);
    } catch (error) {
      yield failure(key, error);
    }
  }
  for (const [key, entry] of long) {
    try {
      const { draw, tolerance } = sequences.get(key) ?? answerTo(key, recorded);
      yield compareSums(key, Array.from(draw.data as ArrayLike<number>), entry, tolerance);
    } catch (error) {
      yield failure(`${key} (sums)`, error);
    }
  }
  for (const group of notes.sameStream ?? []) yield compareStreams(group);
  for (const seed of notes.refused ?? []) yield expectRefused(seed);
}

/** What a key asks for, from a fresh generator. */
function answerTo(key: string, recorded: Recorded): Answer {
  const [group = "", a = "", b = "", c = ""] = key.split("/");
  const shapeOf = (name: string): readonly number[] => recorded.get(name)?.dims ?? [];
  switch (group) {
    case "randn": {
      const dims = c.split("x").map(Number);
      return { draw: seeded(b).randn(dims, { dtype: floatType(a) }), tolerance: normalTolerance(floatType(a), elementCount(dims)) };
    }
    case "rand":
      return { draw: seeded(b).rand(shapeOf(key), { dtype: floatType(a) }), tolerance: 0 };
    case "randint": {
      const [low, high] = a.split("..").map(BigInt);
      if (low === undefined || high === undefined) throw new Error(`expected low..high, got ${a}`);
      return { draw: seeded(b).randint(shapeOf(key), { low, high }), tolerance: 0 };
    }
    case "randperm":
      return { draw: seeded(b).randperm(Number(a)), tolerance: 0 };
    case "exponential":
      return { draw: seeded(a).exponential(shapeOf(key)), tolerance: 1e-6 };
    case "bernoulli":
      if (a === "tensor") return { draw: seeded(b).bernoulliOf(floats(recorded, "bernoulli/p")), tolerance: 0 };
      if (a.startsWith("scalar")) return { draw: seeded(b).bernoulli(shapeOf(key), Number(a.slice("scalar".length))), tolerance: 0 };
      break;
    case "dropout":
      return { draw: seeded(b).dropoutMask(shapeOf(key), Number(a)), tolerance: 1e-6 };
    case "multinomial":
      return {
        draw: seeded(b).multinomial(floats(recorded, "multinomial/weights"), { count: Number.parseInt(a, 10), replacement: a.endsWith("r") }),
        tolerance: 0,
      };
    case "randn_tensor": {
      const dims = shapeOf(key);
      const item = elementCount(dims.slice(1));
      if (a === "list") return { draw: randnTensor(dims, b.split(",").map(seeded)), tolerance: normalTolerance("float32", item) };
      const dtype = a === "one" ? "float32" : floatType(a);
      return { draw: randnTensor(dims, seeded(b), { dtype }), tolerance: normalTolerance(dtype, elementCount(dims)) };
    }
    case "channels_last":
      return { draw: seeded(a).randn(shapeOf(key), { memoryFormat: "channels-last" }), tolerance: 0 };
  }
  throw new Error("a kind of draw that is not known");
}

/** `sequence/{program}/{seed}/{i}-{what}{n}`: all draws of a program and seed come from one generator, in the order of i. */
function drawSequences(recorded: Recorded): ReadonlyMap<string, Answer> {
  const runs = new Map<string, Map<number, string>>();
  for (const key of recorded.keys()) {
    const match = /^(sequence\/[^/]+\/[^/]+)\/(\d+)-[a-z]+\d+/.exec(key);
    if (!match) continue;
    const run = runs.get(match[1]!) ?? new Map<number, string>();
    runs.set(match[1]!, run.set(Number(match[2]), match[0]));
  }
  const answers = new Map<string, Answer>();
  for (const [name, steps] of runs) {
    const generator = seeded(name.split("/")[2]!);
    // A missing step would shift all later ones: they are left out, and so reported as unknown.
    for (let i = 0; steps.has(i); i++) {
      const key = steps.get(i)!;
      const [, what = "", count = ""] = /-([a-z]+)(\d+)$/.exec(key) ?? [];
      answers.set(key, sequenceStep(generator, what, Number(count)));
    }
  }
  return answers;
}

function sequenceStep(generator: Generator, what: string, count: number): Answer {
  switch (what) {
    case "randn":
      return { draw: generator.randn([count]), tolerance: normalTolerance("float32", count) };
    case "rand":
      return { draw: generator.rand([count]), tolerance: 0 };
    case "randint":
      return { draw: generator.randint([count], { high: 1000 }), tolerance: 0 };
    case "randperm":
      return { draw: generator.randperm(count), tolerance: 0 };
    default:
      throw new Error(`sequence: a kind of draw that is not known: ${what}`);
  }
}

function normalTolerance(dtype: RandomDType, count: number): Allowed {
  if (dtype === "float64") return 1e-15;
  if (count < 16) return 0;
  if (dtype === "float32") return 2e-6;
  return dtype === "float16" ? ulp16 : ulpBrain16;
}

/** One unit in the last place. */
const ulp16 = (value: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
const ulpBrain16 = (value: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 7);

/** Sums may differ by what their terms may; half types, of which a few values differ by a unit in the last place, by ten such units. */
function compareSums(key: string, values: readonly number[], recorded: NonNullable<Notes["long"]>[number], tolerance: Allowed): CaseResult {
  const { sum, sumOfSquares, absMax, shape } = recorded;
  const each = typeof tolerance === "number" ? Math.max(tolerance, 1e-15) : 0;
  const few = typeof tolerance === "number" ? 0 : 10 * tolerance(absMax);
  const error = Math.max(
    worstError([values.length], [elementCount(shape)], 0),
    worstError([values.reduce((total, value) => total + value, 0)], [sum], each * values.length + few),
    worstError([values.reduce((total, value) => total + value * value, 0)], [sumOfSquares], 2 * each * absMax * values.length + 2 * few * absMax),
    worstError(
      [values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)],
      [absMax],
      Math.max(each, typeof tolerance === "number" ? 0 : tolerance(absMax)),
    ),
  );
  return passedOrFailed(`${key} (sums)`, error, "sum, sum of squares, largest magnitude");
}

function compareStreams(seeds: readonly (number | string)[]): CaseResult {
  const name = `sameStream/${seeds.join(",")}`;
  try {
    const [first, ...others] = seeds.map((seed) => seeded(String(seed)).rand([64]).data);
    const error = Math.max(0, ...others.map((draw) => worstError(draw, first!, 0)));
    return passedOrFailed(name, error, "64 values each, exact");
  } catch (error) {
    return failure(name, error);
  }
}

function expectRefused(seed: number | string): CaseResult {
  const name = `refused/${seed}`;
  try {
    seeded(String(seed));
    return failure(name, "expected an ArgumentError, got a generator");
  } catch (error) {
    return ArgumentError.isInstance(error) ? passedOrFailed(name, 0, error.message) : failure(name, error);
  }
}

function seeded(seed: string): Generator {
  return torchGenerator(BigInt(seed));
}

function floats(recorded: Recorded, key: string): Tensor<"float32"> {
  const values = recorded.get(key);
  if (!values) throw new Error(`expected ${key} in the file`);
  return { dtype: "float32", dims: values.dims, data: Float32Array.from(values.values) };
}

function floatType(name: string): RandomDType {
  if (name === "float32" || name === "float64" || name === "float16" || name === "bfloat16") return name;
  throw new Error(`expected a float type, got ${name}`);
}

function describe(tolerance: Allowed): string {
  return typeof tolerance === "function" ? "1 unit in the last place" : tolerance === 0 ? "exact" : `to ${tolerance}`;
}

function passedOrFailed(name: string, error: number, detail: string): CaseResult {
  return { name, error, detail, passed: error <= 1 };
}
