import { createHash } from "node:crypto";
import type { Json } from "../contract.js";

/** JSON with the keys of objects sorted: equal values give equal text. */
export function canonicalJson(value: Json | object | undefined): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** The first 128 bits of the sha256, in hexadecimal: enough to tell rows and settings apart, half as long. */
export function shortHash(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex").slice(0, 32);
}
