// Pictures

// Colours and alpha
export { alphaOf, toGrey, toRgb, toRgba, withAlpha } from "./color.js";
export { type Color, type CompositeOptions, composite } from "./composite.js";

// Files in and out
export type { ImageFormat, PillowMode } from "./container.js";
export { type CenterCropOptions, centerCrop, cropImage, type Rectangle } from "./crop.js";
export { type DecodedImage, type DecodeOptions, decodeImage, decodeWithMode, type ImageInput, loadImage } from "./decode.js";
export { type EncodeOptions, encodeImage, type SaveOptions, saveImage } from "./encode.js";
export { ImageError, type ImageErrorCode } from "./error.js";
export { fitInside, type LetterboxOptions, letterbox, torchvisionResize, torchvisionSize } from "./fit.js";
export type { Channels, FloatImage, Image, Size } from "./image.js";
export { maxFilter } from "./max-filter.js";
// Sizes
export type { ResizeFilter } from "./resample-weights.js";
export { pillowFilter, type ResizeOptions, resizeFloatImage, resizeImage } from "./resize.js";
export { resizeTensor, type TensorResizeMethod, type TensorResizeOptions } from "./resize-tensor.js";

// Numbers in and out
export {
  clipNormalization,
  fromFloatImage,
  imageNetNormalization,
  imagesToTensor,
  imageToTensor,
  type QuantiseOptions,
  symmetricNormalization,
  type TensorLayout,
  type TensorOptions,
  tensorToImage,
  tensorToImages,
  toFloatImage,
} from "./tensor.js";
