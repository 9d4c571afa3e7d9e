import { ArgumentError } from "@refadgen/errors";
import { TokenizerError } from "../error.js";
import { bytesToSymbols, symbolsToText } from "./byte-symbols.js";
import { cleanText } from "./clean-text.js";
import { mergePairs } from "./merge-pairs.js";
import { type ClipVocabulary, readClipVocabulary } from "./vocabulary.js";

export interface TokenizeOptions {
  /** Length of the result with both special tokens; default: the tokenizer's own, 77. */
  readonly maxLength?: number;
  /** What fills it up; default: the tokenizer's own: 49407 for SD-1.x, 0 for SD-2.x and OpenAI's CLIP. */
  readonly padId?: number;
}

export interface TokenizedText {
  /** `[maxLength]`: start, the text, end, padding. */
  readonly ids: readonly number[];
  /** How many ids the whole text has, with start and end; more than `maxLength` when it was cut. */
  readonly length: number;
  /** The end of the text that was cut off, as tokens read; empty when nothing was. */
  readonly removed: string;
}

export interface ClipTokenizerOptions {
  /** What is done to a text before it is split into words; default: what transformers does without ftfy. */
  readonly clean?: (text: string) => string;
}

export interface DecodeOptions {
  /** Leaves out start, end and padding; default false. */
  readonly skipSpecialTokens?: boolean;
}

/** Text to ids and back, as transformers' CLIPTokenizer without ftfy. */
export interface ClipTokenizer {
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** 77 for every CLIP. */
  readonly maxLength: number;
  /** One more than the largest id. */
  readonly size: number;
  /** The ids of the text alone: no special tokens, not cut. A literal `<|endoftext|>` in the text becomes that token. */
  encode(text: string): number[];
  /** What a text encoder takes. Throws an `ArgumentError` when `maxLength` is below 2 or `padId` is not in the vocabulary. */
  tokenize(text: string, options?: TokenizeOptions): TokenizedText;
  /** The text of ids. Throws an `ArgumentError` for an id that is not in the vocabulary. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
}

/** Reads a tokenizer from a folder or a `tokenizer.json`; see `readClipVocabulary` for files and errors. */
export async function loadClipTokenizer(folderOrFile: string): Promise<ClipTokenizer> {
  return clipTokenizer(await readClipVocabulary(folderOrFile));
}

/**
 * The words of a cleaned text. Digits stand alone. Long s counts as s, as it does in Python's pattern, which ignores case.
 *
 * Source: openai/CLIP clip/simple_tokenizer.py.
 */
const words = /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;

/**
 * A tokenizer from its vocabulary.
 *
 * @throws TokenizerError `malformed` when a special token is not in the vocabulary.
 */
export function clipTokenizer(
  { tokens, merges, added, special, maxLength, cleansSpaces }: ClipVocabulary,
  { clean = cleanText }: ClipTokenizerOptions = {},
): ClipTokenizer {
  const idOfSpecial = (token: string): number => {
    const id = added.get(token) ?? tokens.get(token);
    if (id === undefined) throw new TokenizerError("malformed", `clipTokenizer: the special token "${token}" is not in the vocabulary`);
    return id;
  };
  const specials = new Map(
    [special.bos, special.eos, special.unknown, special.pad, ...special.additional].map((token) => [token, idOfSpecial(token)]),
  );
  const literals = new Map([...added, ...specials]);
  const literal = new RegExp(
    `(${[...literals.keys()]
      .sort((a, b) => b.length - a.length)
      .map(escaped)
      .join("|")})`,
    "u",
  );
  const ranks = new Map(merges.map((pair, rank) => [pair, rank]));
  const tokenOfId = new Map([...tokens, ...literals].map(([token, id]) => [id, token]));
  const specialIds = new Set(specials.values());
  const [bosId, eosId, unknownId, padId] = [special.bos, special.eos, special.unknown, special.pad].map(idOfSpecial) as [
    number,
    number,
    number,
    number,
  ];

  const encodeWord = (word: string): number[] => {
    // Spelt in capitals, or with controls between, a literal is found only now.
    if (word === "<|startoftext|>" || word === "<|endoftext|>") return [tokens.get(word) ?? unknownId];
    const symbols = bytesToSymbols(word);
    symbols.push(`${symbols.pop()}</w>`);
    return mergePairs(symbols, ranks).map((token) => tokens.get(token) ?? unknownId);
  };
  const encode = (text: string): number[] => {
    if (typeof text !== "string") throw new ArgumentError(`encode: expected a string, got ${typeof text}`);
    return text.split(literal).flatMap((piece) => {
      const id = literals.get(piece);
      return id === undefined ? Array.from(clean(piece).matchAll(words), ([word]) => encodeWord(word)).flat() : [id];
    });
  };
  const decode = (ids: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string => {
    const texts: string[] = [];
    let run = "";
    const endRun = () => {
      const text = trimmed(symbolsToText(run).replaceAll("</w>", " "));
      if (run !== "") texts.push(text);
      run = "";
    };
    for (const id of ids) {
      const token = tokenOfId.get(id);
      if (token === undefined) throw new ArgumentError(`decode: expected ids of the vocabulary, got ${id}`);
      if (skipSpecialTokens && specialIds.has(id)) continue;
      if (added.has(token) && !specials.has(token)) {
        endRun();
        texts.push(token);
      } else run += token;
    }
    endRun();
    const text = texts.join(" ");
    return cleansSpaces ? withoutSpacesBeforePunctuation(text) : text;
  };
  return {
    bosId,
    eosId,
    padId,
    maxLength,
    size: [...tokenOfId.keys()].reduce((a, b) => Math.max(a, b)) + 1,
    encode,
    decode,
    tokenize(text, { maxLength: limit = maxLength, padId: pad = padId } = {}) {
      if (!Number.isInteger(limit) || limit < 2) throw new ArgumentError(`tokenize: expected maxLength of at least 2, got ${limit}`);
      if (!tokenOfId.has(pad)) throw new ArgumentError(`tokenize: expected padId of the vocabulary, got ${pad}`);
      const whole = [bosId, ...encode(text), eosId];
      const cut = whole.length > limit ? [...whole.slice(0, limit - 1), eosId] : whole;
      const padding = Array<number>(limit - cut.length).fill(pad);
      return { ids: [...cut, ...padding], length: whole.length, removed: decode(whole.slice(limit - 1, -1)) };
    },
  };
}

function escaped(token: string): string {
  return token.replace(/[$()*+.?[\\\]^{|}/]/g, "\\$&");
}

const spaces =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

/** Python's `str.strip`, which takes other characters for spaces than `trim` does. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && spaces.includes(text[from]!)) from++;
  while (from < to && spaces.includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}

/** As transformers' `clean_up_tokenization`, which files may ask for. */
function withoutSpacesBeforePunctuation(text: string): string {
  const replacements = [
    [" .", "."],
    [" ?", "?"],
    [" !", "!"],
    [" ,", ","],
    [" ' ", "'"],
    [" n't", "n't"],
    [" 'm", "'m"],
    [" 's", "'s"],
    [" 've", "'ve"],
    [" 're", "'re"],
  ] as const;
  return replacements.reduce((result, [from, to]) => result.replaceAll(from, to), text);
}
