import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual, promisify } from "node:util";
import {
  AdProd,
  DatasetError,
  decodeNpy,
  readAuthors,
  readImageFolder,
  readParquet,
  readTar,
  readWebDataset,
  type Triplet,
  type TripletMask,
  type TripletPicture,
  writeAuthors,
  writeImageFolder,
  writeParquet,
  writeWebDataset,
} from "@refadgen/dataset";
import { decodeImage, toRgb } from "@refadgen/image";
import type { CaseResult, Part } from "../case.js";

/** `expected.json` of `record/dataset_files.py`. */
interface Expected {
  readonly triplets: Readonly<Record<string, readonly ReadTriplet[]>>;
  readonly arrays: readonly {
    readonly file: string;
    readonly refused?: boolean;
    readonly shape?: readonly number[];
    readonly values?: readonly number[];
  }[];
  readonly archives: readonly {
    readonly file: string;
    readonly refused?: boolean;
    readonly entries?: readonly { readonly path: string; readonly sha256: string }[];
  }[];
}

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Of the RGB bytes, or of a mask's zeros and ones. */
  readonly sha256: string;
}

/** What was read of a triplet, in a form that both sides can tell. */
interface ReadTriplet {
  readonly key: string;
  readonly category: string;
  readonly captions: readonly string[];
  readonly split?: string;
  readonly ad: Pixels;
  readonly product: Pixels;
  readonly mask: Pixels;
  readonly variants: readonly { readonly index: number; readonly kind: string; readonly product: Pixels; readonly mask?: Pixels }[];
}

const readers: Readonly<Record<string, (folder: string) => AsyncIterable<Triplet>>> = {
  webdataset: (folder) => readWebDataset(folder),
  parquet: (folder) => readParquet(folder),
  "image-folder": (folder) => readImageFolder(folder),
  authors: (folder) => readAuthors(folder),
};

const writers: Readonly<Record<string, (folder: string, triplets: AsyncIterable<Triplet>) => Promise<unknown>>> = {
  webdataset: (folder, triplets) => writeWebDataset(folder, triplets, { maxTriplets: 2 }),
  parquet: (folder, triplets) => writeParquet(folder, triplets, { maxTriplets: 2, rowGroupTriplets: 1 }),
  "image-folder": (folder, triplets) => writeImageFolder(folder, triplets),
  authors: (folder, triplets) => writeAuthors(folder, triplets),
};

/**
 * Data sets that Python's packages wrote are read, as a stream and in any order; and where `REFADGEN_PYTHON` names a Python that has
 * webdataset and datasets, ours are read by those. Everything exact: pixels, masks, texts.
 */
export const dataset: Part = async function* (folder) {
  const expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as Expected;
  for (const { file, refused, shape, values } of expected.arrays) {
    yield await attempt(`arrays/${file}`, async () => {
      const decode = async () => decodeNpy(await readFile(join(folder, "arrays", file)));
      if (refused) return refusal(decode);
      const array = await decode();
      same("shape", array.shape, shape);
      same("values", Array.from<number | bigint, number>(array.data, Number), values);
      return `${array.type}, ${array.data.length} values exact`;
    });
  }
  for (const { file, refused, entries } of expected.archives) {
    yield await attempt(`archives/${file}`, async () => {
      const list = async () => {
        const found: { readonly path: string; readonly sha256: string }[] = [];
        for await (const { path, bytes } of readTar(createReadStream(join(folder, "archives", file)))) found.push({ path, sha256: sha256(bytes) });
        return found;
      };
      if (refused) return refusal(list);
      same("entries", await list(), entries);
      return `${entries?.length} entries exact`;
    });
  }
  for (const [format, wanted] of Object.entries(expected.triplets)) {
    const read = readers[format];
    yield await attempt(`read/${format}`, async () => {
      if (!read) throw new Error(`no reader of ${format}`);
      const got: ReadTriplet[] = [];
      for await (const triplet of read(join(folder, format))) got.push(await described(triplet));
      return sameTriplets(got, wanted);
    });
    yield await attempt(`at/${format}`, async () => {
      const set = await AdProd.open(join(folder, format));
      const got: ReadTriplet[] = [];
      for (let index = set.length - 1; index >= 0; index--) got.push(await described(await (await set.at(index)).triplet()));
      await set.dispose();
      return sameTriplets(got, wanted);
    });
  }
  const python = process.env.REFADGEN_PYTHON;
  if (python !== undefined) yield* readByPython(python, folder);
};

