import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadWordPiece } from "@refadgen/metrics";
import type { Comparison } from "../../compare.js";

interface WordPieceCases {
  /** File beside this one. */
  readonly vocab: string;
  readonly added: Readonly<Record<string, number>>;
  readonly rows: readonly {
    readonly text: string;
    readonly max_length: number;
    readonly ids: readonly number[];
    readonly length: number;
    readonly tokens?: readonly string[];
  }[];
}

/** BERT's tokenizer: everything is exact. */
export async function wordPieceTexts({ vocab, added, rows }: WordPieceCases, folder: string): Promise<Comparison[]> {
  const tokenizer = await loadWordPiece(join(folder, vocab));
  const words = (await readFile(join(folder, vocab), "utf8")).trimEnd().split("\n");
  const comparisons = Object.entries(added).map(([token, id]) =>
    exact(`added ${token}`, tokenizer.tokenize(token, { maxLength: 3 }).ids, [words.indexOf("[CLS]"), id, words.indexOf("[SEP]")]),
  );
  for (const [index, { text, max_length: maxLength, ids, length, tokens }] of rows.entries()) {
    const found = tokenizer.tokenize(text, { maxLength });
    const name = `row ${index} ${JSON.stringify(text.slice(0, 40))}`;
    comparisons.push(exact(`${name} ids`, found.ids, ids), exact(`${name} length`, [found.length], [length]));
    if (tokens) comparisons.push(exact(`${name} tokens`, tokenizer.tokens(text), tokens));
  }
  return comparisons;
}

function exact(name: string, found: readonly unknown[], expected: readonly unknown[]): Comparison {
  const equal = JSON.stringify(found) === JSON.stringify(expected);
  const detail = equal ? `${name} exact` : `${name}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}`;
  return { name, error: equal ? 0 : Number.POSITIVE_INFINITY, detail };
}
