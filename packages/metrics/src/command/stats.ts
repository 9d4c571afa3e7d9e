import type { WeightSettings } from "./weight-settings.js";

/** The options of `refadgen-metrics stats`. */
export interface StatsSettings extends WeightSettings {
  readonly recipe?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

/** Computes and writes the statistics of a folder. */
export async function statsCommand(_folder: string, _out: string, _settings: StatsSettings, _signal: AbortSignal): Promise<void> {
  throw new Error("stats: not there yet");
}
