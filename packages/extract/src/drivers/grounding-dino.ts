import { ArgumentError } from "@refadgen/errors";
import { type Size, toRgb } from "@refadgen/image";
import type { Detection, Detector } from "../contract.js";
import { ExtractError } from "../error.js";
import { assertModelOptions, type ModelOptions } from "./model-options.js";
import { lazily, loadTransformers, pretrainedOptions, rawImage } from "./transformers.js";

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
    return {
      transformers,
      processor: (await transformers.GroundingDinoProcessor.from_pretrained(id, settings)) as InstanceType<
        typeof transformers.GroundingDinoProcessor
      >,
      model: await transformers.GroundingDinoForObjectDetection.from_pretrained(id, settings),
    };
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
      const ids = Array.from(inputs.input_ids.data as BigInt64Array, Number);
      const decode = (tokens: number[]) => (tokens.length === 0 ? "" : (processor.tokenizer?.decode(tokens, { skip_special_tokens: true }) ?? ""));
      return detectionsOf(outputs, { ids, decode, boxThreshold, textThreshold, image });
    },
    async dispose() {
      await (await parts.loaded())?.model.dispose();
    },
  };
}

interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * `logits` `[1, Q, T]` and `pred_boxes` `[1, Q, 4]` (centre and size, as shares of the picture) → the queries of which some token scores above
 * the threshold, in their order (IDEA-Research/GroundingDINO, groundingdino/util/inference.py). transformers.js's own version fails for a box
 * whose tokens are all below the threshold of words.
 */
function detectionsOf(
  outputs: Readonly<Record<string, OutputTensor>>,
  {
    ids,
    decode,
    boxThreshold,
    textThreshold,
    image: { width, height },
  }: {
    readonly ids: readonly number[];
    readonly decode: (tokens: number[]) => string;
    readonly boxThreshold: number;
    readonly textThreshold: number;
    readonly image: Size;
  },
): Detection[] {
  const { logits, pred_boxes: boxes } = outputs;
  const [, queries, tokens] = logits?.dims ?? [];
  if (!logits || !boxes || !queries || !tokens || boxes.data.length !== queries * 4) {
    throw new ExtractError("model", `Grounding DINO: expected logits [1, Q, T] and boxes [1, Q, 4], got [${logits?.dims}] and [${boxes?.dims}]`);
  }
  const found: Detection[] = [];
  for (let query = 0; query < queries; query++) {
    const scores = Array.from({ length: tokens }, (_, token) => 1 / (1 + Math.exp(-logits.data[query * tokens + token]!)));
    const score = scores.reduce((most, value) => Math.max(most, value), 0);
    if (!(score > boxThreshold)) continue;
    const label = decode(ids.filter((_, token) => token > 0 && token < 255 && scores[token]! > textThreshold)).replace(/\s*\.\s*$/, "");
    const [x, y, w, h] = Array.from({ length: 4 }, (_, index) => boxes.data[query * 4 + index]!) as [number, number, number, number];
    const [left, right] = [x - w / 2, x + w / 2].map((side) => Math.min(1, Math.max(0, side)) * width) as [number, number];
    const [top, bottom] = [y - h / 2, y + h / 2].map((side) => Math.min(1, Math.max(0, side)) * height) as [number, number];
    found.push({ box: { left, top, width: right - left, height: bottom - top }, score, label });
  }
  return found;
}
