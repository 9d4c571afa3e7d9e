/**
 * The 256 bytes as printable characters: those that are visible in Latin-1 stand for themselves, the others for U+0100 and on.
 * Vocabularies of GPT-2's kind are written in these (openai/CLIP clip/simple_tokenizer.py, bytes_to_unicode).
 */
const symbolOfByte: readonly string[] = assignSymbols();
const byteOfSymbol: ReadonlyMap<string, number> = new Map(symbolOfByte.map((symbol, byte) => [symbol, byte]));

/** The UTF-8 bytes of a text, one symbol each. */
export function bytesToSymbols(text: string): string[] {
  return Array.from(new TextEncoder().encode(text), (byte) => symbolOfByte[byte]!);
}

/** The text that symbols stand for; bytes that are no UTF-8 become U+FFFD. A character that is no symbol stands for itself. */
export function symbolsToText(symbols: string): string {
  const bytes: number[] = [];
  for (const symbol of symbols) {
    const byte = byteOfSymbol.get(symbol);
    if (byte === undefined) bytes.push(...new TextEncoder().encode(symbol));
    else bytes.push(byte);
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function assignSymbols(): string[] {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(visible(byte) ? byte : next++));
}
