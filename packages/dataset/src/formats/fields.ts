import type { Json, Triplet, TripletVariant } from "../contract.js";
import { DatasetError } from "../error.js";

/** Values of a file that anyone may have written, taken as what they must be. Each throws a DatasetError `format` that names the place. */

export function object(where: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "an object", value);
  return value as Readonly<Record<string, unknown>>;
}

export function text(where: string, value: unknown): string {
  if (typeof value !== "string") throw wrong(where, "a text", value);
  return value;
}

/** One text counts as a list of one: what other tools call `text`. */
export function texts(where: string, value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) throw wrong(where, "a list of texts", value);
  return value.map((element) => text(where, element));
}

export function split(where: string, value: unknown): Triplet["split"] {
  if (value === undefined || value === null) return undefined;
  if (value !== "train" && value !== "test") throw wrong(where, "train or test", value);
  return value;
}

export function variantKind(where: string, value: unknown): TripletVariant["kind"] {
  if (value !== "degraded" && value !== "view") throw wrong(where, "degraded or view", value);
  return value;
}

export function variantIndex(where: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 99) throw wrong(where, "a number from 0 to 99", value);
  return value;
}

/** An object, or the text of one. */
export function extra(where: string, value: unknown): { readonly [key: string]: Json } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return object(where, json(where, value)) as { readonly [key: string]: Json };
  return object(where, value) as { readonly [key: string]: Json };
}

export function json(where: string, source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new DatasetError("format", `${where}: expected JSON (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}

export function wrong(where: string, expected: string, value: unknown): DatasetError {
  const shown = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value).slice(0, 100);
  return new DatasetError("format", `${where}: expected ${expected}, got ${shown}`);
}
