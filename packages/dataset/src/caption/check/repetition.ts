import type { Finding } from "./problem.js";

/** Words that say nothing about which picture it is. */
const fillers = new Set(
  "a an and the of in on at to with for from by into onto over under near next beside is are was be it its this that as while which has have having there here".split(
    " ",
  ),
);
/** Of the words of two captions that carry meaning, how many may be the same before one says what the other said. */
const nearlySame = 0.85;

/** Writing without spaces between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const segmenter = new Intl.Segmenter("und", { granularity: "word" });

/** Lower-case words. */
export function wordsOf(text: string): string[] {
  if (unspaced.test(text)) return [...segmenter.segment(text.toLowerCase())].flatMap(({ segment, isWordLike }) => (isWordLike ? [segment] : []));
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

/** The same word three times on end, three words in a row said three times or five said twice, or mostly the same few words. */
export function repetitionFinding(caption: string): Finding | undefined {
  const words = wordsOf(caption);
  const found =
    words.some((word, index) => word === words[index + 1] && word === words[index + 2]) || saidOften(words, 3, 3) || saidOften(words, 5, 2);
  const few = words.length >= 14 && new Set(words).size / words.length < 0.5;
  return found || few ? { code: "repetition", message: "repeats itself" } : undefined;
}

function saidOften(words: readonly string[], length: number, times: number): boolean {
  const seen = new Map<string, number>();
  for (let start = 0; start + length <= words.length; start++) {
    const phrase = words.slice(start, start + length).join(" ");
    const count = (seen.get(phrase) ?? 0) + 1;
    if (count >= times) return true;
    seen.set(phrase, count);
  }
  return false;
}

/** For each caption, whether an earlier one says the same in nearly the same words. */
export function duplicateFindings(captions: readonly string[]): readonly (Finding | undefined)[] {
  const said = captions.map((caption) => new Set(wordsOf(caption).filter((word) => !fillers.has(word))));
  return said.map((words, index) => {
    const like = said.slice(0, index).findIndex((earlier) => jaccard(words, earlier) >= nearlySame);
    return like < 0 ? undefined : { code: "duplicate", message: `says nearly the same as caption ${like + 1}` };
  });
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const word of a) if (b.has(word)) common++;
  const all = a.size + b.size - common;
  return all === 0 ? 1 : common / all;
}
