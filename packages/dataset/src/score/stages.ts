import { type Image, type Rectangle, toGrey } from "@refadgen/image";
import type { Item, ScoreRow, Stage } from "../contract.js";
import { DatasetError } from "../error.js";
import type { InspectModels, NumberModel, ScoreModels } from "./models.js";
import type { ProductMask } from "./product-mask.js";
import { inspectProduct, scorePicture } from "./score-picture.js";
import { flattened, storedImage } from "./stored-image.js";

/** Raised when the same picture would get another score. */
const version = 1;

export interface ScoreStageSettings {
  readonly models?: ScoreModels;
}

/** Measures the picture of an item by itself: see `scoreNames`. */
export function scoreStage({ models = {} }: ScoreStageSettings = {}): Stage<"score"> {
  return {
    name: "score",
    needs: ["ingest"],
    settings: { version, aesthetic: models.aesthetic?.name ?? null, watermark: models.watermark?.name ?? null },
    async run(item, { files, signal }) {
      const { picture } = ingested(item);
      const { image: stored, bytes } = await storedImage(files, picture);
      const image = flattened(stored);
      signal?.throwIfAborted();
      const scores: ScoreRow = {
        ...scorePicture(image, picture.type === "image/jpeg" ? { bytes } : {}),
        watermarkModel: await asked(models.watermark, image, signal),
        aesthetic: await asked(models.aesthetic, image, signal),
      };
      return { outcome: "done", row: scores };
    },
    async dispose() {
      await models.aesthetic?.dispose?.();
      await models.watermark?.dispose?.();
    },
  };
}

export interface InspectStageSettings {
  readonly models?: InspectModels;
}

/** Measures the product in the picture of an item, by the mask that `extract` made: see `scoreNames`. */
export function inspectStage({ models = {} }: InspectStageSettings = {}): Stage<"inspect"> {
  return {
    name: "inspect",
    needs: ["ingest", "extract"],
    settings: { version, text: models.text?.name ?? null },
    async run(item, { files, signal }) {
      const { picture } = ingested(item);
      const extract = item.rows.extract;
      if (!extract) throw new DatasetError("invalid-config", `inspect: expected ${item.key} to have a row of extract`);
      const image = flattened((await storedImage(files, picture)).image);
      const mask = maskOf((await storedImage(files, extract.mask)).image, image, item.key);
      signal?.throwIfAborted();
      const boxes = models.text ? await models.text.boxes(image, signal ? { signal } : {}) : undefined;
      const scores: ScoreRow = { ...inspectProduct(image, mask), textBoxes: boxes ? boxArea(boxes, mask) : null };
      return { outcome: "done", row: scores };
    },
    async dispose() {
      await models.text?.dispose?.();
    },
  };
}

function ingested({ key, rows: { ingest } }: Item): NonNullable<Item["rows"]["ingest"]> {
  if (!ingest) throw new DatasetError("invalid-config", `score: expected ${key} to have a row of ingest`);
  return ingest;
}

function maskOf(image: Image, { width, height }: Image, key: string): ProductMask {
  if (image.width !== width || image.height !== height)
    throw new DatasetError("format", `inspect: expected the mask of ${key} to be ${width} × ${height}, got ${image.width} × ${image.height}`);
  const grey = toGrey(image).data;
  const data = new Uint8Array(grey.length);
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = grey[pixel]! >= 128 ? 1 : 0;
  return { width, height, data };
}

async function asked(model: NumberModel | undefined, image: Image, signal: AbortSignal | undefined): Promise<number | null> {
  if (!model) return null;
  const score = await model.score(image, signal ? { signal } : {});
  if (!Number.isFinite(score)) throw new DatasetError("endpoint", `score: expected a finite number of ${model.name}, got ${String(score)}`);
  return score;
}

/** Area of the boxes' union outside the mask, percent of the picture. */
function boxArea(boxes: readonly Rectangle[], { width, height, data }: ProductMask): number {
  const covered = new Uint8Array(data.length);
  for (const { left, top, width: across, height: down } of boxes) {
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + down); y++)
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + across); x++) covered[y * width + x] = 1;
  }
  let area = 0;
  for (let pixel = 0; pixel < data.length; pixel++) area += covered[pixel]! & (1 - data[pixel]!);
  return (100 * area) / data.length;
}
