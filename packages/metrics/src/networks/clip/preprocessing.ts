import { clipImageTensor, clipPreprocessing } from "@refadgen/clip";
import { centerCrop, clipNormalization, imageToTensor, pillowFilter, toRgb, torchvisionResize } from "@refadgen/image";
import type { ClipPreprocessing, Picture } from "../contract.js";
import { imageOf, modeOf, pillowImage } from "../pictures.js";

/**
 * A picture as the vision tower takes it, `[3, side, side]`.
 *
 * `openai` (openai/CLIP clip/clip.py, ImageReward alike): short side by Pillow's bicubic, crop with margins rounded to even, only then RGB,
 * so that palettes are resized by the nearest pixel and colours under alpha are weighted by it. `transformers`: the slow CLIPImageProcessor.
 */
export function clipPixels(picture: Picture, side: number, preprocessing: ClipPreprocessing): Float32Array {
  if (preprocessing === "transformers") {
    const crop = { width: side, height: side };
    return clipImageTensor(imageOf(picture), { ...clipPreprocessing, size: { shortest_edge: side }, crop_size: crop });
  }
  const resized = torchvisionResize(pillowImage(picture), side, { filter: pillowFilter(modeOf(picture), "bicubic") });
  return imageToTensor(toRgb(centerCrop(resized, { width: side, height: side })), clipNormalization);
}
