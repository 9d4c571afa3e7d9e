export { TokenizerError, type TokenizerErrorCode } from "./error.js";
// Text to ids
export { type ClipTokenizer, clipTokenizer, type DecodeOptions, loadClipTokenizer, type TokenizedText, type TokenizeOptions } from "./tokenizer/tokenizer.js";
export { type ClipVocabulary, readClipVocabulary } from "./tokenizer/vocabulary.js";
