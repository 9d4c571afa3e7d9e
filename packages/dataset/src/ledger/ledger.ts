import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Decision } from "../browse/store.js";
import type { Rejection, StageName } from "../contract.js";
import { DatasetError } from "../error.js";
import { isStep, stepIndex } from "../run/steps.js";
import { storageError } from "../store/system-error.js";
import { type Database, type OpenDatabaseOptions, openDatabase, type SqlValue } from "./database.js";
import { itemOfSql, type LedgerEntry, type LedgerItem, type ResultRecord, resultOfSql, type Stop } from "./records.js";
import { ledgerSchema, ledgerVersion } from "./schema.js";

/** Counts of the latest run: what came of the items that each step got. */
export interface StepCounts {
  readonly step: string;
  readonly rejected: number;
  readonly failed: number;
  readonly quarantined: number;
  /** Left out of a run that did one step alone. */
  readonly waiting: number;
}

export interface OpenLedgerOptions extends Pick<OpenDatabaseOptions, "readOnly" | "driver"> {
  /** Default `ledger`; runs over a part of the items have their own. */
  readonly name?: string;
}

const pageSize = 256;
const itemColumns = "key, source, position, location, step, outcome, reasons, cluster, split";

/**
 * Opens the record of a run, `ledger.sqlite` in its folder. Written ahead (WAL), so that a process that is killed at any instant leaves the last whole
 * transaction, and others may read while a run writes. It does not keep a second run away: `lockRun` does.
 *
 * @throws DatasetError `ledger` for one that another version wrote or that is damaged; `missing-package`; `storage`
 */
export async function openLedger(folder: string, options: OpenLedgerOptions = {}): Promise<Ledger> {
  const { name = "ledger", readOnly = false, driver } = options;
  if (!/^[a-z0-9-]+$/.test(name)) throw new ArgumentError(`openLedger: expected a name of letters, digits and "-", got ${JSON.stringify(name)}`);
  const path = join(folder, `${name}.sqlite`);
  if (readOnly) {
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    if (!there) throw new DatasetError("ledger", `nothing has been run there yet: expected a ledger in ${folder}, got none`);
  } else {
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw storageError(`openLedger: cannot make ${folder}`, error);
    }
  }
  const database = await openDatabase(path, { readOnly, ...(driver && { driver }) });
  try {
    if (!readOnly) database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    prepare(database, path, readOnly);
  } catch (error) {
    database.close();
    throw error;
  }
  return new Ledger(database, path);
}

function prepare(database: Database, path: string, readOnly: boolean): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (version === ledgerVersion) return;
  if (version !== 0 || readOnly)
    throw new DatasetError("ledger", `openLedger: expected ${path} to be of version ${ledgerVersion}, got ${version}; use the release that wrote it`);
  database.exec(`BEGIN IMMEDIATE; ${ledgerSchema} PRAGMA user_version = ${ledgerVersion}; COMMIT`);
}

