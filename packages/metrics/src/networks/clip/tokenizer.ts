import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { type ClipTokenizer, type ClipVocabulary, clipTokenizer } from "@refadgen/clip";
import type { ClipTruncation } from "../contract.js";
import { cleanOpenaiText } from "./openai-text.js";

const length = 77;
const mergeCount = 49152 - 256 - 2;
const [start, end] = ["<|startoftext|>", "<|endoftext|>"];

/** Rows of 77 ids, whichever code is followed. */
export type ClipTokenize = (texts: readonly string[], truncation: ClipTruncation) => number[][];

let shared: Promise<ClipTokenize> | undefined;

/** The tokenizer of every CLIP by OpenAI, from the merges that ship with this package. */
export function loadTokenize(): Promise<ClipTokenize> {
  shared ??= readVocabulary().then(tokenizers);
  return shared;
}

function tokenizers(vocabulary: ClipVocabulary): ClipTokenize {
  const openai = clipTokenizer(vocabulary, { clean: cleanOpenaiText });
  const transformers = clipTokenizer(vocabulary);
  return (texts, truncation) => texts.map((text) => row(truncation === "openai" ? openai : transformers, text, truncation));
}

function row({ encode, bosId, eosId }: ClipTokenizer, text: string, truncation: ClipTruncation): number[] {
  const whole = [bosId, ...encode(text), eosId];
  const ids = whole.slice(0, length);
  if (truncation === "openai" && whole.length > length) ids[length - 1] = eosId;
  return [...ids, ...Array<number>(length - ids.length).fill(truncation === "openai" ? 0 : eosId)];
}

/**
 * Ids follow from the list of merges alone: first the 256 bytes, again as ends of words, then what the merges make, then start and end.
 *
 * Source: openai/CLIP clip/simple_tokenizer.py, clip/bpe_simple_vocab_16e6.txt.gz (of which the lines that are read ship here).
 */
async function readVocabulary(): Promise<ClipVocabulary> {
  const file = await readFile(new URL("../../../assets/clip/bpe_simple_vocab_16e6.txt.gz", import.meta.url));
  const merges = gunzipSync(file)
    .toString("utf8")
    .split("\n")
    .slice(1, mergeCount + 1);
  const bytes = byteSymbols();
  const tokens = [...bytes, ...bytes.map((symbol) => `${symbol}</w>`), ...merges.map((pair) => pair.replace(" ", "")), start, end];
  return {
    tokens: new Map(tokens.map((token, id) => [token, id])),
    merges,
    added: new Map(),
    special: { bos: start, eos: end, unknown: end, pad: end, additional: [] },
    maxLength: length,
    cleansSpaces: false,
  };
}

/** First the bytes that are visible in Latin-1, as themselves; then the others, from U+0100 on. */
function byteSymbols(): string[] {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const visible = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  const others = 256 - visible.length;
  return [...visible, ...range(256, 255 + others)].map((code) => String.fromCodePoint(code));
}
