import type { Item, Rejection, StageName, StageRows } from "../contract.js";
import type { SqlRow } from "./database.js";

/** What a stage made of an item, once. */
export type StageResult =
  | { readonly outcome: "done"; readonly row: StageRows[StageName] }
  | { readonly outcome: "rejected"; readonly reasons: readonly Rejection[] }
  | Failure;

/** `quarantined`: it took a worker or its deadline with it, and is not tried with others. */
export interface Failure {
  readonly outcome: "failed" | "quarantined";
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** A result with what it was made from. */
export interface ResultRecord {
  readonly key: string;
  readonly stage: StageName;
  /** 1 the first time; more after failures that were tried again. */
  readonly attempt: number;
  /** Hash of the rows and bytes that it was made from. */
  readonly input: string;
  /** Hash of the stage's settings. */
  readonly config: string;
  /** Of the row; absent without one. */
  readonly hash?: string;
  readonly result: StageResult;
}

/** What stopped an item in the latest run. */
export interface Stop {
  /** One of `steps`. */
  readonly step: string;
  /** `waiting`: the run was told to leave it. */
  readonly outcome: "rejected" | "failed" | "quarantined" | "waiting";
  readonly reasons: readonly Rejection[];
}

export interface LedgerItem {
  readonly key: string;
  /** Index of its source in the config. */
  readonly source: number;
  readonly position: number;
  readonly location: string;
  readonly stop?: Stop;
  /** Key of the item that leads its cluster of near-duplicates; its own without any. */
  readonly cluster?: string;
  readonly split?: "train" | "test";
}

/** An item of the latest run with all that is known of it. */
export interface LedgerEntry extends LedgerItem {
  readonly rows: Item["rows"];
  readonly results: readonly ResultRecord[];
}

export function resultOfSql(row: SqlRow): ResultRecord {
  const base = {
    key: String(row.key),
    stage: String(row.stage) as StageName,
    attempt: Number(row.attempt),
    input: String(row.input),
    config: String(row.config),
    ...(row.hash !== null && { hash: String(row.hash) }),
  };
  if (row.outcome === "done") return { ...base, result: { outcome: "done", row: JSON.parse(String(row.row)) as StageRows[StageName] } };
  if (row.outcome === "rejected") return { ...base, result: { outcome: "rejected", reasons: JSON.parse(String(row.reasons)) as Rejection[] } };
  return {
    ...base,
    result: {
      outcome: row.outcome === "quarantined" ? "quarantined" : "failed",
      code: String(row.code),
      message: String(row.message),
      retryable: row.retryable === 1,
    },
  };
}

export function itemOfSql(row: SqlRow): LedgerItem {
  return {
    key: String(row.key),
    source: Number(row.source),
    position: Number(row.position),
    location: String(row.location),
    ...(row.step !== null && {
      stop: {
        step: String(row.step),
        outcome: String(row.outcome) as Stop["outcome"],
        reasons: row.reasons === null ? [] : (JSON.parse(String(row.reasons)) as Rejection[]),
      },
    }),
    ...(row.cluster !== null && { cluster: String(row.cluster) }),
    ...(row.split !== null && { split: String(row.split) as "train" | "test" }),
  };
}
