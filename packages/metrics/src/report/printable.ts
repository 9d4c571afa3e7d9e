/**
 * Text without the characters that neither XML nor HTML can hold, not even escaped: most control characters and halves of surrogate
 * pairs, which file names may have. The replacement character stands for each.
 */
export function printable(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0)!;
      const control = (code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 127 && code < 160);
      return control || (code >= 0xd800 && code < 0xe000) || code === 0xfffe || code === 0xffff ? "\uFFFD" : character;
    })
    .join("");
}
