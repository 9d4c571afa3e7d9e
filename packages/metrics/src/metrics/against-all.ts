import type { Tensor } from "@refadgen/graph";
import { type ImageStream, readImages } from "../images/read.js";
import type { ImageSource } from "../images/source.js";
import type { Picture } from "../networks/contract.js";
import type { MetricResult, SkippedImage } from "./contract.js";
import { cosineOfRows } from "./cosine.js";
import type { ScoredOptions } from "./run.js";
import { type ScoreMetric, scoreAccumulator } from "./score-accumulator.js";

interface PictureBatch {
  readonly generated: readonly Picture[];
  readonly names: readonly string[];
}

type Described = Pick<ScoreMetric<PictureBatch>, "metric" | "recipe" | "settings" | "networks" | "value">;

/**
 * Scores every generated picture by its mean cosine with all references, as DreamBooth's protocol does for one subject.
 *
 * @param scale what cosines are multiplied with
 */
export async function scoreAgainstAll(
  described: Described,
  scale: number,
  embed: (pictures: readonly Picture[]) => Promise<Tensor<"float32">>,
  generated: ImageSource,
  reference: ImageSource,
  options: ScoredOptions,
): Promise<MetricResult> {
  const { batchSize = 32, signal, onProgress } = options;
  const skipped: SkippedImage[] = [];
  const references: Tensor<"float32">[] = [];
  const streams = { reference: await readImages("reference", reference, options), generated: await readImages("generated", generated, options) };
  await batches(streams.reference, batchSize, skipped, async ({ generated: pictures }) => void references.push(await embed(pictures)));
  const count = references.reduce((sum, { dims }) => sum + dims[0]!, 0);
  const accumulator = scoreAccumulator<PictureBatch>({
    ...described,
    settings: { ...described.settings, pairing: "all" },
    unit: "pictures",
    count: ({ generated: pictures }) => pictures.length,
    names: ({ names }) => names,
    score: async ({ generated: pictures }) => {
      const rows = await embed(pictures);
      const values = Float64Array.from({ length: pictures.length }, (_, row) => {
        let sum = 0;
        for (const others of references) for (let other = 0; other < others.dims[0]!; other++) sum += cosineOfRows(rows, row, others, other);
        return (scale * sum) / count;
      });
      return { values };
    },
    details: () => ({ references: count }),
  });
  let done = 0;
  await batches(streams.generated, batchSize, skipped, async (batch) => {
    await accumulator.update(batch, signal ? { signal } : {});
    done += batch.generated.length;
    const { count: total } = streams.generated;
    onProgress?.({ metric: described.metric, stage: "features", done, ...(total !== undefined && { total }) });
  });
  const result = await accumulator.compute({ ...(options.interval !== undefined && { interval: options.interval }), ...(signal && { signal }) });
  const warnings = skipped.length === 0 ? [] : [`${skipped.length} pictures were skipped: ${skipped.map(({ name }) => name).join(", ")}`];
  return { ...result, skipped, warnings: [...result.warnings, ...warnings] };
}

async function batches(stream: ImageStream, size: number, skipped: SkippedImage[], feed: (batch: PictureBatch) => Promise<void>): Promise<void> {
  let [generated, names]: [Picture[], string[]] = [[], []];
  for await (const image of stream) {
    if ("skipped" in image) skipped.push(image.skipped);
    else {
      generated.push(image.picture);
      names.push(image.name);
    }
    if (generated.length < size) continue;
    await feed({ generated, names });
    [generated, names] = [[], []];
  }
  if (generated.length > 0) await feed({ generated, names });
}
