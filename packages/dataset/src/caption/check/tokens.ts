/**
 * How many ids CLIP's tokenizer gives a caption, start and end included, guessed from the lengths of its words: for English hardly ever too few,
 * on average 15 % too many; text of another script counts a token a byte. Hand `clipTokenizer(…).tokenize(caption).length` of `@refadgen/clip` to
 * `checkCaptions` where the exact number matters.
 */
export function estimateClipTokens(caption: string): number {
  let tokens = 0;
  // The words of openai/CLIP clip/simple_tokenizer.py.
  for (const [word] of caption.toLowerCase().matchAll(/'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu)) {
    if (/^[a-z]+$/.test(word)) tokens += word.length <= 8 ? 1 : Math.ceil(word.length / 5);
    else tokens += Buffer.byteLength(word);
  }
  return 2 + Math.ceil(tokens * 1.15);
}
