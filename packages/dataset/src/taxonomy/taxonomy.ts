import { readFile } from "node:fs/promises";
import { type CategoryWords, categoryWords, tableOneWords } from "../caption/category-words.js";
import { DatasetError } from "../error.js";

/** A kind of product. */
export interface Category {
  /** Lower case, words separated by spaces; unique in its taxonomy. */
  readonly name: string;
  /** Other labels that sources use for it. */
  readonly synonyms: readonly string[];
  /** What a detector is asked for; default the name. */
  readonly prompt: string;
  /** How captions speak of it. */
  readonly words: CategoryWords;
}

export interface Taxonomy {
  readonly name: string;
  readonly categories: readonly Category[];
}

/** Where the plural or the trade's word is not what a detector was trained with. */
const prompts: Readonly<Record<string, string>> = {
  "body wash": "bottle",
  bottle: "bottle",
  coffee: "coffee cup",
  eyeshadow: "eyeshadow palette",
  foundation: "cosmetic bottle",
  hats: "hat",
  snacks: "snack bag",
  shampoo: "bottle",
  clothing: "clothes",
};

/**
 * The thirty categories of the paper's Table 1 (arXiv 2508.11695). Words that captions may use for several of them ("tumbler") are no synonyms; detector
 * prompts are the singular, as the authors' bare category is (yunsoft2019/RefAdgen data_provider/build_product.py).
 */
export const defaultTaxonomy: Taxonomy = { name: "table-1", categories: tableOneCategories() };

function tableOneCategories(): Category[] {
  const uses = new Map<string, number>();
  for (const { accepted } of Object.values(tableOneWords)) for (const word of accepted) uses.set(word, (uses.get(word) ?? 0) + 1);
  return Object.entries(tableOneWords).map(([name, words]) => ({
    name,
    synonyms: words.accepted.filter((word) => word !== name && uses.get(word) === 1 && !(word in tableOneWords)),
    prompt: prompts[name] ?? words.accepted[0]!,
    words,
  }));
}

/**
 * Reads a taxonomy of one's own:
 *
 * `{ "name": "garden", "categories": [{ "name": "watering can", "synonyms": ["can"], "prompt": "watering can", "phrase": "a watering can", "words": ["watering can"], "not": ["bucket"] }] }`
 *
 * Only names are needed.
 *
 * @throws DatasetError `invalid-config`
 */
export async function readTaxonomy(path: string): Promise<Taxonomy> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new DatasetError("invalid-config", `readTaxonomy: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return parseTaxonomy(value, path);
}

/** @throws DatasetError `invalid-config` */
export function parseTaxonomy(value: unknown, where = "taxonomy"): Taxonomy {
  const fail = (message: string): never => {
    throw new DatasetError("invalid-config", `readTaxonomy: ${where}: ${message}`);
  };
  const { name, categories } = record(value, `an object with "name" and "categories"`, fail);
  if (typeof name !== "string" || name === "") return fail(`expected a name, got ${JSON.stringify(name)}`);
  if (!Array.isArray(categories) || categories.length === 0) return fail(`expected a list of categories, got ${JSON.stringify(categories)}`);
  const known: readonly string[] = ["name", "synonyms", "prompt", "phrase", "words", "not"];
  const taken = new Map<string, string>();
  const read = categories.map((entry: unknown): Category => {
    const fields = record(entry, "a category as an object", fail);
    const strange = Object.keys(fields).find((field) => !known.includes(field));
    if (strange !== undefined) fail(`expected fields of a category to be ${known.join(", ")}, got ${JSON.stringify(strange)}`);
    if (typeof fields.name !== "string" || plainLabel(fields.name) === "")
      return fail(`expected a category with a name, got ${JSON.stringify(fields.name)}`);
    const own = plainLabel(fields.name);
    const texts = (field: string): readonly string[] => {
      const list = fields[field] ?? [];
      if (!Array.isArray(list) || !list.every((text) => typeof text === "string" && text.trim() !== ""))
        return fail(`expected ${field} of ${own} to be a list of words, got ${JSON.stringify(list)}`);
      return list as readonly string[];
    };
    const text = (field: string): string | undefined => {
      const given = fields[field];
      if (given !== undefined && (typeof given !== "string" || given.trim() === ""))
        fail(`expected ${field} of ${own} to be a text, got ${JSON.stringify(given)}`);
      return given as string | undefined;
    };
    const usual = categoryWords(own);
    const [phrase, words] = [text("phrase"), texts("words")];
    return {
      name: own,
      synonyms: texts("synonyms").map(plainLabel),
      prompt: text("prompt") ?? own,
      words: {
        phrase: phrase ?? usual.phrase,
        accepted: words.length > 0 ? words : usual.accepted,
        contradicting: fields.not === undefined ? usual.contradicting : texts("not"),
      },
    };
  });
  for (const category of read) {
    for (const label of [category.name, ...category.synonyms]) {
      const other = taken.get(label);
      if (other !== undefined && other !== category.name)
        fail(`expected ${JSON.stringify(label)} to stand for one category, got ${other} and ${category.name}`);
      if (other !== undefined && label === category.name) fail(`expected each category once, got ${label} twice`);
      taken.set(label, category.name);
    }
  }
  return { name, categories: read };
}

/** The category that a label of a source stands for: its name or a synonym, in any case, singular or plural, with `_` or `-` for spaces. */
export function findCategory({ categories }: Taxonomy, label: string): Category | undefined {
  const plain = plainLabel(label);
  const matches = (wanted: string) => (category: Category) => [category.name, ...category.synonyms].some((known) => known === wanted);
  const one = (text: string) => text.replace(/s$/, "");
  return (
    categories.find(({ name }) => name === plain) ??
    categories.find(matches(plain)) ??
    categories.find(({ name, synonyms }) => [name, ...synonyms].some((known) => one(known) === one(plain)))
  );
}

function plainLabel(label: string): string {
  return label
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ");
}

function record(value: unknown, expected: string, fail: (message: string) => never): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(`expected ${expected}, got ${JSON.stringify(value)}`);
  return value as Readonly<Record<string, unknown>>;
}
