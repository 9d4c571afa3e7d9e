/** The text forms of pickle protocol 0. `fail` throws. */
type Fail = (message: string) => never;

const longestInteger = 4300;

export function indexText(text: string, fail: Fail): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : fail("a memo index is no number");
}

/** Booleans too: protocols 0 and 1 write them as 00 and 01. */
export function integerText(text: string, fail: Fail): number | bigint | boolean {
  return text === "00" || text === "01" ? text === "01" : longText(text, fail);
}

export function longText(text: string, fail: Fail): number | bigint {
  // Turning decimal digits into a number takes time by the square of their count.
  if (text.length > longestInteger) fail(`an integer has ${text.length} digits, more than ${longestInteger}`);
  const [, sign, digits] = /^([+-]?)(\d+)L?$/.exec(text) ?? fail("an integer has other characters than digits");
  const magnitude = BigInt(digits!);
  return plainInteger(sign === "-" ? -magnitude : magnitude);
}

export function floatText(text: string, fail: Fail): number {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : fail("a float is no number");
}

export function rawUnicode(text: string, fail: Fail): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, wide?: string) => {
    const code = Number.parseInt(short ?? wide ?? "", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : fail("a character is beyond Unicode");
  });
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
]);

/** A text of Python 2 in quotes. */
export function quotedText(text: string, fail: Fail): string {
  const [, , inner] = /^(['"])(.*)\1$/s.exec(text) ?? fail("a text has no quotes");
  return inner!.replace(/\\(x[0-9a-fA-F]{2}|.)/gs, (whole, sequence: string) =>
    sequence.length === 3 ? String.fromCharCode(Number.parseInt(sequence.slice(1), 16)) : (escapes.get(sequence) ?? whole),
  );
}

/** A number where it is exact as one. */
export function plainInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
