import { type CategoryWords, categoryWords, saysWord } from "../category-words.js";
import { type Finding, plainWords } from "./problem.js";

/**
 * Captions that call the product something else, and captions that do not name it.
 *
 * @param where whether every caption must name the product or one of them
 */
export function categoryFindings(
  captions: readonly string[],
  category: string | CategoryWords,
  where: "every" | "any",
): readonly (Finding | undefined)[] {
  const { accepted, contradicting } = typeof category === "string" ? categoryWords(category) : category;
  const named = captions.map((caption) => accepted.some((word) => saysWord(caption, word)));
  const enough = where === "any" && named.includes(true);
  return captions.map((caption, index): Finding | undefined => {
    if (named[index]) return undefined;
    const others = contradicting.filter((word) => saysWord(caption, word));
    if (others.length > 0)
      return { code: "category-contradicted", message: `calls the product ${plainWords(others)}; it is ${plainWords(accepted.slice(0, 1))}` };
    return enough ? undefined : { code: "category-missing", message: `does not name the product; say ${plainWords(accepted.slice(0, 3))}` };
  });
}
