import { ArgumentError } from "@refadgen/errors";
import { toRgb } from "@refadgen/image";
import type { Detection, Detector } from "../contract.js";
import { assertModelOptions, lazily, loadTransformers, type ModelOptions, pretrainedOptions, rawImage } from "./transformers.js";

export interface GroundingDinoOptions extends ModelOptions {
  /** Boxes need a score above it. Default 0.35 (yunsoft2019/RefAdgen, data_provider/build_product.py). */
  readonly boxThreshold?: number;
  /** Words of the prompt with a score above it make the label. Default 0.25 (same). */
  readonly textThreshold?: number;
}

/**
 * Grounding DINO by transformers.js; default model `onnx-community/grounding-dino-tiny-ONNX`. Boxes come in the model's order, which is not
 * that of their scores, and may overlap.
 *
 * @throws ArgumentError for thresholds out of range; when detecting, ExtractError `package-missing`, `model`
 */
export function groundingDino(options: GroundingDinoOptions = {}): Detector {
  const { model: id = "onnx-community/grounding-dino-tiny-ONNX", boxThreshold = 0.35, textThreshold = 0.25 } = options;
  for (const [name, threshold] of Object.entries({ boxThreshold, textThreshold })) {
    if (!(threshold >= 0 && threshold <= 1)) throw new ArgumentError(`groundingDino: expected ${name} between 0 and 1, got ${threshold}`);
  }
  assertModelOptions("groundingDino", options);
  const parts = lazily(`Grounding DINO (${id})`, async () => {
    const transformers = await loadTransformers();
    const settings = pretrainedOptions(options);
    const processor = (await transformers.AutoProcessor.from_pretrained(id, settings)) as InstanceType<typeof transformers.GroundingDinoProcessor>;
    return { transformers, processor, model: await transformers.GroundingDinoForObjectDetection.from_pretrained(id, settings) };
  });
  return {
    name: "grounding-dino",
    async detect(image, prompt, { signal } = {}) {
      const text = `${prompt.trim().toLowerCase().replace(/\.+$/, "")}.`;
      if (text === ".") throw new ArgumentError("groundingDino: expected a prompt, got none");
      signal?.throwIfAborted();
      const { transformers, processor, model } = await parts.get();
      const inputs = await processor(rawImage(transformers, toRgb(image)), text);
      signal?.throwIfAborted();
      const outputs = await model(inputs);
      signal?.throwIfAborted();
      const [found] = processor.post_process_grounded_object_detection(outputs, inputs.input_ids, {
        box_threshold: boxThreshold,
        text_threshold: textThreshold,
        target_sizes: [[image.height, image.width]],
      });
      const { boxes, scores, labels } = found as { boxes: [number, number, number, number][]; scores: number[]; labels: string[] };
      return boxes.map((corners, index): Detection => {
        const [left, top] = [Math.max(0, corners[0]), Math.max(0, corners[1])];
        const [right, bottom] = [Math.min(image.width, corners[2]), Math.min(image.height, corners[3])];
        return { box: { left, top, width: right - left, height: bottom - top }, score: scores[index]!, label: labels[index]! };
      });
    },
    async dispose() {
      await (await parts.loaded())?.model.dispose();
    },
  };
}
