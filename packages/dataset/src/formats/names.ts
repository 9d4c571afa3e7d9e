import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";

const keyPattern = /^[A-Za-z0-9_-]{1,128}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/;
const longestPath = 1024;

/**
 * Keys name files and entries of archives in every format: letters, digits, `_` and `-`, at most 128 of them. A dot would end the key in a
 * WebDataset.
 *
 * @throws ArgumentError
 */
export function checkKey(where: string, key: unknown): asserts key is string {
  if (!isKey(key)) throw new ArgumentError(`${where}: expected a key of 1 to 128 letters, digits, "_" and "-", got ${JSON.stringify(key)}`);
}

export function isKey(key: unknown): key is string {
  return typeof key === "string" && keyPattern.test(key);
}

/**
 * The path of an entry as a relative one with forward slashes, `./` at its beginning taken away. It is for naming only, never for writing to.
 *
 * @throws DatasetError `refused` for paths that are absolute, leave their folder, or hold backslashes or control characters
 */
export function entryPath(where: string, path: string): string {
  const refuse = (reason: string): never => {
    throw new DatasetError("refused", `${where}: expected a relative path inside the archive, got ${JSON.stringify(path.slice(0, 200))} (${reason})`);
  };
  if (path.length > longestPath) refuse(`longer than ${longestPath} characters`);
  if (controlCharacters.test(path)) refuse("control characters");
  if (path.includes("\\")) refuse("a backslash");
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) refuse("absolute");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0) refuse("empty");
  if (parts.includes("..")) refuse("it leaves its folder");
  return parts.join("/");
}

/** `000017` */
export function zeroPadded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
