import { DatasetError } from "../error.js";

/** Codes by which systems say that nothing more can be written. */
const full: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "SQLITE_FULL"]);
const forbidden: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "SQLITE_READONLY", "SQLITE_CANTOPEN"]);

/** A `storage` error that says what to do next. */
export function storageError(where: string, error: unknown): DatasetError {
  if (DatasetError.isInstance(error)) return error;
  const code = String(Reflect.get(Object(error), "code") ?? "");
  const message = error instanceof Error ? error.message : String(error);
  const advice = full.has(code)
    ? "the disk is full. Nothing that was finished is lost: make room and start the same command again"
    : forbidden.has(code)
      ? `no permission to write (${message}). Nothing that was finished is lost`
      : message;
  return new DatasetError("storage", `${where}: ${advice}`, { cause: error, retryable: code === "EMFILE" || code === "ENFILE" || code === "EBUSY" });
}
