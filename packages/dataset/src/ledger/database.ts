import { DatasetError } from "../error.js";
import { storageError } from "../store/system-error.js";

export type SqlValue = null | number | string;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Statement {
  run(...values: SqlValue[]): void;
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

/** The little of SQLite that a ledger needs, whichever package brings it. */
export interface Database {
  readonly driver: SqliteDriver;
  exec(sql: string): void;
  /** Statements are kept: the same text is compiled once. */
  prepare(sql: string): Statement;
  close(): void;
}

export type SqliteDriver = "better-sqlite3" | "node:sqlite";

export interface OpenDatabaseOptions {
  /** Default false: the file is made if it is not there. */
  readonly readOnly?: boolean;
  /** How long to wait for another process that writes, in milliseconds. Default 5000. */
  readonly timeout?: number;
  /** Default: better-sqlite3 if it is installed and works, else Node's own. */
  readonly driver?: SqliteDriver;
}

/**
 * Opens an SQLite file with better-sqlite3, an optional dependency that has to be compiled where no binary fits, or with `node:sqlite`, which Node has from 22.13.
 *
 * @throws DatasetError `missing-package` with neither; `storage` or `ledger` for a file that cannot be opened
 */
export async function openDatabase(path: string, options: OpenDatabaseOptions = {}): Promise<Database> {
  const { readOnly = false, timeout = 5000, driver } = options;
  const why: string[] = [];
  for (const candidate of driver ? [driver] : (["better-sqlite3", "node:sqlite"] as const)) {
    const constructor_ = await load(candidate, why);
    if (!constructor_) continue;
    return guarded(path, () => {
      const raw =
        candidate === "better-sqlite3"
          ? new constructor_(path, { readonly: readOnly, fileMustExist: readOnly, timeout })
          : new constructor_(path, { readOnly });
      if (candidate === "node:sqlite") raw.exec(`PRAGMA busy_timeout = ${Math.round(timeout)}`);
      return database(path, raw, candidate);
    });
  }
  throw new DatasetError(
    "missing-package",
    `openDatabase: a ledger needs SQLite, which Node has from 22.13 and this is ${process.version}: npm install better-sqlite3 (${why.join("; ")})`,
  );
}

/** What better-sqlite3's Database and node:sqlite's DatabaseSync have in common. */
interface RawDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: SqlValue[]): unknown; get(...values: SqlValue[]): unknown; all(...values: SqlValue[]): unknown[] };
  close(): unknown;
}

type RawConstructor = new (path: string, options: Readonly<Record<string, unknown>>) => RawDatabase;

const loaded = new Map<SqliteDriver, RawConstructor | string>();

/** A package may be there and its binary not, which shows only when something is opened. */
async function load(driver: SqliteDriver, why: string[]): Promise<RawConstructor | undefined> {
  let found = loaded.get(driver);
  if (found === undefined) {
    found = await (driver === "better-sqlite3" ? loadBetter() : loadBuiltIn()).catch((error: unknown) =>
      (error instanceof Error ? error.message : String(error)).split("\n", 1).join(""),
    );
    loaded.set(driver, found);
  }
  if (typeof found !== "string") return found;
  why.push(`${driver}: ${found}`);
  return undefined;
}

async function loadBetter(): Promise<RawConstructor> {
  const { default: constructor_ } = (await import("better-sqlite3")) as unknown as { readonly default: RawConstructor };
  new constructor_(":memory:", {}).close();
  return constructor_;
}

async function loadBuiltIn(): Promise<RawConstructor> {
  // By a name that is computed: types of Node 20, on which this is compiled, do not know it.
  const name: string = "node:sqlite";
  const { DatabaseSync } = (await import(name)) as { readonly DatabaseSync: RawConstructor };
  return DatabaseSync;
}

function database(path: string, raw: RawDatabase, driver: SqliteDriver): Database {
  const statements = new Map<string, Statement>();
  return {
    driver,
    exec: (sql) => guarded(path, () => void raw.exec(sql)),
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        const prepared = guarded(path, () => raw.prepare(sql));
        statement = {
          run: (...values) => guarded(path, () => void prepared.run(...values)),
          get: (...values) => guarded(path, () => prepared.get(...values) as SqlRow | undefined),
          all: (...values) => guarded(path, () => prepared.all(...values) as SqlRow[]),
        };
        statements.set(sql, statement);
      }
      return statement;
    },
    close: () => void raw.close(),
  };
}

/** What SQLite says in its own codes, in ours. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = sqliteCode(error);
    const message = error instanceof Error ? error.message : String(error);
    if (code === "SQLITE_BUSY" || code === "SQLITE_LOCKED")
      throw new DatasetError("ledger", `ledger: ${path} is locked by another process: ${message}`, { cause: error, retryable: true });
    if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT")
      throw new DatasetError("ledger", `ledger: ${path} is no ledger, or a damaged one: ${message}`, { cause: error });
    if (code === "SQLITE_FULL" || code === "SQLITE_READONLY" || code === "SQLITE_CANTOPEN" || code === "SQLITE_IOERR")
      throw storageError(`ledger: cannot write ${path}`, Object.assign(new Error(message, { cause: error }), { code }));
    throw error;
  }
}

const primaryCodes: ReadonlyMap<number, string> = new Map([
  [5, "SQLITE_BUSY"],
  [6, "SQLITE_LOCKED"],
  [8, "SQLITE_READONLY"],
  [10, "SQLITE_IOERR"],
  [11, "SQLITE_CORRUPT"],
  [13, "SQLITE_FULL"],
  [14, "SQLITE_CANTOPEN"],
  [26, "SQLITE_NOTADB"],
]);

/** better-sqlite3 gives names such as SQLITE_IOERR_WRITE, node:sqlite numbers whose low byte is the primary code. */
function sqliteCode(error: unknown): string | undefined {
  const number: unknown = Reflect.get(Object(error), "errcode");
  if (typeof number === "number") return primaryCodes.get(number & 0xff);
  const name: unknown = Reflect.get(Object(error), "code");
  if (typeof name !== "string") return undefined;
  return [...primaryCodes.values()].find((primary) => name === primary || name.startsWith(`${primary}_`));
}
