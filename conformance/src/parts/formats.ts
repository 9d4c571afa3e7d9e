import { constants } from "node:fs";
import { access, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import {
  type DType,
  elementCount,
  openWeights,
  type PytorchFile,
  pickleAt,
  type StoredTensor,
  type WeightSource,
  WeightsError,
  widenToFloat64,
} from "@refadgen/graph";
import type { CaseResult, Part } from "../case.js";

/** One entry of good.json. Every field that is there is compared. */
interface GoodFile {
  readonly state?: string;
  readonly tensors?: Readonly<Record<string, string>>;
  readonly other?: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, Nested>>;
  readonly arrays?: Readonly<Record<string, Nested>>;
  readonly array?: Nested;
  readonly allKeys?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

type Nested = number | boolean | string | null | readonly Nested[];

interface HostileFile {
  readonly file: string;
  readonly must: "refuse" | "accept" | "either" | "inert";
}

interface FuzzRow {
  readonly file: string;
  readonly size: number;
  readonly edits: readonly (readonly [number, number])[];
  readonly cut?: number;
}

const marker = "refadgen-marker";
const slowestMs = 10_000;
/** Memory that reading a hostile file may take beyond the file's size. */
const memoryLimit = 64 * 2 ** 20;

/** Checkpoint containers: whole files give every value, broken and hostile ones a typed error or a correct load. */
export const formats: Part = async function* (folder) {
  yield* goodFiles(join(folder, "good"));
  yield* hostileFiles(join(folder, "hostile"));
  yield* damagedFiles(folder);
};

async function* goodFiles(folder: string): AsyncGenerator<CaseResult> {
  const table = await readTable<Readonly<Record<string, GoodFile>>>(join(folder, "good.json"));
  if (!table) return;
  const expected = await openWeights(join(folder, "expected.safetensors")).catch(() => undefined);
  for (const [file, row] of Object.entries(table)) {
    yield await attempt(`good/${file}`, async () => {
      const source = await openWeights(join(folder, file));
      const failures: string[] = [];
      const compared = await compareGood(folder, file, row, source, expected, (failure) => failures.push(failure));
      if (failures.length > 0) throw new Error(failures.join("; "));
      return `${compared} values and tensors exact`;
    });
  }
}

/** Reports what differs to `fail`; returns how many tensors and values were compared. */
async function compareGood(
  folder: string,
  file: string,
  row: GoodFile,
  source: WeightSource,
  expected: WeightSource | undefined,
  fail: (failure: string) => void,
): Promise<number> {
  let compared = 0;
  const prefix = row.state ? `${row.state}.` : "";
  const known = new Set<string>();
  const tensorAt = (name: string): StoredTensor | undefined => {
    known.add(prefix + name);
    const tensor = source.tensors.get(prefix + name);
    if (!tensor) fail(`no tensor ${prefix}${name}`);
    compared++;
    return tensor;
  };
  for (const [name, reference] of Object.entries(row.tensors ?? {})) {
    const tensor = tensorAt(name);
    const wanted = expected?.tensors.get(reference);
    if (!wanted) fail(`expected.safetensors has no ${reference}`);
    else if (tensor) await sameBits(tensor, wanted, fail);
  }
  const numbers = { ...row.values, ...row.arrays, ...(row.array === undefined ? {} : { "": row.array }) };
  for (const [name, wanted] of Object.entries(numbers)) {
    const tensor = tensorAt(name);
    if (tensor) sameNumbers(tensor, await tensor.read(), wanted, fail);
  }
  for (const [name, wanted] of Object.entries(row.extra ?? {})) {
    const tensor = typeof wanted === "number" ? tensorAt(name) : undefined;
    if (tensor) sameNumbers(tensor, await tensor.read(), wanted as number, fail);
  }
  for (const [path, wanted] of Object.entries(row.other ?? {})) {
    const found = pickleAt((source as PytorchFile).object, path);
    compared++;
    if (found !== wanted) fail(`${path}: expected ${JSON.stringify(wanted)}, got ${String(found)}`);
  }
  const listed = /tensors at ([\w., ]+)$/.exec(row.note ?? "")?.[1]?.split(", ") ?? [];
  for (const name of listed) {
    const tensor = tensorAt(name);
    const candidates = [...(expected?.tensors.values() ?? [])].filter(
      ({ dtype, dims }) => dtype === tensor?.dtype && String(dims) === String(tensor.dims),
    );
    const same = await Promise.all(candidates.map((candidate) => tensor && differs(tensor, candidate)));
    if (tensor && !same.includes(undefined)) fail(`${name} is none of the expected tensors`);
  }
  const widened = await openWeights(join(folder, `expected-${basename(file, extname(file))}.safetensors`)).catch(() => undefined);
  if (widened && extname(file) === ".safetensors") {
    for (const [name, wanted] of widened.tensors) {
      const tensor = tensorAt(name);
      if (tensor) sameNumbers(tensor, await tensor.read(), Array.from(widenToFloat64(wanted.dtype, await wanted.read())), fail);
    }
  }
  for (const name of row.allKeys ?? []) if (!known.has(prefix + name)) tensorAt(name);
  const unexpected = [...source.tensors.keys()].filter((name) => name.startsWith(prefix) && !known.has(name));
  if (unexpected.length > 0) fail(`not expected: ${unexpected.join(", ")}`);
  for (const tensor of source.tensors.values()) await tensor.read();
  return compared;
}

async function sameBits(tensor: StoredTensor, wanted: StoredTensor, fail: (failure: string) => void): Promise<void> {
  const difference = await differs(tensor, wanted);
  if (difference) fail(`${tensor.name}: ${difference}`);
  const place = tensor.location;
  if (!place) return;
  const inPlace = (await readFile(place.path)).subarray(place.offset, place.offset + place.length);
  if (!inPlace.equals(await wanted.read())) fail(`${tensor.name}: other bytes at its location`);
}

async function differs(tensor: StoredTensor, wanted: StoredTensor): Promise<string | undefined> {
  const description = ({ dtype, dims }: StoredTensor) => `${dtype} [${dims.join(", ")}]`;
  if (description(tensor) !== description(wanted)) return `expected ${description(wanted)}, got ${description(tensor)}`;
  return Buffer.compare(await tensor.read(), await wanted.read()) === 0 ? undefined : "other bits";
}

/** `wanted` is a number or nested lists of them; integers beyond 2^53 are written as texts. */
function sameNumbers({ name, dtype, dims }: StoredTensor, bytes: Uint8Array, wanted: Nested, fail: (failure: string) => void): void {
  // A text stands for an int64, so a list of them tells values, not sizes.
  const flat = flatten(wanted);
  const texts = flat.some((value) => typeof value === "string");
  const sizes: number[] = [];
  for (let level: Nested = wanted; isNested(level); level = level[0] ?? null) sizes.push(level.length);
  if (texts ? elementCount(dims) !== flat.length : String(sizes) !== String(dims)) fail(`${name}: expected sizes [${sizes}], got [${dims}]`);
  const got = texts ? Array.from(integers(dtype, bytes), String) : Array.from(widenToFloat64(dtype, bytes));
  const want = texts ? flat : flat.map((value) => (typeof value === "boolean" ? Number(value) : value));
  if (!want.every((value, i) => Object.is(value, got[i]) || value === got[i])) fail(`${name}: expected ${want.slice(0, 8)}, got ${got.slice(0, 8)}`);
}

function flatten(value: Nested): (number | boolean | string | null)[] {
  return isNested(value) ? value.flatMap(flatten) : [value];
}

function isNested(value: Nested): value is readonly Nested[] {
  return Array.isArray(value);
}

function integers(dtype: DType, bytes: Uint8Array): BigInt64Array {
  if (dtype !== "int64") throw new Error(`expected int64, got ${dtype}`);
  return new BigInt64Array(Uint8Array.from(bytes).buffer);
}

async function* hostileFiles(folder: string): AsyncGenerator<CaseResult> {
  for (const { file, must } of (await readTable<readonly HostileFile[]>(join(folder, "hostile.json"))) ?? []) {
    const path = join(folder, file);
    yield await attempt(`hostile/${file}`, async () => {
      const before = await readdir(dirname(path));
      const answer = await answerTo(path);
      if (String(await readdir(dirname(path))) !== String(before)) throw new Error("something was written beside it");
      if (must === "refuse" && answer.loaded) throw new Error("loaded, expected a typed error");
      if (must === "accept" && !answer.loaded) throw new Error(`expected a load, got ${answer.text}`);
      if (must === "inert" && answer.loaded && String(answer.weight) !== "1,2,3,4")
        throw new Error(`expected weight = 1, 2, 3, 4, got ${answer.weight}`);
      return answer.text;
    });
  }
}

async function* damagedFiles(folder: string): AsyncGenerator<CaseResult> {
  const rows = (await readTable<readonly FuzzRow[]>(join(folder, "fuzz.json"))) ?? [];
  for (const [index, { file, size, edits, cut }] of rows.entries()) {
    yield await attempt(`fuzz/${index}/${file}`, async () => {
      const original = join(folder, "good", file);
      const scratch = await mkdtemp(join(tmpdir(), "refadgen-formats-"));
      try {
        const bytes = await readFile(original);
        if (bytes.length !== size) throw new Error(`made for a file of ${size} bytes, it has ${bytes.length}`);
        for (const [position, byte] of edits) bytes[position] = byte;
        // An index file needs its shards beside it.
        if (file.endsWith(".json"))
          for (const name of await readdir(dirname(original))) await copyFile(join(dirname(original), name), join(scratch, name));
        const path = join(scratch, basename(file));
        // The fixtures may be read-only, and copies with them.
        await rm(path, { force: true });
        await writeFile(path, bytes.subarray(0, cut ?? bytes.length));
        return (await answerTo(path)).text;
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    });
  }
}

interface Answer {
  readonly loaded: boolean;
  readonly text: string;
  /** The values of the tensor `weight`, when there is one. */
  readonly weight?: readonly number[];
}

/** Opens a file and reads everything in it. Anything but a load or a typed error throws, as does an executed file or one that takes too much. */
async function answerTo(path: string): Promise<Answer> {
  const started = performance.now();
  const peakBefore = process.resourceUsage().maxRSS;
  let weight: readonly number[] | undefined;
  let text: string;
  let loaded = false;
  try {
    const source = await openWeights(path);
    for (const [name, tensor] of source.tensors) {
      const bytes = await tensor.read();
      if (name === "weight") weight = Array.from(widenToFloat64(tensor.dtype, bytes));
    }
    loaded = true;
    text = `loads, ${source.tensors.size} tensors`;
  } catch (error) {
    if (!WeightsError.isInstance(error)) throw error;
    text = `refused: ${error.code}`;
  }
  const took = performance.now() - started;
  const peak = (process.resourceUsage().maxRSS - peakBefore) * 1024;
  if (took > slowestMs) throw new Error(`took ${Math.round(took / 1000)} s`);
  if (peak > memoryLimit) throw new Error(`took ${Math.round(peak / 2 ** 20)} MiB of memory`);
  if (Reflect.get({}, "polluted") !== undefined) throw new Error("Object.prototype was changed");
  if (await exists(marker)) throw new Error("something in the file was executed");
  return { loaded, text, ...(weight && { weight }) };
}

async function attempt(name: string, run: () => Promise<string>): Promise<CaseResult> {
  try {
    return { name, error: 0, detail: await run(), passed: true };
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { name, error: Number.POSITIVE_INFINITY, detail, passed: false };
  }
}

async function readTable<T>(path: string): Promise<T | undefined> {
  return (await exists(path)) ? (JSON.parse(await readFile(path, "utf8")) as T) : undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
