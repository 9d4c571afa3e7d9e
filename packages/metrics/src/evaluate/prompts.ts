import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { EvaluationError } from "./error.js";

/** Prompts by the stem of the picture they belong to, or one per picture in the order of their names. */
export type Prompts =
  | { readonly by: "stem"; readonly texts: ReadonlyMap<string, string>; readonly source: string }
  | { readonly by: "order"; readonly texts: readonly string[]; readonly source: string };

/** Names under which files give the picture and its text; the first that is there counts. */
const pictureKeys = ["name", "file", "file_name", "filename", "image", "generated", "id", "key"] as const;
const textKeys = ["prompt", "caption", "text"] as const;

/**
 * Reads prompts. By extension:
 * `.jsonl`, `.ndjson` one object per line with a picture (`name`, `file`, `file_name`, `filename`, `image`, `generated`, `id` or `key`) and a text (`prompt`, `caption` or
 * `text`) · `.json` the same as a list, or an object of picture to text · `.csv`, `.tsv` with such a header · `.txt` one prompt per line, in the
 * order of the pictures' names; or `picture<TAB>prompt` on every line · a folder with a `.txt` of the same stem per picture.
 *
 * Pictures may be named with or without folder-relative path and extension.
 *
 * @throws EvaluationError `input`, naming the line
 */
export async function readPrompts(path: string): Promise<Prompts> {
  const status = await stat(path).catch((cause: unknown) => {
    throw new EvaluationError("input", `prompts: there is no file ${path}`, { cause });
  });
  if (status.isDirectory()) return readFolder(path);
  const text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  if (text.trim() === "") throw new EvaluationError("input", `prompts: ${path} is empty`);
  const extension = extname(path).toLowerCase();
  switch (extension) {
    case ".jsonl":
    case ".ndjson":
      return byStem(path, readJsonLines(path, text));
    case ".json":
      return byStem(path, readJson(path, text));
    case ".csv":
      return byStem(path, await readTable(path, text, ","));
    case ".tsv":
      return byStem(path, await readTable(path, text, "\t"));
    case ".txt":
      return readLines(path, text);
    default:
      throw new EvaluationError("input", `prompts: expected a .jsonl, .json, .csv, .tsv or .txt file, or a folder of .txt files, got ${path}`);
  }
}

interface Entry {
  readonly picture: string;
  readonly prompt: string;
  /** For messages. */
  readonly place: string;
}

function byStem(source: string, entries: readonly Entry[]): Prompts {
  const texts = new Map<string, string>();
  for (const { picture, prompt, place } of entries) {
    const stem = stemOf(picture);
    if (prompt.trim() === "") throw new EvaluationError("input", `${place}: the prompt of "${picture}" is empty`);
    const other = texts.get(stem);
    if (other !== undefined && other !== prompt)
      throw new EvaluationError("input", `${place}: "${picture}" has a prompt already, and it is another one`);
    texts.set(stem, prompt);
  }
  if (texts.size === 0) throw new EvaluationError("input", `prompts: ${source} has no prompts`);
  return { by: "stem", texts, source };
}

/** `./a/b.png`, `a/b.png` and `a/b` are one picture. Only extensions of pictures are cut, so that `v1.5` stays whole. */
export function stemOf(picture: string): string {
  return picture
    .replaceAll("\\", "/")
    .replace(/^(\.\/)+/, "")
    .replace(/\.(png|jpe?g|webp|avif|bmp|gif|tiff?|pgm|ppm|txt)$/i, "");
}

function readJsonLines(path: string, text: string): Entry[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const place = `${path}:${index + 1}`;
    return [entryOf(parseJson(place, line), place)];
  });
}

function readJson(path: string, text: string): Entry[] {
  const value = parseJson(path, text);
  if (Array.isArray(value)) return value.map((entry: unknown, index) => entryOf(entry, `${path}, entry ${index + 1}`));
  if (typeof value !== "object" || value === null)
    throw new EvaluationError("input", `${path}: expected a list, or an object of pictures to prompts`);
  return Object.entries(value).map(([picture, prompt]) => {
    const place = `${path}, "${picture}"`;
    if (typeof prompt !== "string") throw new EvaluationError("input", `${place}: expected a text, got ${JSON.stringify(prompt)}`);
    return { picture, prompt, place };
  });
}

async function readTable(path: string, text: string, delimiter: string): Promise<Entry[]> {
  const { parse } = await import("csv-parse/sync");
  let rows: string[][];
  try {
    rows = parse(text, { delimiter, skip_empty_lines: true, relax_quotes: delimiter === "\t", quote: delimiter === "\t" ? null : '"' });
  } catch (cause) {
    throw new EvaluationError("input", `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const header = rows[0]!.map((name) => name.trim().toLowerCase());
  const place = (index: number) => `${path}, row ${index + 1}`;
  if (!pictureKeys.some((key) => header.includes(key)) || !textKeys.some((key) => header.includes(key))) {
    throw new EvaluationError(
      "input",
      `${place(0)}: expected a header with a column for the picture (${pictureKeys.join(", ")}) and one for its text (${textKeys.join(", ")}), got ${header.join(", ")}`,
    );
  }
  return rows.slice(1).map((row, index) => {
    return entryOf(Object.fromEntries(header.map((name, column) => [name, row[column]])), place(index + 1));
  });
}

function readLines(path: string, text: string): Prompts {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const tabs = lines.filter((line) => line.includes("\t")).length;
  if (tabs === lines.length) {
    return byStem(
      path,
      lines.map((line, index) => ({
        picture: line.slice(0, line.indexOf("\t")).trim(),
        prompt: line.slice(line.indexOf("\t") + 1).trim(),
        place: `${path}:${index + 1}`,
      })),
    );
  }
  if (tabs > 0) throw new EvaluationError("input", `${path}: ${tabs} of ${lines.length} lines name a picture before a tab; expected all or none`);
  const empty = lines.findIndex((line) => line.trim() === "");
  // An empty line would shift all that follow.
  if (empty >= 0) throw new EvaluationError("input", `${path}:${empty + 1}: expected a prompt, the line is empty`);
  return { by: "order", texts: lines.map((line) => line.trim()), source: path };
}

async function readFolder(path: string): Promise<Prompts> {
  const names = (await readdir(path, { recursive: true })).filter((name) => name.toLowerCase().endsWith(".txt")).sort();
  const entries = await Promise.all(
    names.map(async (name) => ({ picture: name, prompt: (await readFile(join(path, name), "utf8")).trim(), place: join(path, name) })),
  );
  if (entries.length === 0) throw new EvaluationError("input", `prompts: the folder ${path} has no .txt files`);
  return byStem(path, entries);
}

function entryOf(value: unknown, place: string): Entry {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EvaluationError("input", `${place}: expected an object with a picture and a prompt, got ${JSON.stringify(value)}`);
  const of = (keys: readonly string[], what: string) => {
    const key = keys.find((candidate) => Object.hasOwn(value, candidate));
    const found: unknown = key === undefined ? undefined : Reflect.get(value, key);
    // Numbers are names in COCO's files.
    if (typeof found === "string" || (typeof found === "number" && what === "picture")) return String(found);
    throw new EvaluationError("input", `${place}: expected ${what === "picture" ? "a picture" : "a text"} under one of ${keys.join(", ")}`);
  };
  return { picture: of(pictureKeys, "picture"), prompt: of(textKeys, "text"), place };
}

function parseJson(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EvaluationError("input", `${place}: not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}