/** The recorded triplets, with all that our formats hold besides, are written in each format and read by Python. */
async function* readByPython(python: string, folder: string): AsyncGenerator<CaseResult> {
  const root = await mkdtemp(join(tmpdir(), "refadgen-dataset-"));
  try {
    const triplets: Triplet[] = [];
    for await (const triplet of readWebDataset(join(folder, "webdataset"))) {
      const number = triplets.length;
      const extra = { number, nested: { list: [1, "two", null] }, ...(number % 2 === 0 && { other: "ünïcode" }) };
      triplets.push({ ...triplet, split: number === 1 ? "test" : "train", extra });
    }
    for (const [format, write] of Object.entries(writers)) await write(join(root, format), each(triplets));
    const script = fileURLToPath(new URL("../../record/dataset_read.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, root], { maxBuffer: 2 ** 28 });
    const answers = JSON.parse(stdout.trim().split("\n").at(-1)!) as Readonly<Record<string, unknown>>;
    const wanted = await Promise.all(triplets.map(described));
    for (const [reader, answer] of Object.entries(answers)) {
      yield await attempt(`python/${reader}`, async () => {
        const failed: unknown = Reflect.get(Object(answer), "error");
        if (failed !== undefined) throw new Error(String(failed));
        if (reader.startsWith("datasets-folder")) {
          const splits = Object.fromEntries((answer as readonly { split: string; keys: unknown }[]).map(({ split, keys }) => [split, keys]));
          const keysOf = (split: string) =>
            triplets
              .filter((triplet) => triplet.split === split)
              .map(({ key }) => key)
              .sort();
          same("splits", splits, { train: keysOf("train"), test: keysOf("test") });
          return `splits of ${triplets.length} triplets exact`;
        }
        const rows = answer as readonly (ReadTriplet & { readonly extra: string })[];
        const got = rows.map(({ extra, ...rest }) => ({ ...rest, extra: JSON.parse(extra) as unknown }));
        return sameTriplets(
          got,
          wanted.map(({ split: _, ...rest }, at) => ({ ...rest, extra: triplets[at]!.extra })),
        );
      });
    }
  } catch (error) {
    yield { name: "python", error: Number.POSITIVE_INFINITY, detail: error instanceof Error ? error.message : String(error), passed: false };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function described({ key, category, captions, split, ad, product, mask, variants }: Triplet): Promise<ReadTriplet> {
  return {
    key,
    category,
    captions,
    ...(split && { split }),
    ad: await pixelsOf(ad),
    product: await pixelsOf(product),
    mask: maskPixels(mask),
    variants: await Promise.all(
      variants.map(async (variant) => ({
        index: variant.index,
        kind: variant.kind,
        product: await pixelsOf(variant.product),
        ...(variant.mask && { mask: maskPixels(variant.mask) }),
      })),
    ),
  };
}

async function pixelsOf({ bytes }: TripletPicture): Promise<Pixels> {
  const { width, height, data } = toRgb(await decodeImage(bytes));
  return { width, height, sha256: sha256(data) };
}

function maskPixels({ width, height, data }: TripletMask): Pixels {
  return { width, height, sha256: sha256(data) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sameTriplets(got: readonly { readonly key: string }[], wanted: readonly { readonly key: string }[]): string {
  const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1);
  same("keys", got.map(({ key }) => key).sort(), wanted.map(({ key }) => key).sort());
  const sorted = wanted.toSorted(byKey);
  for (const [at, triplet] of got.toSorted(byKey).entries()) same(triplet.key, triplet, sorted[at]);
  return `${wanted.length} triplets exact`;
}

function same(what: string, got: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(got, wanted)) return;
  throw new Error(`${what}: expected ${JSON.stringify(wanted)?.slice(0, 600)}, got ${JSON.stringify(got)?.slice(0, 600)}`);
}

async function refusal(read: () => Promise<unknown>): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (!DatasetError.isInstance(error)) throw error;
    return `refused: ${error.code}`;
  }
  throw new Error("read, expected a typed error");
}

async function attempt(name: string, run: () => Promise<string>): Promise<CaseResult> {
  try {
    return { name, error: 0, detail: await run(), passed: true };
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { name, error: Number.POSITIVE_INFINITY, detail, passed: false };
  }
}
