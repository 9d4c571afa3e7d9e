import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { RunConfig } from "../config/run-config.js";
import type { FileStore, IngestRow, Stage } from "../contract.js";
import { type Ledger, openLedger } from "../ledger/ledger.js";
import { createStage, type ItemStageName, itemStages, type StageSettings } from "../stages/create-stage.js";
import { folderStore } from "../store/folder-store.js";
import { defaultTaxonomy, findCategory, readTaxonomy, type Taxonomy } from "../taxonomy/taxonomy.js";

/** Part `index` of `count`, for machines that share a folder and nothing else. */
export interface ShardOf {
  readonly index: number;
  readonly count: number;
}

/** Stages of one's own in place of those of the config: with models behind interfaces. They run in this thread. */
export type OwnStages = { readonly [Name in ItemStageName]?: Stage<Name> };

/** Everything that steps of a run work with. */
export interface Run {
  readonly config: RunConfig;
  readonly taxonomy: Taxonomy;
  readonly ledger: Ledger;
  readonly files: FileStore;
  readonly storeFolder: string;
  readonly settings: StageSettings;
  readonly stages: { readonly [Name in ItemStageName]: Stage<Name> };
  readonly own: OwnStages;
  readonly workers: number;
  /** The row with its category as the taxonomy calls it; without one if it has none that the taxonomy knows. */
  known(row: IngestRow): IngestRow;
  dispose(): Promise<void>;
}

export interface CreateRunOptions {
  readonly shard?: ShardOf;
  readonly readOnly?: boolean;
  readonly workers?: number;
  readonly stages?: OwnStages;
}

/**
 * Opens what a run needs: its ledger, its store, its stages. Nothing is done yet, and no other run is kept away: see `runDataset`.
 *
 * @throws DatasetError `invalid-config` for settings that a stage cannot work with; `ledger`; `missing-package`; `storage`
 */
export async function createRun(config: RunConfig, { shard, readOnly = false, workers, stages: own = {} }: CreateRunOptions = {}): Promise<Run> {
  const taxonomy = config.taxonomy === undefined ? defaultTaxonomy : await readTaxonomy(config.taxonomy);
  const settings = settingsOf(config, taxonomy);
  const stages = Object.fromEntries(
    itemStages.map((name) => [name, own[name] ?? createStage(name, settings[name] as never)]),
  ) as unknown as Run["stages"];
  const storeFolder = join(config.output, "files");
  const ledger = await openLedger(config.output, { readOnly, name: ledgerName(shard) });
  const fallback = config.withoutCategory === undefined || config.withoutCategory === "reject" ? undefined : config.withoutCategory;
  return {
    config,
    taxonomy,
    ledger,
    files: folderStore(storeFolder),
    storeFolder,
    settings,
    stages,
    own,
    workers: workers ?? config.workers ?? Math.min(16, availableParallelism()),
    known(row) {
      const { category: label, ...rest } = row;
      const category = label === undefined ? fallback : findCategory(taxonomy, label)?.name;
      return category === undefined ? rest : { ...rest, category };
    },
    async dispose() {
      ledger.dispose();
      for (const stage of Object.values(stages)) await stage.dispose?.();
    },
  };
}

export function ledgerName(shard: ShardOf | undefined): string {
  return shard ? `ledger-${shard.index}-of-${shard.count}` : "ledger";
}

function settingsOf(config: RunConfig, taxonomy: Taxonomy): StageSettings {
  const { seed = 0, extract = {}, caption = {}, augment = {} } = config;
  return {
    score: {},
    fingerprint: {},
    inspect: {},
    extract: {
      ...extract,
      prompts: Object.fromEntries(taxonomy.categories.filter(({ name, prompt }) => prompt !== name).map(({ name, prompt }) => [name, prompt])),
    },
    caption: {
      ...caption,
      seed,
      ...(taxonomy !== defaultTaxonomy && { categories: Object.fromEntries(taxonomy.categories.map(({ name, words }) => [name, words])) }),
    },
    augment: { ...augment, seed },
  };
}
