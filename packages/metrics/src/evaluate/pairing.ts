import { stat } from "node:fs/promises";
import { join } from "node:path";
import { EvaluationError } from "./error.js";
import type { EvaluatedItem, FileRole, UnmatchedFile } from "./evaluation.js";
import { type ListedFile, type Listing, listImages } from "./list-images.js";
import { type Prompts, readPrompts, stemOf } from "./prompts.js";

/** Folders whose files belong together by their stems: `ads/a/1.png`, `products/a/1.jpg`, `masks/a/1.png`. */
export interface FolderInput {
  /** Folder of generated pictures. */
  readonly generated: string;
  /** Folder of what they are compared with, picture by picture. */
  readonly reference?: string;
  /** The real pictures of FID, KID and precision/recall: a folder, or `.npz` statistics for FID. Default: the reference. */
  readonly real?: string;
  /** File or folder; see `readPrompts`. Or the texts, by stem. */
  readonly prompts?: string | Readonly<Record<string, string>>;
  /** Folder of masks, light where the product is in the generated picture. With subfolders `generated` and `product` it gives both kinds. */
  readonly masks?: string;
  /** Folder of masks, light where the product is in the reference. */
  readonly productMasks?: string;
  /**
   * `exact` (default): `shoe.png` belongs to `shoe.jpg`. `variants`: where there is no reference of exactly that stem, generated `shoe-1.png` and
   * `shoe_02.png` belong to `shoe.jpg`, and references `shoe_00.png`, `shoe_01.png` to a generated `shoe.png`; the same for prompts and masks.
   */
  readonly pairing?: "exact" | "variants";
}

