import { stat } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { openWeights, type StorageDType, type StoredTensor, writeSafetensors } from "@refadgen/graph";
import { bytesText } from "../amounts.js";

const dtypes: Readonly<Record<string, StorageDType>> = { fp32: "float32", fp16: "float16", bf16: "bfloat16" };

/** The options of `refadgen convert`, as commander gives them. */
export interface ConvertSettings {
  readonly dtype?: keyof typeof dtypes;
  readonly only?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

export async function convert(from: string, to: string, { dtype, only, force, quiet }: ConvertSettings, signal: AbortSignal): Promise<void> {
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
