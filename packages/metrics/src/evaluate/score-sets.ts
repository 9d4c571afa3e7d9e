import type { Accumulator, SetBatch } from "../metrics/contract.js";
import type { PictureWithMode } from "../networks/contract.js";
import type { SkippedFile } from "./evaluation.js";
import type { PictureReader } from "./pictures.js";

export interface SetFile {
  readonly name: string;
  readonly path: string;
}

export interface SetOptions {
  /** One for every metric of whole sets, so that pictures are read once. */
  readonly accumulators: readonly Accumulator<SetBatch>[];
  readonly real: readonly SetFile[];
  readonly generated: readonly SetFile[];
  readonly reader: PictureReader;
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (done: number, total: number) => void;
}

/** Feeds both sets to metrics that compare them as wholes. Pictures that cannot be read are skipped and listed. */
export async function scoreSets(options: SetOptions): Promise<readonly SkippedFile[]> {
  const { accumulators, reader, batch, signal, onProgress } = options;
  const skipped: SkippedFile[] = [];
  const total = options.real.length + options.generated.length;
  const jobs = (["real", "generated"] as const).flatMap((side) =>
    Array.from({ length: Math.ceil(options[side].length / batch) }, (_, index) => ({
      side,
      files: options[side].slice(index * batch, (index + 1) * batch),
    })),
  );
  const read = (files: readonly SetFile[]) => Promise.all(files.map(async (file) => ({ file, result: await reader.read(file.path, { signal }) })));
  let done = 0;
  let coming = jobs[0] && read(jobs[0].files);
  for (const [index, { side, files }] of jobs.entries()) {
    signal?.throwIfAborted();
    const results = await coming!;
    const next = jobs[index + 1];
    coming = next && read(next.files);
    coming?.catch(() => undefined);
    const pictures: PictureWithMode[] = [];
    for (const { file, result } of results) {
      if ("picture" in result) pictures.push(result.picture);
      else skipped.push({ role: side, name: file.name, ...result });
    }
    // The first computes the features, the others find them in the cache.
    if (pictures.length > 0) for (const accumulator of accumulators) await accumulator.update({ side, pictures }, signal ? { signal } : {});
    done += files.length;
    onProgress(done, total);
  }
  return skipped;
}
