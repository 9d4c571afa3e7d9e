import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WeightsError } from "./error.js";
import { openNpz, readNpy } from "./numpy.js";
import { openPytorchFile, openSafetensors, openWeights } from "./open.js";
import { PickleObject, pickleAt } from "./pickle-value.js";
import type { WeightSource } from "./source.js";
import { TorchTensor } from "./torch-object.js";
import { widenToFloat64 } from "./widen.js";

const fixtures = fileURLToPath(new URL("../../fixtures/formats/", import.meta.url));
const good = (name: string) => join(fixtures, "good", name);
const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, "utf8"));

interface GoodRow {
  readonly state?: string;
  readonly tensors?: Record<string, string>;
  readonly other?: Record<string, unknown>;
  readonly values?: Record<string, number[]>;
  readonly arrays?: Record<string, unknown>;
  readonly array?: unknown;
  readonly allKeys?: string[];
}

/** Recorded tensors, read in the plainest way: not by what is tested here. */
async function plainTensors(path: string): Promise<Map<string, { dtype: string; dims: number[]; bytes: Buffer }>> {
  const file = await readFile(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(file.toString("utf8", 8, start));
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(([name, { dtype, shape, data_offsets }]) => [
      name,
      { dtype, dims: shape, bytes: file.subarray(start + data_offsets[0], start + data_offsets[1]) },
    ]),
  );
}

const dtypeNames: Record<string, string> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "refadgen-open-"));
});
afterAll(() => rm(scratch, { recursive: true }));

describe("whole files", async () => {
  const table = await readJson<Record<string, GoodRow>>(good("good.json"));
  const expected = await plainTensors(good("expected.safetensors"));

  it.each(Object.entries(table))("%s holds what was written", async (file, row) => {
    const source = await openWeights(good(file));
    const prefix = row.state ? `${row.state}.` : "";
    for (const [name, reference] of Object.entries(row.tensors ?? {})) {
      const tensor = source.tensors.get(prefix + name)!;
      const { dtype, dims, bytes } = expected.get(reference)!;
      expect([name, tensor.dtype, tensor.dims]).toEqual([name, dtypeNames[dtype], dims]);
      const read = await tensor.read();
      expect(Buffer.from(read).equals(bytes), name).toBe(true);
      if (tensor.readRange && dims.length > 0 && bytes.length > 0) {
        const size = bytes.length / dims.reduce((a, b) => a * b, 1);
        expect(Buffer.from(await tensor.readRange(1, 2)).equals(bytes.subarray(size, 2 * size)), name).toBe(true);
      }
      if (tensor.location) {
        const { path, offset, length } = tensor.location;
        expect((await readFile(path)).subarray(offset, offset + length).equals(bytes), `${name} in place`).toBe(true);
      }
    }
    for (const [name, values] of Object.entries(row.values ?? {})) {
      const tensor = source.tensors.get(prefix + name)!;
      expect([...widenToFloat64(tensor.dtype, await tensor.read())]).toEqual(values);
    }
    for (const [path, value] of Object.entries(row.other ?? {})) expect(pickleAt((await openPytorchFile(good(file))).object, path)).toEqual(value);
    if (row.allKeys) expect([...source.tensors.keys()].sort()).toEqual(row.allKeys);
    const complete = !file.startsWith("float8") && !row.array && !row.arrays && file !== "list.pt" && !row.state;
    if (complete && !row.allKeys) expect(source.tensors.size).toBe(Object.keys({ ...row.tensors, ...row.values }).length);
  });

  it.each(["torch-zip.pt", "torch-legacy.pt", "plain.safetensors", "torchscript.pt"])(
    "%s gives contiguous tensors in place and gathers the others",
    async (file) => {
      const { tensors } = await openWeights(good(file));
      const [flat, turned] = file === "torchscript.pt" ? ["child.running_mean", "transposed"] : ["float32", "transposed"];
      expect(tensors.get(flat!)!.location?.path).toBe(good(file));
      expect(tensors.get(turned!)!.location === undefined).toBe(file !== "plain.safetensors");
    },
  );

  it("compressed and big-endian tensors have no place that could be mapped", async () => {
    expect((await openWeights(good("torch-zip-deflated.pt"))).tensors.get("float32")!.location).toBeUndefined();
    expect((await openWeights(good("torch-zip-big-endian.pt"))).tensors.get("float32")!.location).toBeUndefined();
    expect((await openWeights(good("torch-zip-big-endian.pt"))).tensors.get("int8")!.location).toBeDefined();
  });

  it("float8 codes widen to the values that PyTorch gives them", async () => {
    const codes = await openWeights(good("float8.safetensors"));
    const values = await plainTensors(good("expected-float8.safetensors"));
    for (const [name, tensor] of codes.tensors) {
      const { bytes } = values.get(name)!;
      expect([...widenToFloat64(tensor.dtype, await tensor.read())]).toEqual([...new Float32Array(Uint8Array.from(bytes).buffer)]);
    }
    expect(codes.tensors.size).toBe(values.size);
  });

  it("a list's tensors are named by their places", async () => {
    const { tensors } = await openWeights(good("list.pt"));
    expect([...tensors.keys()]).toEqual(["0", "1.0", "1.1.x"]);
    expect(Buffer.from(await tensors.get("1.1.x")!.read()).equals(expected.get("int64")!.bytes)).toBe(true);
  });

  it("what stands beside a state dict is there as data", async () => {
    const { object, stored } = await openPytorchFile(good("deepspeed.pt"));
    const namespace = pickleAt(object, "args");
    expect(namespace).toBeInstanceOf(PickleObject);
    expect(String((namespace as PickleObject).type)).toBe("argparse.Namespace");
    expect(pickleAt(object, "args.betas")).toEqual([0.9, 0.999]);
    expect(pickleAt(object, "ds_config.steps_per_print")).toBe(Number.POSITIVE_INFINITY);
    expect(pickleAt(object, "big")).toBe(2n ** 80n);
    expect([...(pickleAt(object, "raw") as Uint8Array)]).toEqual([0, 255]);
    expect(pickleAt(object, "sparse_tensor_module_names")).toEqual(new Set());
    const moduleDict = pickleAt(object, "module") as Map<string, TorchTensor>;
    const tensor = moduleDict.get("unet.transposed");
    expect(tensor).toBeInstanceOf(TorchTensor);
    expect(Buffer.from(await stored(tensor!).read()).equals(expected.get("transposed")!.bytes)).toBe(true);
  });

  it("metadata of safetensors", async () => {
    expect([...(await openSafetensors(good("plain.safetensors"))).metadata]).toEqual([
      ["format", "pt"],
      ["note", "naïve ✓"],
    ]);
  });

  it.each(Object.entries(table).filter(([, { array, arrays }]) => array !== undefined || arrays !== undefined))(
    "%s holds NumPy's values",
    async (file, row) => {
      const source = row.arrays ? await openNpz(good(file)) : undefined;
      for (const [name, values] of Object.entries(row.arrays ?? { "": row.array })) {
        const stored = source?.tensors.get(name);
        const { dtype, dims, data } = stored ? { ...stored, data: await stored.read() } : await readNpy(good(file));
        const flat = dtype === "int64" ? Array.from(new BigInt64Array(Uint8Array.from(data).buffer), String) : [...widenToFloat64(dtype, data)];
        const wanted = ([values] as unknown[]).flat(Number.POSITIVE_INFINITY).map((value) => (typeof value === "boolean" ? Number(value) : value));
        expect(flat).toEqual(wanted);
        expect(dims.reduce((a, b) => a * b, 1)).toBe(wanted.length);
      }
      expect(source?.tensors.size ?? 0).toBe(Object.keys(row.arrays ?? {}).length);
    },
  );
});