/** The record of a run. Reads are in the order of keys, a page at a time. */
export class Ledger {
  readonly path: string;
  readonly #database: Database;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.path = path;
  }

  /** All of what `work` writes, or nothing. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // A full disk may have rolled it back already.
      }
      throw error;
    }
  }

  note(name: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name);
    return row === undefined ? undefined : String(row.value);
  }

  setNote(name: string, value: string | undefined): void {
    if (value === undefined) this.#database.prepare("DELETE FROM meta WHERE name = ?").run(name);
    else this.#database.prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value").run(name, value);
  }

  /** Forgets where items stand, not what is known of them. */
  beginRun(): void {
    this.#database
      .prepare("UPDATE item SET live = 0, step = NULL, outcome = NULL, reasons = NULL, cluster = NULL, split = NULL WHERE live = 1")
      .run();
  }

  /** All items go on again, except those that never got in. */
  forgetStops(): void {
    this.#database
      .prepare("UPDATE item SET step = NULL, outcome = NULL, reasons = NULL, cluster = NULL, split = NULL WHERE live = 1 AND step IS NOT 'ingest'")
      .run();
  }

  /** Takes an item into the latest run. */
  enter({ key, source, position, location }: LedgerItem): void {
    this.#database
      .prepare(
        `INSERT INTO item (key, source, position, location, live) VALUES (?, ?, ?, ?, 1)
         ON CONFLICT (key) DO UPDATE SET source = excluded.source, position = excluded.position, location = excluded.location, live = 1`,
      )
      .run(key, source, position, location);
  }

  /** Takes the first items of a source that has not changed into the latest run; returns how many. */
  enterSource(source: number, most: number): number {
    const row = this.#database
      .prepare("SELECT count(*) AS n FROM (SELECT 1 FROM item WHERE source = ? ORDER BY position LIMIT ?)")
      .get(source, Math.min(most, Number.MAX_SAFE_INTEGER));
    this.#database
      .prepare("UPDATE item SET live = 1 WHERE key IN (SELECT key FROM item WHERE source = ? ORDER BY position LIMIT ?)")
      .run(source, Math.min(most, Number.MAX_SAFE_INTEGER));
    return Number(row?.n ?? 0);
  }

  /** Items of this source that the latest run has not met are no longer in it: their rows go. */
  forgetOthers(source: number): void {
    this.#database.prepare("DELETE FROM result WHERE key IN (SELECT key FROM item WHERE source = ? AND live = 0)").run(source);
    this.#database.prepare("DELETE FROM item WHERE source = ? AND live = 0").run(source);
  }

  isLive(key: string): boolean {
    return this.#database.prepare("SELECT live FROM item WHERE key = ?").get(key)?.live === 1;
  }

  item(key: string): LedgerEntry | undefined {
    const row = this.#database.prepare(`SELECT ${itemColumns} FROM item WHERE key = ? AND live = 1`).get(key);
    return row && this.#entry(itemOfSql(row));
  }

  /** Items of the latest run, by key. */
  *items({ going, after = "" }: { readonly going?: boolean; readonly after?: string } = {}): Generator<LedgerItem, void, void> {
    const where = going === undefined ? "" : going ? "AND step IS NULL" : "AND step IS NOT NULL";
    for (let last = after; ; ) {
      const page = this.#database
        .prepare(`SELECT ${itemColumns} FROM item WHERE live = 1 AND key > ? ${where} ORDER BY key LIMIT ${pageSize}`)
        .all(last);
      for (const row of page) yield itemOfSql(row);
      if (page.length < pageSize) return;
      last = String(page.at(-1)!.key);
    }
  }

  /** As `items`, with the rows of stages. */
  *entries(options: { readonly going?: boolean; readonly after?: string } = {}): Generator<LedgerEntry, void, void> {
    for (const item of this.items(options)) yield this.#entry(item);
  }

  #entry(item: LedgerItem): LedgerEntry {
    const { stop } = item;
    // What an earlier run with other settings made of an item after this point is kept for the next change, and is not part of this run.
    const within = ({ stage }: ResultRecord) => !stop || !isStep(stop.step) || stepIndex(stage) <= stepIndex(stop.step);
    const results = this.results(item.key).filter(within);
    const rows: Record<string, unknown> = {};
    for (const { stage, result } of results) if (result.outcome === "done") rows[stage] = result.row;
    return { ...item, rows: rows as LedgerEntry["rows"], results };
  }

  results(key: string): ResultRecord[] {
    return this.#database.prepare("SELECT * FROM result WHERE key = ?").all(key).map(resultOfSql);
  }

  result(key: string, stage: StageName): ResultRecord | undefined {
    const row = this.#database.prepare("SELECT * FROM result WHERE key = ? AND stage = ?").get(key, stage);
    return row && resultOfSql(row);
  }

  /** Failed and quarantined results of a stage, of one source. */
  failures(stage: StageName, source: number): number {
    const row = this.#database
      .prepare(
        "SELECT count(*) AS n FROM item JOIN result ON result.key = item.key AND result.stage = ? WHERE item.source = ? AND result.code IS NOT NULL",
      )
      .get(stage, source);
    return Number(row?.n ?? 0);
  }

  record({ key, stage, attempt, input, config, hash, result }: ResultRecord): void {
    const values: SqlValue[] = [
      hash ?? null,
      result.outcome === "done" ? JSON.stringify(result.row) : null,
      result.outcome === "rejected" ? JSON.stringify(result.reasons) : null,
      "code" in result ? result.code : null,
      "code" in result ? result.message : null,
      "code" in result ? Number(result.retryable) : null,
    ];
    this.#database
      .prepare("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(key, stage, attempt, input, config, result.outcome, ...values);
  }

  stop(key: string, { step, outcome, reasons }: Stop): void {
    this.#database
      .prepare("UPDATE item SET step = ?, outcome = ?, reasons = ? WHERE key = ?")
      .run(step, outcome, reasons.length === 0 ? null : JSON.stringify(reasons), key);
  }

  setCluster(key: string, cluster: string): void {
    this.#database.prepare("UPDATE item SET cluster = ? WHERE key = ?").run(cluster, key);
  }

  setSplit(key: string, split: "train" | "test"): void {
    this.#database.prepare("UPDATE item SET split = ? WHERE key = ?").run(split, key);
    this.#database.prepare("INSERT INTO side VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET side = excluded.side").run(key, split);
  }

  /** Sides that items have ever been given. */
  sides(): Map<string, "train" | "test"> {
    const rows = this.#database.prepare("SELECT key, side FROM side").all();
    return new Map(rows.map(({ key, side }) => [String(key), String(side) as "train" | "test"]));
  }

  forgetSides(): void {
    this.#database.prepare("DELETE FROM side").run();
  }

  /** Items of the latest run, in all and still going. */
  totals(): { readonly items: number; readonly going: number } {
    const row = this.#database.prepare("SELECT count(*) AS items, sum(step IS NULL) AS going FROM item WHERE live = 1").get();
    return { items: Number(row?.items ?? 0), going: Number(row?.going ?? 0) };
  }

  splitCounts(): { readonly train: number; readonly test: number } {
    const row = this.#database
      .prepare("SELECT sum(split = 'train') AS train, sum(split = 'test') AS test FROM item WHERE live = 1 AND step IS NULL")
      .get();
    return { train: Number(row?.train ?? 0), test: Number(row?.test ?? 0) };
  }

  /** Where items of the latest run stopped. */
  counts(): StepCounts[] {
    return this.#database
      .prepare(
        `SELECT step, sum(outcome = 'rejected') AS rejected, sum(outcome = 'failed') AS failed, sum(outcome = 'quarantined') AS quarantined, sum(outcome = 'waiting') AS waiting
         FROM item WHERE live = 1 AND step IS NOT NULL GROUP BY step ORDER BY step`,
      )
      .all()
      .map(({ step, rejected, failed, quarantined, waiting }) => ({
        step: String(step),
        rejected: Number(rejected),
        failed: Number(failed),
        quarantined: Number(quarantined),
        waiting: Number(waiting),
      }));
  }

  decision(key: string): Decision | undefined {
    const row = this.#database.prepare("SELECT decision FROM decision WHERE key = ?").get(key);
    return row === undefined ? undefined : (String(row.decision) as Decision);
  }

  /** By key. */
  decisions(): { readonly key: string; readonly decision: Decision }[] {
    return this.#database
      .prepare("SELECT key, decision FROM decision ORDER BY key")
      .all()
      .map(({ key, decision }) => ({ key: String(key), decision: String(decision) as Decision }));
  }

  decide(key: string, decision: Decision | undefined): void {
    if (decision === undefined) this.#database.prepare("DELETE FROM decision WHERE key = ?").run(key);
    else this.#database.prepare("INSERT INTO decision VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET decision = excluded.decision").run(key, decision);
  }

  /** Takes over what another ledger knows and this one does not. */
  adopt(other: Ledger): number {
    let adopted = 0;
    for (let [key, stage] = ["", ""]; ; ) {
      const page = other.#database
        .prepare(`SELECT * FROM result WHERE (key, stage) > (?, ?) ORDER BY key, stage LIMIT ${pageSize}`)
        .all(key, stage)
        .map(resultOfSql);
      this.transaction(() => {
        for (const record of page) {
          const own = this.result(record.key, record.stage);
          if (own && own.input === record.input && own.config === record.config && own.result.outcome === "done") continue;
          this.record(record);
          adopted++;
        }
      });
      if (page.length < pageSize) return adopted;
      ({ key, stage } = page.at(-1)!);
    }
  }

  /**
   * Everything that a finished run says of its items, as lines of JSON in the order of keys: two runs of the same config give the same lines, however
   * often either was stopped.
   */
  *export(): Generator<string, void, void> {
    for (const { key, location, stop, cluster, split, results } of this.entries()) {
      yield JSON.stringify({
        key,
        location,
        ...(stop && { stop }),
        ...(cluster !== undefined && { cluster }),
        ...(split !== undefined && { split }),
        results: results.map(({ stage, input, config, result }) => ({ stage, input, config, ...result })),
      });
    }
  }

  dispose(): void {
    this.#database.close();
  }
}

/** One reason as a list, for the queries that have one. */
export function reason(code: string, message: string): readonly Rejection[] {
  return [{ code, message }];
}
