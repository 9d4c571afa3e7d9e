import type { Finding } from "./problem.js";
import { wordsOf } from "./repetition.js";

/** Writing systems of languages that are not written in Latin letters, ISO 639-1 to Unicode's names. */
const scriptsOf: Readonly<Record<string, readonly string[]>> = {
  am: ["Ethiopic"],
  ar: ["Arabic"],
  be: ["Cyrillic"],
  bg: ["Cyrillic"],
  bn: ["Bengali"],
  el: ["Greek"],
  fa: ["Arabic"],
  gu: ["Gujarati"],
  he: ["Hebrew"],
  hi: ["Devanagari"],
  hy: ["Armenian"],
  ja: ["Hiragana", "Katakana", "Han"],
  ka: ["Georgian"],
  kn: ["Kannada"],
  ko: ["Hangul", "Han"],
  lo: ["Lao"],
  ml: ["Malayalam"],
  mr: ["Devanagari"],
  or: ["Oriya"],
  pa: ["Gurmukhi"],
  ru: ["Cyrillic"],
  sr: ["Cyrillic", "Latin"],
  ta: ["Tamil"],
  te: ["Telugu"],
  th: ["Thai"],
  uk: ["Cyrillic"],
  ur: ["Arabic"],
  zh: ["Han"],
};

/** Letters of two scripts that stand in no text of the other; a small share of Latin names is common in every language. */
export function scriptFinding(caption: string, language: string): Finding | undefined {
  const scripts = scriptsOf[primary(language)] ?? ["Latin"];
  const own = new RegExp(`[\\p{Script=Common}\\p{Script=Inherited}${scripts.map((script) => `\\p{Script_Extensions=${script}}`).join("")}]`, "u");
  const letters = caption.match(/\p{L}/gu) ?? [];
  const foreign = letters.filter((letter) => !own.test(letter));
  const latin = foreign.filter((letter) => /\p{Script=Latin}/u.test(letter));
  const strange = foreign.length - latin.length;
  if (strange > 0) return { code: "script", message: `has ${strange} letters of another writing system than ${language}'s` };
  if (latin.length > letters.length / 2) return { code: "script", message: `is mostly in Latin letters, not in those of ${language}` };
  return undefined;
}

/** Below this many words a language is a guess. */
const wordsToTell = 6;
/** How much more likely another language has to be: cognates make neighbours close. */
const margin = 0.88;

/** Says which caption is in another language than it should be; short ones are judged together. */
export async function languageFindings(captions: readonly string[], language: string): Promise<readonly (Finding | undefined)[]> {
  const { eld } = await import("eld/small");
  const wanted = primary(language);
  const other = (text: string): string | undefined => {
    const detected = eld.detect(text);
    if (detected.language === "" || detected.language === wanted || !detected.isReliable()) return undefined;
    const scores = detected.getScores();
    return (scores[wanted] ?? 0) < margin * scores[detected.language]! ? detected.language : undefined;
  };
  const lengths = captions.map((caption) => wordsOf(caption).length);
  const short = captions.filter((_, index) => lengths[index]! < wordsToTell);
  const together = short.length > 0 && wordsOf(short.join(" ")).length >= wordsToTell ? other(short.join(" ")) : undefined;
  return captions.map((caption, index) => {
    const found = lengths[index]! >= wordsToTell ? other(caption) : together;
    return found === undefined ? undefined : { code: "language", message: `is not in ${language} but, it seems, in ${found}` };
  });
}

function primary(language: string): string {
  return language.toLowerCase().split("-")[0]!;
}
