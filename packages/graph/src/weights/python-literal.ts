import { WeightsError } from "./error.js";

/** Tuples and lists are arrays, dicts Maps. */
export type Literal = string | number | boolean | null | readonly Literal[] | ReadonlyMap<string, Literal>;

const deepest = 16;
// Python 2 wrote integers with a trailing L.
const token = /\s*(?:(?<text>'[^'\\]*'|"[^"\\]*")|(?<integer>-?\d{1,20})L?(?![\w.])|(?<word>True|False|None)(?!\w)|(?<sign>[[\](){},:]))/y;

/** Reads the literals that NumPy writes into headers: dicts, tuples, lists, texts, integers, True, False, None. Throws a `WeightsError` (`malformed`). */
export function parseLiteral(source: string, what: string): Literal {
  token.lastIndex = 0;
  const malformed = (): never => {
    throw new WeightsError("malformed", `${what}: the header is no plain Python literal`);
  };
  const next = (): Record<string, string | undefined> => token.exec(source)?.groups ?? malformed();
  const peek = (sign: string): boolean => {
    const at = token.lastIndex;
    const found = token.exec(source)?.groups?.sign === sign;
    if (!found) token.lastIndex = at;
    return found;
  };
  const value = (depth: number): Literal => {
    if (depth > deepest) return malformed();
    const { text, integer, word, sign } = next();
    if (text !== undefined) return text.slice(1, -1);
    if (integer !== undefined) return Number(integer);
    if (word !== undefined) return word === "None" ? null : word === "True";
    if (sign === "(") return items(")", depth);
    if (sign === "[") return items("]", depth);
    return sign === "{" ? entries(depth) : malformed();
  };
  const items = (close: string, depth: number): Literal => {
    const found: Literal[] = [];
    while (!peek(close)) {
      found.push(value(depth + 1));
      if (peek(",")) continue;
      if (!peek(close)) return malformed();
      // Parentheses without a comma make no tuple.
      return close === ")" && found.length === 1 ? found[0]! : found;
    }
    return found;
  };
  const entries = (depth: number): Literal => {
    const found = new Map<string, Literal>();
    while (!peek("}")) {
      const key = value(depth + 1);
      if (typeof key !== "string" || found.has(key) || !peek(":")) return malformed();
      found.set(key, value(depth + 1));
      if (peek(",")) continue;
      return peek("}") ? found : malformed();
    }
    return found;
  };
  const result = value(0);
  return /^[\s\0]*$/.test(source.slice(token.lastIndex)) ? result : malformed();
}
