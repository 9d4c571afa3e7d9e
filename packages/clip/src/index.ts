// Text to ids and back

// Networks
export { type ClipEncoderConfig, type ClipTextConfig, type ClipVisionConfig, parseClipTextConfig, parseClipVisionConfig } from "./config.js";
export { TokenizerError, type TokenizerErrorCode } from "./error.js";
// Pictures to pixels
export { clipImageTensor, clipPreprocessing, type PreprocessorConfig, parsePreprocessorConfig } from "./preprocessing.js";
export { type ResamplerConfig, type ResamplerSizes, resampler, resamplerConfigOf, resamplerSd15 } from "./resampler.js";
export { type ClipTextOptions, type ClipTextOutputs, clipTextEncoder, isClipBuffer } from "./text-encoder.js";
export {
  type ClipTokenizer,
  type ClipTokenizerOptions,
  clipTokenizer,
  type DecodeOptions,
  loadClipTokenizer,
  type TokenizedText,
  type TokenizeOptions,
} from "./tokenizer/tokenizer.js";
export { type ClipVocabulary, readClipVocabulary } from "./tokenizer/vocabulary.js";
export { type ClipVisionOutputs, clipVisionEncoder } from "./vision-encoder.js";
