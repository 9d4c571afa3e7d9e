import { join } from "node:path";
import { DatasetError } from "../error.js";
import { openDatabase } from "./database.js";

/**
 * Keeps a second run off the same folder. The lock is the operating system's, on a file that SQLite holds in an exclusive transaction: it ends with the process,
 * however that ends, so there is nothing stale to clear and no clock to trust.
 *
 * @returns what gives the lock back
 * @throws DatasetError `ledger` while another process has it
 */
export async function lockRun(folder: string, name = "run"): Promise<() => void> {
  const database = await openDatabase(join(folder, `${name}.lock`), { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!DatasetError.isInstance(error) || !error.retryable) throw error;
    throw new DatasetError("ledger", `ledger: another run is at work in ${folder}. Wait until it ends, or stop it; then start this one again`, {
      cause: error,
      retryable: true,
    });
  }
  return () => database.close();
}
