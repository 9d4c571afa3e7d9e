import { composite, type Image, resizeImage, toRgb } from "@refadgen/image";
import type { Extractor } from "../contract.js";
import { ExtractError } from "../error.js";
import { doubtsOfMask, judged, percent } from "../judge.js";
import { thresholdMask } from "../mask/mask.js";
import { assertModelOptions, type ModelOptions } from "./model-options.js";
import { lazily, loadTransformers, pretrainedOptions, rawImage } from "./transformers.js";

/** Mattes of a sure model are close to 0 or 255 nearly everywhere. */
const mostUnsure = 0.1;

/**
 * A background removal model by transformers.js: MODNet (default `Xenova/modnet`), BiRefNet, IS-Net, BEN. It needs no category and keeps
 * whatever stands out. Mind the models' licences: RMBG's forbid commercial use.
 *
 * @throws when extracting, ExtractError `package-missing`, `model`
 */
export function backgroundRemovalExtractor(options: ModelOptions = {}): Extractor {
  const { model: id = "Xenova/modnet" } = options;
  assertModelOptions("backgroundRemovalExtractor", options);
  const parts = lazily(`the background removal model (${id})`, async () => {
    const transformers = await loadTransformers();
    const settings = pretrainedOptions(options);
    return {
      transformers,
      processor: await transformers.AutoProcessor.from_pretrained(id, settings),
      model: await transformers.AutoModel.from_pretrained(id, settings),
    };
  });
  const name = `background-removal (${id})`;
  return {
    name,
    async extract(image, { signal } = {}) {
      signal?.throwIfAborted();
      const { transformers, processor, model } = await parts.get();
      const rgb = toRgb(image.channels === 2 || image.channels === 4 ? composite(image, [255, 255, 255]) : image);
      const { pixel_values } = await processor(rawImage(transformers, rgb));
      const { inputNames, outputNames } = model.sessions.model as { readonly inputNames: string[]; readonly outputNames: string[] };
      signal?.throwIfAborted();
      const outputs = await model({ [inputNames[0]!]: pixel_values });
      signal?.throwIfAborted();
      const matte = matteOf(outputs[outputNames[0]!], rgb);
      const mask = thresholdMask(rgb, matte);
      const unsure = matte.reduce((count, level) => count + (level > 32 && level < 224 ? 1 : 0), 0) / matte.length;
      const doubts = doubtsOfMask(mask);
      if (unsure > mostUnsure) {
        doubts.push({
          code: "unstable-mask",
          message: `the model is unsure about ${percent(unsure)} of the picture.`,
          factor: Math.max(0.2, 1 - 2 * unsure),
        });
      }
      return judged(name, mask, matte, 0.9, doubts);
    },
    async dispose() {
      await (await parts.loaded())?.model.dispose();
    },
  };
}

/** `[1, 1, h, w]`, logits or already between 0 and 1 → levels at the picture's size. */
function matteOf(output: { readonly dims: readonly number[]; readonly data: ArrayLike<number> } | undefined, { width, height }: Image): Uint8Array {
  const [h, w] = output?.dims.slice(-2) ?? [];
  if (!output || !h || !w || output.data.length !== h * w) {
    throw new ExtractError("model", `background removal: expected a matte [1, 1, h, w], got [${output?.dims}]`);
  }
  const values = Array.from(output.data);
  // The margin is for rounding inside the model.
  const logits = values.some((value) => value < -1e-5 || value > 1 + 1e-5);
  const levels = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, logits ? 1 / (1 + Math.exp(-value)) : value))));
  return resizeImage({ width: w, height: h, channels: 1, data: levels }, { width, height }, { filter: "bilinear" }).data;
}
