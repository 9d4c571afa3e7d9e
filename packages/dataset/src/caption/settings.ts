import { DatasetError } from "../error.js";
import type { CategoryWords } from "./category-words.js";
import { categoryWords, tableOneWords } from "./category-words.js";
import type { BudgetSettings } from "./chat/budget.js";
import type { RetrySettings } from "./chat/chat.js";
import { type CheckedEndpoint, checkEndpoint, type EndpointSettings } from "./chat/endpoint.js";
import { type CaptionProblemCode, captionProblemCodes } from "./check/problem.js";
import { defaultMaxPixels } from "./picture.js";
import { defaultCaptionStyle } from "./prompt.js";

/**
 * - `source` the captions that the picture came with
 * - `endpoint` a vision language model behind a chat endpoint
 * - `template` sentences from the category and what was measured
 */
export type CaptionWriter = "source" | "endpoint" | "template";

export interface CaptionSettings {
  /** Whose captions are taken, in this order, until there are enough. Default `["endpoint"]` if there are endpoints, else `["source", "template"]`. */
  readonly writers?: readonly CaptionWriter[];
  /** Captions of each ad. 1 to 16, default 4. */
  readonly count?: number;
  /** ISO 639-1. Default `en`; templates are English. */
  readonly language?: string;
  /** Default 0. */
  readonly seed?: number | string;
  readonly endpoints?: readonly EndpointSettings[];
  /** Which of several endpoints is asked. Default `in-order`: the next only while those before it are down. */
  readonly spread?: "in-order" | "least-busy";
  /** How to write; the form of the answer and the rules of safety are added. Default `defaultCaptionStyle`. */
  readonly style?: string;
  /** Whether the source's captions are shown to the model, as data. Default false. */
  readonly showSource?: boolean;
  /** 0 to 2, default 0.7. */
  readonly temperature?: number;
  /** Pixels of the picture that is sent. Default 1 003 520, 1280 squares of 28. */
  readonly maxPixels?: number;
  /** Of the JPEG that is sent, 1 to 100. Default 85. */
  readonly jpegQuality?: number;
  /** Answers that a model may give for one ad until enough captions pass the checks. Default 3. */
  readonly rounds?: number;
  readonly retry?: RetrySettings;
  readonly budget?: BudgetSettings;
  /** Ids that the text encoder reads, with start and end. Default 77. */
  readonly maxTokens?: number;
  /** Brands and names that captions may say. Default none. */
  readonly allowedNames?: readonly string[];
  /** Whether text that the model says it read counts as printed there. Default false: what invents a brand also reads it. */
  readonly trustVisibleText?: boolean;
  /** Whether every caption names the product or at least one does. Default `every`; captions of the source: `any`. */
  readonly categoryIn?: "every" | "any";
  /** Checks that are not made. Default none; captions of the source may always name brands. */
  readonly ignore?: readonly CaptionProblemCode[];
  /** Words of categories beyond Table 1's, or in place of them. */
  readonly categories?: { readonly [category: string]: CategoryWords };
}

export interface CheckedCaptionSettings extends Required<Omit<CaptionSettings, "endpoints" | "retry" | "categories">> {
  readonly endpoints: readonly CheckedEndpoint[];
  readonly retry: Required<RetrySettings>;
  readonly wordsOf: (category: string) => CategoryWords;
}

/** @throws DatasetError `invalid-config` */
export function checkCaptionSettings(settings: CaptionSettings): CheckedCaptionSettings {
  const endpoints = (settings.endpoints ?? []).map(checkEndpoint);
  const own = Object.fromEntries(Object.entries(settings.categories ?? {}).map(([name, words]) => [name.toLowerCase(), words]));
  const checked: CheckedCaptionSettings = {
    writers: settings.writers ?? (endpoints.length > 0 ? ["endpoint"] : ["source", "template"]),
    count: settings.count ?? 4,
    language: settings.language ?? "en",
    seed: settings.seed ?? 0,
    endpoints,
    spread: settings.spread ?? "in-order",
    style: settings.style ?? defaultCaptionStyle,
    showSource: settings.showSource ?? false,
    temperature: settings.temperature ?? 0.7,
    maxPixels: settings.maxPixels ?? defaultMaxPixels,
    jpegQuality: settings.jpegQuality ?? 85,
    rounds: settings.rounds ?? 3,
    retry: { attempts: settings.retry?.attempts ?? 6, firstWait: settings.retry?.firstWait ?? 0.5, longestWait: settings.retry?.longestWait ?? 60 },
    budget: settings.budget ?? {},
    maxTokens: settings.maxTokens ?? 77,
    allowedNames: settings.allowedNames ?? [],
    trustVisibleText: settings.trustVisibleText ?? false,
    categoryIn: settings.categoryIn ?? "every",
    ignore: settings.ignore ?? [],
    wordsOf: (category) => own[category.toLowerCase()] ?? categoryWords(category),
  };
  const whole = (name: "count" | "maxPixels" | "jpegQuality" | "rounds" | "maxTokens", least: number, most: number) => {
    if (!Number.isInteger(checked[name]) || checked[name] < least || checked[name] > most)
      throw invalid(`${name} from ${least} to ${most}`, checked[name]);
  };
  whole("count", 1, 16);
  whole("maxPixels", 28 * 28, 64e6);
  whole("jpegQuality", 1, 100);
  whole("rounds", 1, 20);
  whole("maxTokens", 8, 4096);
  const { writers, retry, temperature, language } = checked;
  const known: readonly string[] = ["source", "endpoint", "template"];
  if (writers.length === 0 || new Set(writers).size < writers.length || !writers.every((writer) => known.includes(writer)))
    throw invalid(`writers of ${known.join(", ")}, each once`, writers.join(", "));
  if (writers.includes("endpoint") && endpoints.length === 0) throw invalid("endpoints for the writer endpoint", "none");
  if (writers.includes("template") && !/^en\b/i.test(language)) throw invalid("the language en for the writer template", language);
  if (!/^[a-z]{2,3}(?:-[a-z\d]{2,8})*$/i.test(language)) throw invalid("a language such as en", language);
  if (!(temperature >= 0 && temperature <= 2)) throw invalid("a temperature from 0 to 2", temperature);
  if (!Number.isInteger(retry.attempts) || retry.attempts < 1) throw invalid("retry.attempts of at least 1", retry.attempts);
  if (!(retry.firstWait >= 0 && retry.longestWait >= retry.firstWait && Number.isFinite(retry.longestWait)))
    throw invalid("retry.longestWait at least retry.firstWait", retry.longestWait);
  if (!["in-order", "least-busy"].includes(checked.spread)) throw invalid("spread to be in-order or least-busy", checked.spread);
  if (!["every", "any"].includes(checked.categoryIn)) throw invalid("categoryIn to be every or any", checked.categoryIn);
  const strange = checked.ignore.find((code) => !captionProblemCodes.includes(code));
  if (strange !== undefined) throw invalid(`ignore of ${captionProblemCodes.join(", ")}`, strange);
  return checked;
}

/** Categories whose words are built in. */
export const captionCategories: readonly string[] = Object.keys(tableOneWords);

function invalid(expected: string, got: unknown): DatasetError {
  return new DatasetError("invalid-config", `captionStage: expected ${expected}, got ${String(got)}`);
}
