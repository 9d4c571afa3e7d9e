import { isUtf8 } from "node:buffer";
import { WeightsError } from "./error.js";

/** JSON text as objects without their prototype's names: read with `Object.entries`, never by indexing. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/**
 * Parses UTF-8 JSON that must be one object without repeated keys (`JSON.parse` would silently keep the last).
 * `what` begins the message. Throws a `WeightsError` (`malformed`).
 */
export function parseJsonObject(bytes: Buffer, what: string): { readonly [key: string]: Json } {
  if (!isUtf8(bytes)) throw new WeightsError("malformed", `${what}: expected UTF-8 text`);
  let value: Json;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new WeightsError("malformed", `${what}: expected JSON (${error instanceof Error ? error.message.slice(0, 200) : String(error)})`);
  }
  if (!isJsonObject(value)) throw new WeightsError("malformed", `${what}: expected a JSON object, got ${value === null ? "null" : typeof value}`);
  if (colons(bytes) !== pairs(value)) throw new WeightsError("malformed", `${what}: a key stands in it twice`);
  return value;
}

export function isJsonObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How many key-value pairs the text writes: one colon outside of strings each. */
function colons(bytes: Buffer): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (inString && byte === backslash) at++;
    else if (byte === quote) inString = !inString;
    else if (byte === colon && !inString) count++;
  }
  return count;
}

/** How many key-value pairs were kept. */
function pairs(root: Json): number {
  let count = 0;
  const rest: Json[] = [root];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    if (typeof value !== "object" || value === null) continue;
    const children: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) count += children.length;
    for (const child of children) rest.push(child);
  }
  return count;
}
