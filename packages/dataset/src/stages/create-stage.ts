import type { CaptionSettings } from "../caption/settings.js";
import { type CaptionTools, captionStage } from "../caption/stage.js";
import type { Stage, StageName } from "../contract.js";
import { fingerprintStage } from "../dedup/fingerprint.js";
import { DatasetError } from "../error.js";
import { inspectStage, scoreStage } from "../score/stages.js";
import { type AugmentStageSettings, augmentStage } from "./augment-stage.js";
import { defaultDrivers, driverPlace } from "./extract-drivers.js";
import { type ExtractStageSettings, extractStage } from "./extract-stage.js";

/** Stages that look at one item at a time, after it has been taken in; in the order of a run. */
export const itemStages: readonly ItemStageName[] = ["score", "fingerprint", "extract", "inspect", "caption", "augment"];

export type ItemStageName = Exclude<StageName, "ingest">;

/** What the config says for each stage: JSON. Models behind interfaces are given as stages of one's own. */
export interface StageSettings {
  readonly score: Readonly<Record<never, never>>;
  readonly fingerprint: Readonly<Record<never, never>>;
  readonly extract: ExtractStageSettings;
  readonly inspect: Readonly<Record<never, never>>;
  readonly caption: CaptionSettings;
  readonly augment: AugmentStageSettings;
}

/**
 * A stage by its name and its part of the config.
 *
 * @throws DatasetError `invalid-config` for settings that it cannot work with
 */
export function createStage<Name extends ItemStageName>(name: Name, settings: StageSettings[Name], tools?: CaptionTools): Stage<Name>;
export function createStage(name: ItemStageName, settings: StageSettings[ItemStageName], tools: CaptionTools = {}): Stage<ItemStageName> {
  switch (name) {
    case "score":
      return scoreStage() as Stage<ItemStageName>;
    case "fingerprint":
      return fingerprintStage() as Stage<ItemStageName>;
    case "extract":
      return extractStage(settings as ExtractStageSettings) as Stage<ItemStageName>;
    case "inspect":
      return inspectStage() as Stage<ItemStageName>;
    case "caption":
      return captionStage(settings as CaptionSettings, tools) as Stage<ItemStageName>;
    case "augment":
      return augmentStage(settings as AugmentStageSettings) as Stage<ItemStageName>;
    default:
      throw new DatasetError("invalid-config", `createStage: expected one of ${itemStages.join(", ")}, got ${JSON.stringify(name)}`);
  }
}

/**
 * Where a stage works best: on worker threads; on one of them, because a model's session is made once in a process; or here, because it mostly waits for others and
 * its rates and budget hold for one object.
 */
export function stagePlace<Name extends ItemStageName>(name: Name, settings: StageSettings[Name]): "workers" | "one-worker" | "here" {
  if (name === "caption") {
    const { writers, endpoints = [] } = settings as CaptionSettings;
    return (writers?.includes("endpoint") ?? endpoints.length > 0) ? "here" : "workers";
  }
  if (name !== "extract") return "workers";
  const places = new Set(((settings as ExtractStageSettings).drivers ?? defaultDrivers).map(driverPlace));
  return places.has("one-worker") ? "one-worker" : places.has("here") ? "here" : "workers";
}
