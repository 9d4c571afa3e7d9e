import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClipTokenizer, loadClipTokenizer } from "@refadgen/clip";
import type { CaseResult, Part } from "../case.js";

type Row = Readonly<Record<string, unknown>>;

/** Columns that are information about other tokenizers, and what identifies a row. */
const notCompared = new Set(["text", "prompt", "slow+ftfy", "fast", "openai"]);

/**
 * CLIP's tokenizer: every `.json` file of the folder that holds a list of rows with `text` or `prompt`, compared column by column.
 * The vocabulary is the folder's own `clip-tokenizer/`; without one, that of the micro checkpoint beside the folder or in this repository.
 */
export const text: Part = async function* (folder) {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile() && entry.name.endsWith(".json"));
  let tokenizer: ClipTokenizer | undefined;
  let problem = "";
  try {
    tokenizer = await loadClipTokenizer(await vocabularyFolder(folder));
  } catch (error) {
    problem = messageOf(error);
  }
  for (const { name } of files.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const stem = name.replace(/\.json$/, "");
    let rows: unknown;
    try {
      rows = JSON.parse(await readFile(join(folder, name), "utf8"));
    } catch (error) {
      yield failed(stem, messageOf(error));
      continue;
    }
    if (!Array.isArray(rows) || rows.length === 0) {
      yield failed(stem, "expected a list of rows");
      continue;
    }
    for (const [index, row] of rows.entries()) {
      yield tokenizer ? compareRow(`${stem}/${index}`, tokenizer, row) : failed(`${stem}/${index}`, `no vocabulary: ${problem}`);
    }
  }
};

/** What our tokenizer answers for each column a row may have; the meaning of `ids` depends on the kind of row. */
function answers(tokenizer: ClipTokenizer, row: Row): Readonly<Record<string, unknown>> | undefined {
  if (typeof row.text === "string") {
    const decoded = tokenizer.decode(tokenizer.tokenize(row.text).ids, { skipSpecialTokens: true });
    return { ids: tokenizer.encode(row.text), decoded };
  }
  if (typeof row.prompt === "string") {
    const { ids, length, removed } = tokenizer.tokenize(row.prompt);
    return { ids, longest: length, removed };
  }
  return undefined;
}

function compareRow(name: string, tokenizer: ClipTokenizer, row: unknown): CaseResult {
  if (typeof row !== "object" || row === null) return failed(name, "expected a row with text or prompt");
  let ours: Readonly<Record<string, unknown>> | undefined;
  try {
    ours = answers(tokenizer, row as Row);
  } catch (error) {
    return failed(name, messageOf(error));
  }
  if (!ours) return failed(name, "expected a row with text or prompt");
  const columns = Object.entries(row).filter(([column]) => !notCompared.has(column));
  if (columns.length === 0) return failed(name, "the row records nothing");
  for (const [column, expected] of columns) {
    if (!Object.hasOwn(ours, column)) return failed(name, `cannot answer the column "${column}"`);
    const [theirs, answer] = [JSON.stringify(expected), JSON.stringify(ours[column])];
    if (theirs !== answer) return failed(name, `${column}: expected ${theirs}, got ${answer}`);
  }
  return { name, error: 0, detail: `${columns.map(([column]) => column).join(", ")} exact`, passed: true };
}

/** Hidden folders come without the vocabulary, which is the same everywhere. */
async function vocabularyFolder(folder: string): Promise<string> {
  const candidates = [
    join(folder, "clip-tokenizer"),
    join(dirname(folder), "micro", "checkpoint", "base", "tokenizer"),
    fileURLToPath(new URL("../../../assets/micro/base/tokenizer", import.meta.url)),
  ];
  for (const candidate of candidates) {
    if (await stat(join(candidate, "vocab.json")).catch(() => undefined)) return candidate;
  }
  throw new Error(`expected vocab.json in ${candidates.join(" or ")}`);
}

function failed(name: string, detail: string): CaseResult {
  return { name, error: Number.POSITIVE_INFINITY, detail, passed: false };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
