const controls = /[^\P{C}\t\n\r]|\uFFFD/gu;
const spaces = /[\p{Zs}\t\n\r]/gu;
const ideographs =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/**
 * What transformers' CLIPTokenizer does to a text when ftfy is not installed, which is the plain diffusers installation: controls and
 * all other characters of the categories C* are removed, spaces put around ideographs, then NFC, then lower case (in this order: lower
 * case of a composed letter may differ). HTML entities and curly quotes stay.
 *
 * What is unassigned, and so removed, is a matter of the Unicode version: characters newer than the Python that one compares with differ.
 *
 * Source: huggingface/transformers src/transformers/models/clip/tokenization_clip.py (BasicTokenizer).
 */
export function cleanText(text: string): string {
  const lower = text.replace(controls, "").replace(spaces, " ").replace(ideographs, " $& ").normalize("NFC").toLowerCase();
  // The capital of U+0345 is a letter and it is none: in Python's pattern, which ignores case, it belongs to no word.
  return lower.replaceAll("\u0345", " ");
}