/** What is to be judged, with everything that was found and does not fit. */
export interface MatchedInput {
  readonly items: readonly EvaluatedItem[];
  /** Real pictures for metrics of whole sets. */
  readonly real: { readonly files: readonly { readonly name: string; readonly path: string }[] } | { readonly statistics: string } | undefined;
  readonly unmatched: readonly UnmatchedFile[];
  readonly counts: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Finds what belongs together. Every file without a partner is in `unmatched`.
 *
 * @throws EvaluationError `input` when a folder or file cannot be read, or nothing at all fits together
 */
export async function matchFolders(input: FolderInput): Promise<MatchedInput> {
  const folders = await maskFolders(input);
  const [generated, reference, masks, productMasks] = await Promise.all([
    listImages(input.generated, "generated"),
    input.reference === undefined ? undefined : listImages(input.reference, "reference"),
    folders.masks === undefined ? undefined : listImages(folders.masks, "masks"),
    folders.productMasks === undefined ? undefined : listImages(folders.productMasks, "product masks"),
  ]);
  const prompts = await promptsOf(input.prompts);
  const unmatched: UnmatchedFile[] = [];
  const others: readonly (readonly [FileRole, Listing | undefined])[] = [
    ["generated", generated],
    ["reference", reference],
    ["mask", masks],
    ["product-mask", productMasks],
  ];
  for (const [role, listing] of others) {
    for (const name of listing?.others ?? []) unmatched.push({ role, name, reason: "not a picture by its extension" });
  }

  const variants = input.pairing === "variants";
  const texts = promptLookup(prompts, generated.files);
  const byRole = {
    reference: lookup(reference, variants),
    prompt: texts && textLookup(texts, variants),
    mask: lookup(masks, variants),
    productMask: lookup(productMasks, variants),
  };
  const items = generated.files.map(({ name, path, stem }): EvaluatedItem => {
    const references = byRole.reference?.find(stem) ?? [];
    if (byRole.reference && references.length === 0) unmatched.push({ role: "generated", name, reason: `no reference with the stem ${stem}` });
    const [prompt] = byRole.prompt?.find(stem) ?? [];
    if (byRole.prompt && prompt === undefined) unmatched.push({ role: "generated", name, reason: "no prompt" });
    const [mask] = byRole.mask?.find(stem) ?? [];
    if (byRole.mask && !mask) unmatched.push({ role: "generated", name, reason: "no mask" });
    // A product's mask belongs to the product's picture, which has variants.
    const productMasks = references.flatMap((reference) => {
      const [found] = byRole.productMask?.find(reference.stem) ?? [];
      if (byRole.productMask && !found) unmatched.push({ role: "reference", name: reference.name, reason: "no product mask" });
      return found ? [found.path] : [];
    });
    return {
      name,
      generated: path,
      references: references.map((reference) => reference.path),
      ...(prompt !== undefined && { prompt }),
      ...(mask && { mask: mask.path }),
      ...(productMasks.length > 0 && productMasks.length === references.length && { productMasks }),
    };
  });
  for (const [role, found] of Object.entries(byRole)) {
    for (const name of found?.unused() ?? []) {
      unmatched.push({ role: role === "productMask" ? "product-mask" : (role as FileRole), name, reason: "no generated picture with that stem" });
    }
  }
  expectSomething(items, reference, input);

  const real = await realFiles(input, reference);
  return {
    items,
    real,
    unmatched: unique(unmatched),
    counts: {
      generated: generated.files.length,
      ...(reference && { reference: reference.files.length, pairs: items.reduce((sum, { references }) => sum + references.length, 0) }),
      ...(prompts && { prompts: texts!.size }),
      ...(masks && { masks: masks.files.length }),
      ...(productMasks && { productMasks: productMasks.files.length }),
      ...(input.real !== undefined && real && "files" in real && { real: real.files.length }),
    },
    inputs: inputsOf(input, folders),
  };
}

/** The real pictures of metrics of whole sets. */
export async function realFiles(input: Pick<FolderInput, "real">, reference: Listing | undefined): Promise<MatchedInput["real"]> {
  if (input.real === undefined) return reference && { files: reference.files };
  if (/\.npz$/i.test(input.real)) {
    const status = await stat(input.real).catch(() => undefined);
    if (!status?.isFile()) throw new EvaluationError("input", `real: there is no file ${input.real}`);
    return { statistics: input.real };
  }
  return { files: (await listImages(input.real, "real")).files };
}

function expectSomething(items: readonly EvaluatedItem[], reference: Listing | undefined, { generated, reference: folder }: FolderInput): void {
  if (!reference || items.some(({ references }) => references.length > 0)) return;
  throw new EvaluationError(
    "input",
    `no file of ${generated} has the stem of a file of ${folder}: the first ones are ${items[0]!.name} and ${reference.files[0]!.name}. ` +
      "Rename them, allow numbered variants (--pairing variants), or say in a manifest what belongs together",
  );
}

async function maskFolders({ masks, productMasks }: FolderInput): Promise<{ readonly masks?: string; readonly productMasks?: string }> {
  if (masks === undefined) return productMasks === undefined ? {} : { productMasks };
  const within = await Promise.all(
    ["generated", "product"].map(async (name) => (await stat(join(masks, name)).catch(() => undefined))?.isDirectory()),
  );
  if (!within[0] || !within[1]) return { masks, ...(productMasks !== undefined && { productMasks }) };
  return { masks: join(masks, "generated"), productMasks: productMasks ?? join(masks, "product") };
}

async function promptsOf(prompts: FolderInput["prompts"]): Promise<Prompts | undefined> {
  if (prompts === undefined) return undefined;
  if (typeof prompts === "string") return readPrompts(prompts);
  return { by: "stem", texts: new Map(Object.entries(prompts).map(([picture, text]) => [stemOf(picture), text])), source: "prompts" };
}

function promptLookup(prompts: Prompts | undefined, files: readonly ListedFile[]): ReadonlyMap<string, string> | undefined {
  if (!prompts || prompts.by === "stem") return prompts?.texts;
  if (prompts.texts.length !== files.length) {
    throw new EvaluationError(
      "input",
      `prompts: expected one line per generated picture, got ${prompts.texts.length} lines in ${prompts.source} and ${files.length} pictures. ` +
        "Put the picture's name and a tab before each prompt, or use .jsonl",
    );
  }
  return new Map(files.map(({ stem }, index) => [stem, prompts.texts[index]!]));
}

interface Lookup<T> {
  /** What belongs to a generated picture; several only for numbered references. */
  find(stem: string): readonly T[];
  unused(): readonly string[];
}

function lookup(listing: Listing | undefined, variants: boolean): Lookup<ListedFile> | undefined {
  if (!listing) return undefined;
  const files = new Map(listing.files.map((file) => [file.stem, file]));
  return tracked(files, variants, ({ name }) => name);
}

function textLookup(texts: ReadonlyMap<string, string>, variants: boolean): Lookup<string> {
  return tracked(texts, variants, (_, stem) => stem);
}

function tracked<T>(values: ReadonlyMap<string, T>, variants: boolean, nameOf: (value: T, stem: string) => string): Lookup<T> {
  const used = new Set<string>();
  const numbered = new Map<string, string[]>();
  for (const stem of variants ? values.keys() : []) {
    const base = withoutNumber(stem);
    if (base !== stem) numbered.set(base, [...(numbered.get(base) ?? []), stem]);
  }
  return {
    find: (stem) => {
      const base = variants ? withoutNumber(stem) : stem;
      const found = values.has(stem) ? [stem] : values.has(base) ? [base] : (numbered.get(stem) ?? []);
      for (const each of found) used.add(each);
      return found.map((each) => values.get(each)!);
    },
    unused: () => [...values].filter(([stem]) => !used.has(stem)).map(([stem, value]) => nameOf(value, stem)),
  };
}

/** `shoe-1`, `shoe_02` → `shoe`. */
function withoutNumber(stem: string): string {
  return stem.replace(/[-_ ]\d+$/, "");
}

function inputsOf(input: FolderInput, folders: { readonly masks?: string; readonly productMasks?: string }): Record<string, string> {
  const { generated, reference, real, prompts } = input;
  const given = { generated, reference, real, prompts: typeof prompts === "object" ? "given" : prompts, ...folders };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function unique(files: readonly UnmatchedFile[]): UnmatchedFile[] {
  return [...new Map(files.map((file) => [JSON.stringify([file.role, file.name, file.reason]), file])).values()];
}
