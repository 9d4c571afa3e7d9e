import { ArgumentError } from "@refadgen/errors";
import type { CategoryWords } from "../category-words.js";
import { categoryFindings } from "./category.js";
import { languageFindings, scriptFinding } from "./language.js";
import { nameFindings } from "./names.js";
import { type CaptionProblem, type CaptionProblemCode, captionProblemCodes, type Finding } from "./problem.js";
import { duplicateFindings, repetitionFinding, wordsOf } from "./repetition.js";
import { safetyFindings } from "./safety.js";
import { estimateClipTokens } from "./tokens.js";

export interface CaptionContext {
  /** How many captions there should be. Default 4. */
  readonly count?: number;
  /** ISO 639-1, as `en` or `en-GB`. Default `en`. */
  readonly language?: string;
  /** Ids that the text encoder reads, start and end included. Default 77, CLIP's. */
  readonly maxTokens?: number;
  /** How many ids a caption has, start and end included. Default `estimateClipTokens`, which rather says too many. */
  readonly countTokens?: (caption: string) => number;
  /** A category of Table 1, another name, or the words themselves; without it no caption has to name a product. */
  readonly category?: string | CategoryWords;
  /** Which captions must name the product. Default `every`. */
  readonly categoryIn?: "every" | "any";
  /** Brands and names that may be said. Default none. */
  readonly allowedNames?: readonly string[];
  /** Text that is known to be printed in the picture, as an OCR found it. Default none. */
  readonly visibleText?: readonly string[];
  /** Problems that do not matter. Default none. */
  readonly ignore?: readonly CaptionProblemCode[];
}

export interface CheckedCaption {
  readonly text: string;
  readonly tokens: number;
  readonly problems: readonly CaptionProblem[];
}

export interface CaptionCheck {
  readonly passed: boolean;
  readonly captions: readonly CheckedCaption[];
  /** Of all captions, and of the set as a whole. */
  readonly problems: readonly CaptionProblem[];
}

/** What is beyond this is not looked at: a check must not take long, whatever an endpoint answers. */
const mostCharacters = 2000;

/**
 * Whether captions are fit for training: how many, how long, in which language, about the right product, without invented brands, repetition, markup,
 * addresses, instructions or refusals.
 *
 * @throws ArgumentError for a context out of range
 */
export async function checkCaptions(captions: readonly string[], context: CaptionContext = {}): Promise<CaptionCheck> {
  const { count = 4, language = "en", maxTokens = 77, countTokens = estimateClipTokens, category, categoryIn = "every", ignore = [] } = context;
  if (!Number.isInteger(count) || count < 1) throw new ArgumentError(`checkCaptions: expected a count of at least 1, got ${count}`);
  if (!Number.isInteger(maxTokens) || maxTokens < 3) throw new ArgumentError(`checkCaptions: expected maxTokens of at least 3, got ${maxTokens}`);
  if (!/^[a-z]{2,3}(?:-[a-z\d]{2,8})*$/i.test(language)) throw new ArgumentError(`checkCaptions: expected a language such as en, got ${language}`);
  const strange = ignore.find((code) => !captionProblemCodes.includes(code));
  if (strange !== undefined) throw new ArgumentError(`checkCaptions: expected ignore to name ${captionProblemCodes.join(", ")}, got ${strange}`);

  const texts = captions.map((caption) => caption.slice(0, mostCharacters));
  const names = nameFindings(texts, { allowed: context.allowedNames ?? [], visible: context.visibleText ?? [] });
  const categories = category === undefined ? [] : categoryFindings(texts, category, categoryIn);
  const duplicates = duplicateFindings(texts);
  const languages = await languageFindings(texts, language);
  const heeded = (finding: Finding | undefined): finding is Finding => finding !== undefined && !ignore.includes(finding.code);
  const checked = texts.map((text, index): CheckedCaption => {
    const tokens = countTokens(captions[index]!);
    const script = scriptFinding(text, language);
    const findings = [
      wordsOf(text).length < 3 ? ({ code: "too-short", message: "has fewer than three words" } as const) : undefined,
      tokens > maxTokens ? ({ code: "too-many-tokens", message: `has ${tokens} tokens; ${maxTokens} are read` } as const) : undefined,
      ...safetyFindings(text),
      // Letters of another script say it better than a guess at the language.
      script ?? languages[index],
      ...names[index]!,
      repetitionFinding(text),
      duplicates[index],
      categories[index],
    ];
    return { text: captions[index]!, tokens, problems: findings.filter(heeded).map((finding) => ({ ...finding, caption: index })) };
  });
  const wrongCount: Finding | undefined =
    captions.length === count ? undefined : { code: "count", message: `expected ${count} captions, got ${captions.length}` };
  const problems = [...(heeded(wrongCount) ? [wrongCount] : []), ...checked.flatMap((caption) => caption.problems)];
  return { passed: problems.length === 0, captions: checked, problems };
}
