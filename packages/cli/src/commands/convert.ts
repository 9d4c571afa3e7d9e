import { stat } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { openWeights, type StorageDType, type StoredTensor, writeSafetensors } from "@refadgen/graph";
import { type Command, Option } from "commander";
import { bytesText } from "../amounts.js";
import type { CommandContext } from "../command-context.js";

const dtypes: Readonly<Record<string, StorageDType>> = { fp32: "float32", fp16: "float16", bf16: "bfloat16" };

interface ConvertSettings {
  readonly dtype?: keyof typeof dtypes;
  readonly only?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

/** `refadgen convert`. */
export function convertCommand(program: Command, { signal }: CommandContext): void {
  program
    .command("convert <in> <out>")
    .description("Write weights of any readable kind into one safetensors file.")
    .addOption(new Option("--dtype <type>", "what floating-point tensors become (default: they stay as they are)").choices(Object.keys(dtypes)))
    .option("--only <prefix>", "only keys that begin with this, which is taken off")
    .option("--force", "replace OUT if it is there")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Memory does not grow with the file, and OUT is there whole or not at all.

Examples:
  refadgen convert mp_rank_00_model_states.pt refadgen-fp16.safetensors --dtype fp16
  refadgen convert mp_rank_00_model_states.pt unet.safetensors --only module.unet.`,
    )
    .action((from: string, to: string, settings: ConvertSettings) => convert(from, to, settings, signal));
}

async function convert(from: string, to: string, { dtype, only, force, quiet }: ConvertSettings, signal: AbortSignal): Promise<void> {
  if (!to.endsWith(".safetensors")) throw new ArgumentError(`convert: expected OUT to end with .safetensors, got ${to}`);
  if (!force && (await stat(to).catch(() => undefined))) throw new ArgumentError(`convert: ${to} is there already; --force replaces it`);
  const { tensors } = await openWeights(from, { signal });
  const chosen = [...tensors].flatMap(([key, tensor]): StoredTensor[] =>
    only === undefined ? [renamed(tensor, key)] : key.startsWith(only) ? [renamed(tensor, key.slice(only.length))] : [],
  );
  if (chosen.length === 0) throw new ArgumentError(`convert: no key of ${from} begins with "${only}"; refadgen inspect ${from} --all lists them`);
  const terminal = !quiet && process.stderr.isTTY;
  let told = 0;
  const bytes = await writeSafetensors(to, chosen, {
    ...(dtype && { dtype: dtypes[dtype]! }),
    metadata: { format: "pt" },
    signal,
    onProgress: ({ done, total }) => {
      if (!terminal || Date.now() - told < 100) return;
      told = Date.now();
      process.stderr.write(`\r\u001B[K${bytesText(done)} of ${bytesText(total)}`);
    },
  });
  if (terminal) process.stderr.write("\r\u001B[K");
  process.stdout.write(`${to}: ${chosen.length} tensors, ${bytesText(bytes)}\n`);
}

function renamed(tensor: StoredTensor, name: string): StoredTensor {
  return {
    name,
    dtype: tensor.dtype,
    dims: tensor.dims,
    ...(tensor.location && { location: tensor.location }),
    read: () => tensor.read(),
    ...(tensor.readRange && { readRange: (start: number, end: number) => tensor.readRange!(start, end) }),
    contentKey: () => tensor.contentKey(),
  };
}
