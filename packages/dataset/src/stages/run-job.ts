import { RefAdGenError } from "@refadgen/errors";
import { ExtractError } from "@refadgen/extract";
import type { CaptionTools } from "../caption/stage.js";
import type { FileStore, Item, Stage, StageContext, StageName } from "../contract.js";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import type { StageResult } from "../ledger/records.js";
import { folderStore } from "../store/folder-store.js";
import { createStage, type ItemStageName, type StageSettings } from "./create-stage.js";

/** One stage of one item: plain JSON, whoever carries it. */
export interface Job<Name extends ItemStageName = ItemStageName> {
  readonly stage: Name;
  readonly settings: StageSettings[Name];
  readonly item: Item;
  /** Folder of the store that all who work on the run share. */
  readonly store: string;
}

export interface RunJobOptions {
  readonly signal?: AbortSignal;
  readonly tools?: CaptionTools;
}

/** What no other item would get past either: the run stops, and the item is not at fault. */
const fatal: ReadonlySet<DatasetErrorCode> = new Set(["storage", "invalid-config", "missing-package", "ledger", "budget"]);

const stages = new Map<string, Stage<ItemStageName>>();
const stores = new Map<string, FileStore>();

/**
 * Does a job: the same job answers the same, wherever and however often it is done, and leaves files in the store only. Threads of a run, workers of a queue and a
 * program of one's own call it alike. What goes wrong with the item is a result; what would go wrong with every item is thrown.
 *
 * @throws DatasetError `storage`, `invalid-config`, `missing-package`, `budget`; the signal's reason
 */
export async function runJob({ stage: name, settings, item, store }: Job, { signal, tools }: RunJobOptions = {}): Promise<StageResult> {
  const id = `${name} ${JSON.stringify(settings)}`;
  let stage = stages.get(id);
  if (!stage) {
    stage = createStage(name, settings as never, tools);
    stages.set(id, stage);
  }
  let files = stores.get(store);
  if (!files) {
    files = folderStore(store);
    stores.set(store, files);
  }
  return runStage(stage, item, { files, ...(signal && { signal }) });
}

/** As `runJob`, for a stage that is at hand. */
export async function runStage<Name extends StageName>(stage: Stage<Name>, item: Item, context: StageContext): Promise<StageResult> {
  try {
    return await stage.run(item, context);
  } catch (error) {
    context.signal?.throwIfAborted();
    return failureOf(error);
  }
}

/** @throws the error itself if it is of more than one item */
export function failureOf(error: unknown): StageResult & { readonly outcome: "failed" } {
  if (DatasetError.isInstance(error)) {
    if (fatal.has(error.code)) throw error;
    return { outcome: "failed", code: error.code, message: error.message, retryable: error.retryable };
  }
  if (ExtractError.isInstance(error)) {
    if (error.code === "package-missing") throw new DatasetError("missing-package", error.message, { cause: error });
    if (error.code === "model") throw new DatasetError("invalid-config", error.message, { cause: error });
    return { outcome: "failed", code: error.code, message: error.message, retryable: error.code !== "not-found" };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: "failed", code: RefAdGenError.isInstance(error) ? error.code : "error", message, retryable: false };
}
