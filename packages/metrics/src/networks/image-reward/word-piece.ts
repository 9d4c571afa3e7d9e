import { readFile } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { MetricWeightsError } from "../../weights/error.js";

export interface WordPieceOptions {
  /** Length of the result with [CLS] and [SEP]: longer texts are cut, shorter ones padded with [PAD]. Default 35. */
  readonly maxLength?: number;
}

export interface WordPieceText {
  readonly ids: readonly number[];
  /** How many of them are not padding. */
  readonly length: number;
}

/** BERT's tokenizer, lower case. */
export interface WordPieceTokenizer {
  /** Words and parts of words, uncut, without [CLS] and [SEP]. */
  tokens(text: string): string[];
  /** What a text encoder takes. */
  tokenize(text: string, options?: WordPieceOptions): WordPieceText;
}

const special = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"] as const;
/** What BLIP adds to BERT's words, in this order. */
const added = ["[DEC]", "[ENC]"] as const;
const longestWord = 100;

/**
 * Reads BERT's list of words, one a line (`vocab.txt`).
 *
 * @throws MetricWeightsError `wrong-file` when it is not such a list
 */
export async function loadWordPiece(path: string): Promise<WordPieceTokenizer> {
  const text = new TextDecoder("utf-8", { fatal: false }).decode(await readFile(path));
  const words = text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, ""));
  const missing = special.filter((token) => !words.includes(token));
  if (missing.length > 0)
    throw new MetricWeightsError("wrong-file", `${path}: expected BERT's vocabulary with one token a line, found none of ${missing.join(", ")}`);
  return wordPiece(words);
}

/**
 * BERT's tokenizer over a list of words, whose places are their ids; [DEC] and [ENC], where they are missing, get the next two.
 *
 * Source: huggingface/transformers src/transformers/models/bert/tokenization_bert.py (BasicTokenizer, WordpieceTokenizer).
 *
 * @throws ArgumentError when [UNK], [SEP], [PAD], [CLS] or [MASK] is not among them
 */
export function wordPiece(words: readonly string[]): WordPieceTokenizer {
  // As in Python's dict the last of equal lines counts.
  const ids = new Map(words.map((word, id) => [word, id]));
  for (const token of added) if (!ids.has(token)) ids.set(token, ids.size);
  for (const token of special) if (!ids.has(token)) throw new ArgumentError(`wordPiece: expected ${token} among the words`);
  const literal = /(\[(?:UNK|SEP|PAD|CLS|MASK|DEC|ENC)\])/;
  const [unknown, end, padding, start] = special.map((token) => ids.get(token)!) as [number, number, number, number];

  const pieces = (word: string): string[] => {
    const letters = [...word];
    if (letters.length > longestWord) return ["[UNK]"];
    const found: string[] = [];
    for (let from = 0; from < letters.length; ) {
      let to = letters.length;
      const piece = () => (from > 0 ? "##" : "") + letters.slice(from, to).join("");
      while (to > from && !ids.has(piece())) to--;
      if (to === from) return ["[UNK]"];
      found.push(piece());
      from = to;
    }
    return found;
  };
  const tokens = (text: string): string[] => {
    if (typeof text !== "string") throw new ArgumentError(`tokens: expected a string, got ${typeof text}`);
    // Odd places hold what the pattern found.
    return text.split(literal).flatMap((part, place) => (place % 2 === 1 ? [part] : basicWords(part).flatMap(pieces)));
  };
  return {
    tokens,
    tokenize(text, { maxLength = 35 } = {}) {
      if (!Number.isInteger(maxLength) || maxLength < 2) throw new ArgumentError(`tokenize: expected maxLength of at least 2, got ${maxLength}`);
      const inner = tokens(text)
        .slice(0, maxLength - 2)
        .map((token) => ids.get(token) ?? unknown);
      const whole = [start, ...inner, end];
      return { ids: [...whole, ...Array<number>(maxLength - whole.length).fill(padding)], length: whole.length };
    },
  };
}

const ideographs =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
/** All of categories C but tab and line ends, the replacement character, and NUL. */
const controls = /[^\P{C}\t\n\r]|\uFFFD/gu;
const spaces = /[\p{Z}\t\n\r]+/u;
/** All signs of ASCII that are neither letters nor digits, besides what Unicode calls punctuation. */
const punctuation = /([!-/:-@[-`{-~]|\p{P})/u;

/** Words as BERT sees them: lower case, without accents; signs and ideographs stand alone. */
function basicWords(text: string): string[] {
  // transformers makes letters small one by one at first, so that a sigma at the end of a word is as any other.
  const small = Array.from(text, (letter) => letter.toLowerCase()).join("");
  return small
    .replace(controls, "")
    .replace(ideographs, " $& ")
    .normalize("NFC")
    .split(spaces)
    .flatMap((word) => withoutAccents(word).split(punctuation))
    .filter((part) => part !== "");
}

function withoutAccents(word: string): string {
  return word.normalize("NFD").replace(/\p{Mn}/gu, "");
}
