import { cutOut, ExtractError, type Extraction, type Extractor } from "@refadgen/extract";
import type { Image } from "@refadgen/image";
import type { ExtractRow, FileStore, IngestRow, Json, Rejection, Stage, StageOutcome } from "../contract.js";
import { DatasetError } from "../error.js";
import { defaultDrivers, type ExtractDriver, extractorOf } from "./extract-drivers.js";
import { onWhite, putPng, storedMask, storedPicture } from "./pictures.js";

export interface ExtractStageSettings {
  /** Asked one after another, so the cheapest first. Default `given`, `alpha`, `plain-background`, `grabcut`: none needs a model. */
  readonly drivers?: readonly ExtractDriver[];
  /** The first result with at least this score is taken. 0 to 1, default 0.6. */
  readonly confidence?: number;
  /** A picture whose best result is below is rejected. 0 to 1, default `confidence`; less keeps doubtful masks. */
  readonly least?: number;
  /** What detectors are asked for, by category. Default the category's name. */
  readonly prompts?: Readonly<Record<string, string>>;
}

/** Raised when the same picture would get another mask. */
const version = 2;

/**
 * Finds the product in an ad and puts it on white on the ad's canvas. Drivers are asked in turn, as `auto` of @refadgen/extract does; a picture in which none is sure
 * of a product is rejected, with what the best of them doubts.
 *
 * @throws DatasetError `invalid-config` for settings out of range
 */
export function extractStage(settings: ExtractStageSettings = {}): Stage<"extract"> {
  const { drivers = defaultDrivers, confidence = 0.6, least = confidence, prompts = {} } = settings;
  for (const [name, value] of Object.entries({ confidence, least }))
    if (!(value >= 0 && value <= 1)) throw new DatasetError("invalid-config", `extract: expected ${name} from 0 to 1, got ${value}`);
  if (drivers.length === 0) throw new DatasetError("invalid-config", "extract: expected drivers, got none");
  const extractors = new Map<ExtractDriver, Extractor>();
  for (const driver of drivers) if (driver.name !== "given") extractors.set(driver, extractorOf(driver));
  return {
    name: "extract",
    needs: ["ingest"],
    // How often a service is asked, and where it stands, changes no mask.
    settings: JSON.parse(JSON.stringify({ version, drivers: drivers.map(whatMasksDependOn), confidence, least, prompts })) as Json,
    async run({ key, rows: { ingest } }, { files, signal }) {
      if (!ingest) throw new DatasetError("invalid-config", `extract: expected ${key} to have a row of ingest`);
      const picture = await storedPicture(files, ingest.picture);
      const results: Extraction[] = [];
      for (const driver of drivers) {
        signal?.throwIfAborted();
        const extractor = extractors.get(driver);
        if (!extractor) {
          if (ingest.mask) return given(key, ingest, picture, files);
          continue;
        }
        const category = ingest.category;
        const result = await attempt(extractor, picture, {
          ...(category !== undefined && { category: prompts[category] ?? category }),
          ...(signal && { signal }),
        });
        if (result.score >= confidence) return taken(result, picture, files);
        results.push(result);
      }
      const best = results.reduce<Extraction | undefined>((most, result) => (most && most.score >= result.score ? most : result), undefined);
      if (best && best.score >= least && best.score > 0) return taken(best, picture, files);
      return { outcome: "rejected", reasons: doubts(results) };
    },
    async dispose() {
      await Promise.all([...extractors.values()].map((extractor) => extractor.dispose?.()));
    },
  };
}

/** A driver that cannot see anything in a picture has nothing to say; one that cannot work is a failure of the item. */
async function attempt(extractor: Extractor, picture: Image, options: Parameters<Extractor["extract"]>[1]): Promise<Extraction> {
  try {
    return await extractor.extract(picture, options);
  } catch (error) {
    options?.signal?.throwIfAborted();
    if (!ExtractError.isInstance(error) || error.code !== "not-found") throw error;
    const { width, height } = picture;
    const nothing = new Uint8Array(width * height);
    return {
      mask: { width, height, data: nothing },
      matte: nothing,
      score: 0,
      reasons: [{ code: "nothing-found", message: error.message }],
      driver: extractor.name,
    };
  }
}

async function given(key: string, ingest: IngestRow, picture: Image, files: FileStore): Promise<StageOutcome<ExtractRow>> {
  const mask = await storedMask(files, ingest.mask!, picture, `extract: ${key}`);
  if (!mask.data.includes(255)) return { outcome: "rejected", reasons: [{ code: "no-product", message: "the source's mask is empty" }] };
  const product = ingest.product ?? (await putPng(files, cutOut(onWhite(picture), mask.data)));
  return { outcome: "done", row: { product, mask: await putPng(files, mask), driver: "given", score: 1, reasons: [] } };
}

async function taken({ mask, matte, score, reasons, driver }: Extraction, picture: Image, files: FileStore): Promise<StageOutcome<ExtractRow>> {
  const { width, height } = mask;
  const [product, stored] = await Promise.all([
    putPng(files, cutOut(onWhite(picture), matte)),
    putPng(files, { width, height, channels: 1, data: mask.data.map((value) => value * 255) }),
  ]);
  return {
    outcome: "done",
    row: { product, mask: stored, driver, score: Number(score.toFixed(6)), reasons: reasons.map(({ code, message }) => `${code}: ${message}`) },
  };
}

/** One reason to count, with everything that the drivers said. */
function doubts(results: readonly Extraction[]): Rejection[] {
  if (results.length === 0) return [{ code: "no-product", message: "the source has no mask and no driver looks for one" }];
  const said = results.map(
    ({ driver, score, reasons }) => `${driver} (${score.toFixed(2)}): ${reasons.map(({ message }) => message).join(" ") || "not sure."}`,
  );
  return [{ code: "no-product", message: `no driver is sure of a product. ${said.join(" ")}` }];
}

function whatMasksDependOn(driver: ExtractDriver): object {
  if (driver.name !== "remote") return driver;
  const { headers: _, timeout: __, attempts: ___, ...kept } = driver;
  return kept;
}
