import { decodeHTML } from "entities";

const ligatures = /[\u0132\u0133\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06]/g;
const widths = /[\u3000\uff01-\uffef]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
const terminalEscapes = /\u001b\[[\d;]*[a-zA-Z]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
const controls = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

/** As Python has it: \s of JavaScript, next line, and the separators of ASCII. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are spaces there
const spaces = /[\s\u0085\u001c-\u001f]+/g;

/**
 * What OpenAI's tokenizer does to a text before it looks for words: ftfy's repairs, HTML entities decoded twice, spaces joined, lower case.
 *
 * Of ftfy all is done but the repair of text that was decoded in the wrong encoding ("mÃ¼ller"). Texts of ASCII letters and signs come out alike
 * with and without it.
 *
 * Source: openai/CLIP clip/simple_tokenizer.py; rspeer/python-ftfy ftfy/{__init__,fixes,chardata}.py.
 */
export function cleanOpenaiText(text: string): string {
  const decoded = decodeHTML(decodeHTML(repaired(text)));
  return decoded.replace(spaces, " ").trim().toLowerCase();
}

function repaired(text: string): string {
  return (text.includes("<") ? text : decodeHTML(text))
    .replace(ligatures, (letter) => (letter === "\ufb05" ? "\u017ft" : letter.normalize("NFKC")))
    .replaceAll("\u0149", "\u02bcn")
    .replace(widths, (letter) => letter.normalize("NFKC"))
    .replace(/[\u02bc\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/\r\n|[\r\u2028\u2029\u0085]/g, "\n")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(terminalEscapes, "")
    .replace(controls, "")
    .normalize("NFC");
}