describe("folders", () => {
  it("a folder stands for the weights of a usual name in it", async () => {
    const folder = join(scratch, "folder");
    await mkdir(folder);
    await expect(openWeights(folder)).rejects.toMatchObject({ code: "missing-file" });
    for (const name of await readdir(good("sharded"))) await copyFile(good(`sharded/${name}`), join(folder, name));
    const sharded = await openWeights(folder);
    expect(basename(sharded.description)).toBe("diffusion_pytorch_model.safetensors.index.json");
    expect(sharded.tensors.size).toBe((await plainTensors(good("expected.safetensors"))).size);
    // As the Hugging Face hub keeps files: links to blobs elsewhere.
    await symlink(good("plain.safetensors"), join(folder, "diffusion_pytorch_model.safetensors"));
    expect(basename((await openWeights(folder)).description)).toBe("diffusion_pytorch_model.safetensors");
  });

  it("what is not there or no file", async () => {
    await expect(openWeights(join(scratch, "nothing.safetensors"))).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringContaining("nothing.safetensors"),
    });
    if (process.platform === "linux") await expect(openWeights("/dev/zero")).rejects.toMatchObject({ code: "unsupported" });
  });

  it("reading refuses a file that has changed since it was opened", async () => {
    const path = join(scratch, "changing.safetensors");
    await copyFile(good("plain.safetensors"), path);
    const { tensors } = await openWeights(path);
    await tensors.get("float32")!.read();
    await utimes(path, 1, 1);
    await expect(tensors.get("float32")!.read()).rejects.toMatchObject({ name: "WeightsError", code: "mismatch" });
    await rm(path);
    await expect(tensors.get("float32")!.read()).rejects.toMatchObject({ code: "missing-file" });
  });

  it("an aborted signal ends the opening with its reason", async () => {
    await expect(openWeights(good("torch-zip.pt"), { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it("limits can be set", async () => {
    await expect(openWeights(good("plain.safetensors"), { limits: { headerBytes: 100 } })).rejects.toMatchObject({ code: "limit" });
    await expect(openWeights(good("torch-zip.pt"), { limits: { pickleBytes: 100 } })).rejects.toMatchObject({ code: "limit" });
    await expect(openWeights(good("torch-legacy.pt"), { limits: { pickleBytes: 100 } })).rejects.toMatchObject({ code: "limit" });
  });
});

interface Answer {
  readonly source?: WeightSource;
  readonly error?: WeightsError;
}

/** Opens a file and reads all of it; anything but a load or a `WeightsError` fails the test, as does much memory. */
async function answerTo(path: string): Promise<Answer> {
  const before = process.resourceUsage().maxRSS;
  let answer: Answer;
  try {
    const source = await openWeights(path);
    for (const tensor of source.tensors.values()) await tensor.read();
    answer = { source };
  } catch (error) {
    if (!WeightsError.isInstance(error)) throw error;
    answer = { error };
  }
  expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(64 * 2 ** 20);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  return answer;
}

describe("hostile files", async () => {
  const hostile = join(fixtures, "hostile");
  const rows = await readJson<{ file: string; must: string; error: string }[]>(join(hostile, "hostile.json"));

  it.each(rows)("$file: $must", { timeout: 30_000 }, async ({ file, must }) => {
    const { source, error } = await answerTo(join(hostile, file));
    if (must === "refuse") expect(error).toBeDefined();
    if (must === "accept") expect(error).toBeUndefined();
    if (must === "inert" && source) {
      const weight = source.tensors.get("weight")!;
      expect([...widenToFloat64(weight.dtype, await weight.read())]).toEqual([1, 2, 3, 4]);
    }
  });

  it("nothing was written", async () => {
    const files = (await readdir(hostile, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.length).toBe(rows.length + 1);
    expect(await readdir(process.cwd())).not.toContain("refadgen-marker");
  });

  it.each([
    ["pickle/run-os-system.pt", "unsafe", "posix.system"],
    ["pickle/run-legacy-sysinfo.pt", "unsafe", "posix.system"],
    ["pickle/whole-module.pt", "unsupported", "state_dict()"],
    ["pickle/lie-sparse.pt", "unsupported", '"weight"'],
    ["pickle/lie-expanded-huge.pt", "limit", "bytes"],
    ["shards/missing-file.safetensors.index.json", "missing-file", "two.safetensors"],
    ["shards/missing-tensor.safetensors.index.json", "malformed", "v (one.safetensors)"],
    ["shards/traversal.safetensors.index.json", "unsafe", "../shards/one.safetensors"],
    ["safetensors/duplicate-keys.safetensors", "malformed", "twice"],
    ["zip/duplicate-entry.pt", "malformed", "archive/data.pkl"],
    ["wrong/html.pt", "unsupported", "HTML"],
    ["wrong/lfs.safetensors", "unsupported", "git lfs pull"],
    ["wrong/json.pt", "malformed", "Entry not found"],
    ["wrong/empty.pt", "unsupported", "empty file"],
    ["wrong/gzip.safetensors", "unsupported", "gzip"],
    ["wrong/png.pt", "unsupported", "PNG"],
    ["wrong/gguf.pt", "unsupported", "GGUF"],
    ["wrong/hdf5.pt", "unsupported", "HDF5"],
    ["wrong/zeros.pt", "malformed", "zero bytes"],
    ["wrong/text.pt", "malformed", "Access denied"],
    ["wrong/tar.pt", "unsupported", "tar"],
    ["numpy/object-hostile.npy", "unsafe", "Python objects"],
    ["truncated/torch-zip-0.5.pt", "truncated", "without its end"],
  ])("%s says what it is: %s, %s", async (file, code, text) => {
    const { error } = await answerTo(join(hostile, file));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(error!.message).toContain(file);
  });
});

describe("damaged files", async () => {
  const rows = await readJson<{ file: string; size: number; edits: [number, number][]; cut?: number }[]>(join(fixtures, "fuzz.json"));

  it(`${rows.length} kinds of damage give a typed error or a load`, async () => {
    for (const [index, { file, size, edits, cut }] of rows.entries()) {
      const folder = join(scratch, `fuzz-${index}`);
      await mkdir(folder);
      if (file.endsWith(".json"))
        for (const name of await readdir(dirname(good(file)))) await copyFile(good(join(dirname(file), name)), join(folder, name));
      const bytes = await readFile(good(file));
      expect(bytes.length).toBe(size);
      for (const [position, byte] of edits) bytes[position] = byte;
      await writeFile(join(folder, basename(file)), bytes.subarray(0, cut ?? bytes.length));
      await answerTo(join(folder, basename(file)));
    }
    expect(rows.length).toBeGreaterThan(0);
  });
});
