import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { bytesPerElement, type DType, elementCount, isFloat, openWeights, type StoredTensor, WeightsError, widenToFloat32 } from "@refadgen/graph";
import { ArgumentError } from "@refadgen/pipeline";
import { type Command, Option } from "commander";
import { float16Bits } from "./float16.js";
import { bytesText, print } from "./print.js";

interface ConvertSettings {
  readonly dtype: "keep" | "fp32" | "fp16";
  readonly force?: boolean;
  readonly quiet?: boolean;
}

const typeNames: Readonly<Partial<Record<DType, string>>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};
const pieceElements = 2 ** 20;

/** `refadgen convert` */
export function addConvertCommand(program: Command, signal: AbortSignal): void {
  program
    .command("convert")
    .description("Write a checkpoint (pickle, shards, folder) as one safetensors file.")
    .argument("<input>", "weight file, index of shards, or folder with weights")
    .argument("<output>", "the new file, NAME.safetensors")
    .addOption(new Option("--dtype <type>", "floating-point tensors as this; others stay").choices(["keep", "fp32", "fp16"]).default("keep"))
    .option("--force", "replace a file that is there")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Examples:
  refadgen convert mp_rank_00_model_states.pt refadgen.safetensors
  refadgen convert pytorch_model.bin model.fp16.safetensors --dtype fp16

Tensors are read and written in pieces of a few megabytes; the file appears whole or not at all. A value beyond float16's range is an error.`,
    )
    .action((input: string, output: string, settings: ConvertSettings) => convert(input, output, settings, signal));
}

async function convert(input: string, output: string, { dtype, force, quiet }: ConvertSettings, signal: AbortSignal): Promise<void> {
  if (!output.endsWith(".safetensors")) throw new ArgumentError(`convert: expected an output named NAME.safetensors, got ${output}`);
  if (!force && (await stat(output).catch(() => undefined))) throw new ArgumentError(`convert: ${output} is there already; --force replaces it`);
  const { tensors } = await openWeights(input);
  const planned = [...tensors.values()].map((tensor) => {
    const target: DType = dtype === "keep" || !isFloat(tensor.dtype) ? tensor.dtype : dtype === "fp16" ? "float16" : "float32";
    if (!typeNames[target]) throw new WeightsError("unsupported", `convert: ${tensor.name} is ${target}, which safetensors cannot hold`);
    return { tensor, target, length: elementCount(tensor.dims) * bytesPerElement[target] };
  });
  // Wide elements first, so that each tensor begins at a multiple of its element's size.
  planned.sort((a, b) => bytesPerElement[b.target] - bytesPerElement[a.target]);
  let total = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const { tensor, target, length } of planned) {
    if (tensor.name === "__metadata__")
      throw new WeightsError("unsupported", "convert: a tensor is named __metadata__, which safetensors keeps for itself");
    header[tensor.name] = { dtype: typeNames[target], shape: tensor.dims, data_offsets: [total, total + length] };
    total += length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  head.writeBigUInt64LE(BigInt(head.length - 8));
  json.copy(head, 8);
  await refuseFullDisk(output, head.length + total);

  const temporary = `${output}.${process.pid}.${randomBytes(4).toString("hex")}.partial`;
  try {
    const handle = await open(temporary, "wx");
    try {
      await writeAll(handle, head);
      let done = 0;
      let told = 0;
      for (const { tensor, target, length } of planned) {
        await writeTensor(handle, tensor, target, signal);
        done += length;
        if (!quiet && Math.floor((done * 10) / Math.max(1, total)) > told) {
          told = Math.floor((done * 10) / Math.max(1, total));
          process.stderr.write(`${bytesText(done)} of ${bytesText(total)}\n`);
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await rename(temporary, output);
  } finally {
    await rm(temporary, { force: true });
  }
  print(`${output}: ${planned.length} tensors, ${bytesText(head.length + total)}`);
}

async function writeTensor(handle: FileHandle, tensor: StoredTensor, target: DType, signal: AbortSignal): Promise<void> {
  const count = elementCount(tensor.dims);
  const size = bytesPerElement[tensor.dtype];
  const whole = tensor.readRange ? undefined : await tensor.read();
  for (let start = 0; start < count; start += pieceElements) {
    signal.throwIfAborted();
    const end = Math.min(start + pieceElements, count);
    const bytes = whole ? whole.subarray(start * size, end * size) : await tensor.readRange!(start, end);
    await writeAll(handle, target === tensor.dtype ? bytes : converted(tensor, target, bytes));
  }
}

function converted({ name, dtype }: StoredTensor, target: DType, bytes: Uint8Array): Uint8Array {
  if (!isFloat(dtype)) throw new WeightsError("unsupported", `convert: ${name} is ${dtype}`);
  const values = widenToFloat32(dtype, bytes);
  if (target === "float32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const beyond = values.findIndex((value) => Math.abs(value) >= 65520 && Number.isFinite(value));
  if (beyond >= 0) throw new WeightsError("unsupported", `convert: ${name} holds ${values[beyond]}, beyond the range of float16; use --dtype fp32`);
  const half = float16Bits(values);
  return new Uint8Array(half.buffer, half.byteOffset, half.byteLength);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}

async function refuseFullDisk(output: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(resolve(output)));
  if (needed > bavail * bsize)
    throw new WeightsError("disk-full", `convert: ${output} needs ${bytesText(needed)}, the disk has ${bytesText(bavail * bsize)} free`);
}
