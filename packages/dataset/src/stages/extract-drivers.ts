import {
  alphaExtractor,
  backgroundRemovalExtractor,
  type Extractor,
  type GrabCutOptions,
  type GroundedOptions,
  type GroundingDinoOptions,
  grabCutExtractor,
  groundedExtractor,
  groundingDino,
  type ModelOptions,
  type PlainBackgroundOptions,
  plainBackgroundExtractor,
  type RemoteOptions,
  remoteExtractor,
  sam2,
} from "@refadgen/extract";

/**
 * A way to find the product, by name and options. `given`: the mask that the source has. `grounded` finds it by its category with Grounding DINO and SAM 2.
 */
export type ExtractDriver =
  | { readonly name: "given" }
  | { readonly name: "alpha" }
  | ({ readonly name: "plain-background" } & PlainBackgroundOptions)
  | ({ readonly name: "grabcut" } & GrabCutOptions)
  | ({ readonly name: "background-removal" } & Omit<ModelOptions, "onProgress">)
  | ({
      readonly name: "grounded";
      readonly detector?: Omit<GroundingDinoOptions, "onProgress">;
      readonly segmenter?: Omit<ModelOptions, "onProgress">;
    } & Omit<GroundedOptions, "detector" | "segmenter">)
  | ({ readonly name: "remote" } & Omit<RemoteOptions, "endpoint"> & { readonly endpoint: string });

export type ExtractDriverName = ExtractDriver["name"];

/** Cheapest first; none needs a model. */
export const defaultDrivers: readonly ExtractDriver[] = [{ name: "given" }, { name: "alpha" }, { name: "plain-background" }, { name: "grabcut" }];

/** `given` has no extractor: its mask comes with the item. */
export function extractorOf(driver: Exclude<ExtractDriver, { readonly name: "given" }>): Extractor {
  switch (driver.name) {
    case "alpha":
      return alphaExtractor();
    case "plain-background": {
      const { name: _, ...options } = driver;
      return plainBackgroundExtractor(options);
    }
    case "grabcut": {
      const { name: _, ...options } = driver;
      return grabCutExtractor(options);
    }
    case "background-removal": {
      const { name: _, ...options } = driver;
      return backgroundRemovalExtractor(options);
    }
    case "grounded": {
      const { name: _, detector = {}, segmenter = {}, ...options } = driver;
      return groundedExtractor({ ...options, detector: groundingDino(detector), segmenter: sam2(segmenter) });
    }
    case "remote": {
      const { name: _, ...options } = driver;
      return remoteExtractor(options);
    }
  }
}

/** Sessions of models are made once in a process, and requests need no thread. */
export function driverPlace({ name }: ExtractDriver): "workers" | "one-worker" | "here" {
  if (name === "background-removal" || name === "grounded") return "one-worker";
  return name === "remote" ? "here" : "workers";
}
