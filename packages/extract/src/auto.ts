import { ArgumentError } from "@refadgen/errors";
import type { Extraction, Extractor } from "./contract.js";
import { alphaExtractor } from "./drivers/alpha.js";
import { plainBackgroundExtractor } from "./drivers/plain-background.js";
import { ExtractError } from "./error.js";
import { judged } from "./judge.js";
import { emptyMask } from "./mask/mask.js";

export interface AutoOptions {
  /** Asked one after another, so the cheapest first. Default: transparency, then a plain background; neither needs a model. */
  readonly drivers?: readonly Extractor[];
  /** The first result with at least this score is taken. 0 to 1, default 0.6. */
  readonly confidence?: number;
  /** When no driver is confident: `"throw"` (default) an error that says why each one is not, or `"best"` the best result as it is. */
  readonly otherwise?: "throw" | "best";
}

/**
 * Asks drivers in turn and takes the first confident answer. A driver that fails (a service that is down) counts as one that found nothing.
 *
 * @throws ArgumentError for no drivers or a confidence out of range; when extracting, ExtractError `not-found`
 */
export function autoExtractor(options: AutoOptions = {}): Extractor {
  const { drivers = [alphaExtractor(), plainBackgroundExtractor()], confidence = 0.6, otherwise = "throw" } = options;
  if (drivers.length === 0) throw new ArgumentError("autoExtractor: expected drivers, got none");
  if (!(confidence >= 0 && confidence <= 1)) throw new ArgumentError(`autoExtractor: expected confidence between 0 and 1, got ${confidence}`);
  return {
    name: "auto",
    async extract(image, extractOptions = {}) {
      const results: Extraction[] = [];
      for (const driver of drivers) {
        const result = await attempt(driver, () => driver.extract(image, extractOptions), image, extractOptions.signal);
        if (result.score >= confidence) return result;
        results.push(result);
      }
      const best = results.reduce((most, result) => (result.score > most.score ? result : most));
      if (otherwise === "best") return best;
      const why = results.map(
        ({ driver, score, reasons }) => `${driver} (score ${score.toFixed(2)}): ${reasons.map(({ message }) => message).join(" ")}`,
      );
      throw new ExtractError("not-found", `extract: no driver is confident of at least ${confidence}. ${why.join(" ")}`);
    },
    async dispose() {
      await Promise.all(drivers.map((driver) => driver.dispose?.()));
    },
  };
}

async function attempt(
  driver: Extractor,
  work: () => Promise<Extraction>,
  image: Parameters<Extractor["extract"]>[0],
  signal?: AbortSignal,
): Promise<Extraction> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!ExtractError.isInstance(error)) throw error;
    const { width, height } = image;
    return judged(driver.name, emptyMask(image), new Uint8Array(width * height), 0, [{ code: "driver-failed", message: error.message, factor: 0 }]);
  }
}
