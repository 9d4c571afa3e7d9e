import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { fixture } from "../recorded.test-support.js";
import { loadWordPiece, wordPiece } from "./word-piece.js";

interface Row {
  readonly text: string;
  readonly max_length: number;
  readonly ids: readonly number[];
  readonly length: number;
  readonly tokens?: readonly string[];
}

const { rows, added }: { readonly rows: readonly Row[]; readonly added: Readonly<Record<string, number>> } = JSON.parse(
  await readFile(fixture("wordpiece.json"), "utf8"),
);
const tokenizer = await loadWordPiece(fixture("wordpiece-vocab.txt"));

describe("as transformers' BertTokenizer", () => {
  test.each(rows)("$text, $max_length", ({ text, max_length: maxLength, ids, length, tokens }) => {
    expect(tokenizer.tokenize(text, { maxLength })).toEqual({ ids, length });
    if (tokens) expect(tokenizer.tokens(text)).toEqual(tokens);
  });

  test("the tokens that BLIP adds come after the last word", () => {
    for (const [token, id] of Object.entries(added)) expect(tokenizer.tokenize(token).ids[1]).toBe(id);
  });
});

test("35 tokens are the default", () => {
  expect(tokenizer.tokenize("the ".repeat(60)).ids).toHaveLength(35);
  expect(tokenizer.tokenize("the ".repeat(60)).length).toBe(35);
});

test("a list without special tokens is no vocabulary; a length for less than both ends is refused", async () => {
  expect(() => wordPiece(["the", "a"])).toThrow(/expected \[UNK\]/);
  await expect(loadWordPiece(fixture("wordpiece.json"))).rejects.toThrow(/expected BERT's vocabulary/);
  expect(() => tokenizer.tokenize("a", { maxLength: 1 })).toThrow(/maxLength of at least 2, got 1/);
});
