import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, posix, resolve } from "node:path";
import { EvaluationError } from "./error.js";
import type { EvaluatedItem, UnmatchedFile } from "./evaluation.js";
import { type MatchedInput, realFiles } from "./pairing.js";

/** A line of a manifest. Paths are relative to the manifest's folder. */
export interface ManifestEntry {
  /** The generated picture, or several variants of it. */
  readonly generated: string | readonly string[];
  /** What it is compared with; with several, every pair counts. */
  readonly reference?: string | readonly string[];
  readonly prompt?: string;
  /** Light where the product is in the generated picture; one for all variants, or one each. */
  readonly mask?: string | readonly string[];
  /** Light where the product is in the references: one for all of them, or one each. */
  readonly productMask?: string | readonly string[];
  /** Name in reports; default: the generated path as written. */
  readonly name?: string;
}

export interface ManifestInput {
  /** The path of a JSONL file with a `ManifestEntry` per line, or the entries. */
  readonly manifest: string | readonly ManifestEntry[];
  /** As in `FolderInput`; default: the manifest's references. */
  readonly real?: string;
}

const fields: readonly string[] = ["generated", "reference", "prompt", "mask", "productMask", "name"] satisfies (keyof ManifestEntry)[];

/**
 * Reads a manifest. Lines whose files are not there go to `unmatched`.
 *
 * @throws EvaluationError `input` for what is not of the form above, naming the line; fields that do not exist are refused
 */
export async function matchManifest({ manifest, real }: ManifestInput): Promise<MatchedInput> {
  const path = typeof manifest === "string" ? manifest : undefined;
  const folder = path === undefined ? process.cwd() : dirname(path);
  const entries =
    path === undefined ? (manifest as readonly unknown[]).map((value, index) => ({ value, place: `entry ${index + 1}` })) : await linesOf(path);
  if (entries.length === 0) throw new EvaluationError("input", `manifest: ${path ?? "the list"} has no entries`);

  const items: EvaluatedItem[] = [];
  const unmatched: UnmatchedFile[] = [];
  const names = new Map<string, string>();
  for (const { value, place } of entries) {
    for (const { item, missing } of await itemsOf(value, place, folder)) {
      const other = names.get(item.name);
      if (other !== undefined) throw new EvaluationError("input", `${place}: "${item.name}" is there already, in ${other}; give it another "name"`);
      names.set(item.name, place);
      unmatched.push(...missing);
      if (!missing.some(({ role }) => role === "generated")) items.push(item);
    }
  }
  if (items.length === 0)
    throw new EvaluationError("input", `manifest: none of the generated pictures of ${path ?? "the list"} is there; paths are relative to ${folder}`);
  const references = [...new Set(items.flatMap((item) => item.references))].map((file) => ({ name: nameOf(file, folder), path: file }));
  const set = real === undefined ? (references.length === 0 ? undefined : { files: references }) : await realFiles({ real }, undefined);
  return {
    items,
    real: set,
    unmatched,
    counts: {
      generated: items.length,
      ...(references.length > 0 && { reference: references.length, pairs: items.reduce((sum, item) => sum + item.references.length, 0) }),
      ...(items.some(({ prompt }) => prompt !== undefined) && { prompts: items.filter(({ prompt }) => prompt !== undefined).length }),
      ...(items.some(({ mask }) => mask !== undefined) && { masks: items.filter(({ mask }) => mask !== undefined).length }),
      ...(real !== undefined && set && "files" in set && { real: set.files.length }),
    },
    inputs: { manifest: path ?? "given", ...(real !== undefined && { real }) },
  };
}

async function linesOf(path: string): Promise<{ readonly value: unknown; readonly place: string }[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new EvaluationError("input", `manifest: ${path} cannot be read`, { cause });
  });
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, place }) => {
      try {
        return { value: JSON.parse(line) as unknown, place };
      } catch (cause) {
        throw new EvaluationError("input", `${place}: not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
      }
    });
}

async function itemsOf(
  value: unknown,
  place: string,
  folder: string,
): Promise<{ readonly item: EvaluatedItem; readonly missing: UnmatchedFile[] }[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EvaluationError("input", `${place}: expected an object, got ${JSON.stringify(value)}`);
  const unknown = Object.keys(value).filter((key) => !fields.includes(key));
  if (unknown.length > 0) throw new EvaluationError("input", `${place}: expected the fields ${fields.join(", ")}, got "${unknown.join('", "')}" too`);
  const entry = value as Readonly<Record<keyof ManifestEntry, unknown>>;
  const generated = texts(entry.generated, "generated", place);
  if (generated.length === 0) throw new EvaluationError("input", `${place}: expected "generated", a path or a list of paths`);
  const references = texts(entry.reference, "reference", place);
  const masks = texts(entry.mask, "mask", place);
  if (masks.length > 1 && masks.length !== generated.length)
    throw new EvaluationError("input", `${place}: expected one mask, or one per generated picture (${generated.length}), got ${masks.length}`);
  const prompt = optionalText(entry.prompt, "prompt", place);
  const name = optionalText(entry.name, "name", place);
  const productMasks = texts(entry.productMask, "productMask", place);
  if (productMasks.length > 1 && productMasks.length !== references.length)
    throw new EvaluationError(
      "input",
      `${place}: expected one product mask, or one per reference (${references.length}), got ${productMasks.length}`,
    );
  if (prompt?.trim() === "") throw new EvaluationError("input", `${place}: the prompt is empty`);

  const located = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  return Promise.all(
    generated.map(async (file, index) => {
      const itemName = name === undefined ? posix.normalize(file.replaceAll("\\", "/")) : generated.length === 1 ? name : `${name}-${index + 1}`;
      const mask = masks.length > 1 ? masks[index] : masks[0];
      const missing: UnmatchedFile[] = [];
      const there = async (role: UnmatchedFile["role"], path: string) => {
        if ((await stat(located(path)).catch(() => undefined))?.isFile()) return true;
        missing.push({ role, name: path, reason: `there is no such file (${place})` });
        return false;
      };
      await there("generated", file);
      const found: string[] = [];
      for (const reference of references) if (await there("reference", reference)) found.push(located(reference));
      // Masks are matched by their place: with a reference or a mask missing there is no telling which belongs to which.
      const masksThere = await Promise.all(productMasks.map((path) => there("product-mask", path)));
      const whole = masksThere.every(Boolean) && (productMasks.length === 1 || found.length === references.length);
      const hasMask = mask !== undefined && (await there("mask", mask));
      const item: EvaluatedItem = {
        name: itemName,
        generated: located(file),
        references: found,
        ...(prompt !== undefined && { prompt }),
        ...(hasMask && { mask: located(mask) }),
        ...(whole && productMasks.length > 0 && { productMasks: productMasks.map(located) }),
      };
      return { item, missing };
    }),
  );
}

function texts(value: unknown, field: string, place: string): readonly string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((text) => typeof text === "string" && text !== ""))
    throw new EvaluationError("input", `${place}: expected "${field}" to be a path or a list of paths, got ${JSON.stringify(value)}`);
  return list as readonly string[];
}

function optionalText(value: unknown, field: string, place: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new EvaluationError("input", `${place}: expected "${field}" to be a text, got ${JSON.stringify(value)}`);
}

function nameOf(path: string, folder: string): string {
  const prefix = join(folder, "/");
  return (path.startsWith(prefix) ? path.slice(prefix.length) : path).replaceAll("\\", "/");
}
