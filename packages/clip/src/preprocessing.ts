import { ArgumentError } from "@refadgen/errors";
import {
  centerCrop,
  clipNormalization,
  type Image,
  imageToTensor,
  type ResizeFilter,
  resizeImage,
  type Size,
  toRgb,
  torchvisionResize,
} from "@refadgen/image";

/** The fields of transformers' `preprocessor_config.json`, sizes always as objects. */
export interface PreprocessorConfig {
  readonly do_resize: boolean;
  /** The short side, the aspect ratio kept; or both sides, squashed. In pixels. */
  readonly size: { readonly shortest_edge: number } | Size;
  /** Pillow's number of the filter: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. */
  readonly resample: number;
  readonly do_center_crop: boolean;
  readonly crop_size: Size;
  readonly do_rescale: boolean;
  readonly rescale_factor: number;
  readonly do_normalize: boolean;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  readonly do_convert_rgb: boolean;
}

/** transformers' defaults, which are OpenAI's: short side to 224, bicubic, the middle 224 × 224, CLIP's mean and deviation. */
export const clipPreprocessing: PreprocessorConfig = {
  do_resize: true,
  size: { shortest_edge: 224 },
  resample: 3,
  do_center_crop: true,
  crop_size: { width: 224, height: 224 },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: clipNormalization.mean,
  image_std: clipNormalization.std,
  do_convert_rgb: true,
};

const filters: readonly ResizeFilter[] = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

/**
 * A picture as CLIP's vision tower takes it: transformers' slow CLIPImageProcessor (resized by Pillow in 8 bits), number for number.
 * Its fast one and torchvision's transforms differ by a pixel of the crop or a shade.
 *
 * Source: huggingface/transformers src/transformers/models/clip/image_processing_clip.py.
 *
 * @returns `[3, crop height, crop width]`
 * @throws ArgumentError
 */
export function clipImageTensor(image: Image, config: PreprocessorConfig = clipPreprocessing): Float32Array {
  const { size, crop_size, image_mean, image_std } = config;
  if (!config.do_convert_rgb && image.channels !== 3)
    throw new ArgumentError(`clipImageTensor: expected 3 channels where do_convert_rgb is false, got ${image.channels}`);
  const filter = filters[config.resample];
  if (!filter) throw new ArgumentError(`clipImageTensor: expected resample from 0 to ${filters.length - 1}, got ${config.resample}`);
  let result = toRgb(image);
  if (config.do_resize)
    result = "shortest_edge" in size ? torchvisionResize(result, size.shortest_edge, { filter }) : resizeImage(result, size, { filter });
  if (config.do_center_crop) result = centerCrop(result, crop_size, { rounding: "floor" });
  return imageToTensor(result, {
    scale: config.do_rescale ? config.rescale_factor : 1,
    ...(config.do_normalize ? { mean: image_mean, std: image_std } : {}),
  });
}

/**
 * Reads a `preprocessor_config.json` (already parsed) of CLIP's kind. Fields left out take transformers' defaults.
 *
 * @throws ArgumentError when it belongs to another kind of processor or a field is not what it should be.
 */
export function parsePreprocessorConfig(json: unknown): PreprocessorConfig {
  if (!isObject(json)) throw new ArgumentError(`parsePreprocessorConfig: expected an object, got ${JSON.stringify(json)}`);
  const kind = json.image_processor_type ?? json.feature_extractor_type;
  if (kind !== undefined && !(typeof kind === "string" && /^CLIP(ImageProcessor|ImageProcessorFast|FeatureExtractor)$/.test(kind))) {
    throw new ArgumentError(`parsePreprocessorConfig: expected CLIPImageProcessor, got ${JSON.stringify(kind)}`);
  }
  const fail = (field: string, expected: string): never => {
    throw new ArgumentError(`parsePreprocessorConfig: expected ${field} to be ${expected}, got ${JSON.stringify(json[field])}`);
  };
  const flag = (field: string): boolean => {
    const value = json[field] ?? true;
    return typeof value === "boolean" ? value : fail(field, "true or false");
  };
  const colors = (field: string, standard: readonly number[]): readonly number[] => {
    const value = json[field] ?? standard;
    if (typeof value === "number" && Number.isFinite(value)) return [value, value, value];
    return Array.isArray(value) && value.length === 3 && value.every(Number.isFinite) ? value : fail(field, "three numbers");
  };
  const {
    size = clipPreprocessing.size,
    crop_size = clipPreprocessing.crop_size,
    resample = clipPreprocessing.resample,
    rescale_factor = clipPreprocessing.rescale_factor,
  } = json;
  return {
    do_resize: flag("do_resize"),
    size: isSide(size)
      ? { shortest_edge: size }
      : isObject(size) && isSide(size.shortest_edge)
        ? { shortest_edge: size.shortest_edge }
        : (sides(size) ?? fail("size", "a short side, or width and height")),
    resample: typeof resample === "number" && Object.hasOwn(filters, resample) ? resample : fail("resample", `0 to ${filters.length - 1}`),
    do_center_crop: flag("do_center_crop"),
    crop_size: isSide(crop_size) ? { width: crop_size, height: crop_size } : (sides(crop_size) ?? fail("crop_size", "a side, or width and height")),
    do_rescale: flag("do_rescale"),
    rescale_factor: typeof rescale_factor === "number" && Number.isFinite(rescale_factor) ? rescale_factor : fail("rescale_factor", "a number"),
    do_normalize: flag("do_normalize"),
    image_mean: colors("image_mean", clipPreprocessing.image_mean),
    image_std: colors("image_std", clipPreprocessing.image_std),
    do_convert_rgb: flag("do_convert_rgb"),
  };
}

function sides(size: unknown): Size | undefined {
  return isObject(size) && isSide(size.width) && isSide(size.height) ? { width: size.width, height: size.height } : undefined;
}

function isSide(side: unknown): side is number {
  return typeof side === "number" && Number.isInteger(side) && side > 0 && side <= 2 ** 15;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
