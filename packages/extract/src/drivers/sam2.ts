import { resizeTensor, toRgb } from "@refadgen/image";
import type { Segment, Segmenter } from "../contract.js";
import { ExtractError } from "../error.js";
import { thresholdMask } from "../mask/mask.js";
import { assertModelOptions, type ModelOptions } from "./model-options.js";
import { lazily, loadTransformers, pretrainedOptions, rawImage } from "./transformers.js";

/** Of a logit, for the stability of a mask (facebookresearch/sam2, sam2/build_sam.py). */
const stabilityDelta = 0.05;
const stable = 0.98;

/**
 * SAM 2.1 by transformers.js; default model `onnx-community/sam2.1-hiera-tiny-ONNX`. One mask per box: where the export has the single-mask
 * token it is taken while it is stable, as published; exports without it (all known ones) give the mask of best estimated quality.
 *
 * @throws when segmenting, ExtractError `package-missing`, `model`
 */
export function sam2(options: ModelOptions = {}): Segmenter {
  const { model: id = "onnx-community/sam2.1-hiera-tiny-ONNX" } = options;
  assertModelOptions("sam2", options);
  const parts = lazily(`SAM 2 (${id})`, async () => {
    const transformers = await loadTransformers();
    const settings = pretrainedOptions(options);
    return {
      transformers,
      processor: await transformers.Sam2Processor.from_pretrained(id, settings),
      model: await transformers.Sam2Model.from_pretrained(id, settings),
    };
  });
  return {
    name: "sam2",
    async segment(image, boxes, { signal } = {}) {
      if (boxes.length === 0) return [];
      signal?.throwIfAborted();
      const { transformers, processor, model } = await parts.get();
      const corners = boxes.map(({ left, top, width, height }) => [left, top, left + width, top + height]);
      const inputs = await processor(rawImage(transformers, toRgb(image)), { input_boxes: [corners] });
      signal?.throwIfAborted();
      const outputs = (await model(inputs)) as { readonly pred_masks: LogitTensor; readonly iou_scores: LogitTensor };
      signal?.throwIfAborted();
      return segmentsOf(outputs, image);
    },
    async dispose() {
      await (await parts.loaded())?.model.dispose();
    },
  };
}

interface LogitTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/** `pred_masks` `[1, boxes, masks, h, w]` logits, `iou_scores` `[1, boxes, masks]` → one segment per box, at the picture's size. */
export function segmentsOf(
  { pred_masks: masks, iou_scores: scores }: { readonly pred_masks: LogitTensor; readonly iou_scores: LogitTensor },
  { width, height }: { readonly width: number; readonly height: number },
): Segment[] {
  const [, boxes, count, h, w] = masks.dims;
  if (!boxes || !count || !h || !w || scores.data.length !== boxes * count) {
    throw new ExtractError("model", `sam2: expected masks [1, N, M, h, w] and scores [1, N, M], got [${masks.dims}] and [${scores.dims}]`);
  }
  const logits = Float32Array.from(masks.data);
  return Array.from({ length: boxes }, (_, box) => {
    const plane = (index: number) => logits.subarray((box * count + index) * h * w, (box * count + index + 1) * h * w);
    const quality = (index: number) => scores.data[box * count + index]!;
    const index = chosenMask(count, (candidate) => stabilityOf(plane(candidate)), quality);
    const full = resizeTensor(plane(index), [h, w], { width, height }, { method: "bilinear" });
    const mask = thresholdMask({ width, height }, full, Number.MIN_VALUE);
    return { mask, quality: Math.min(1, Math.max(0, quality(index))), stability: stabilityOf(plane(index)) };
  });
}

/** With four masks the first is the single-mask token. */
function chosenMask(count: number, stability: (index: number) => number, quality: (index: number) => number): number {
  if (count === 4 && stability(0) >= stable) return 0;
  const candidates = Array.from({ length: count }, (_, index) => index).slice(count === 4 ? 1 : 0);
  return candidates.reduce((best, index) => (quality(index) > quality(best) ? index : best));
}

function stabilityOf(logits: Float32Array): number {
  let [narrow, wide] = [0, 0];
  for (const logit of logits) {
    if (logit > stabilityDelta) narrow++;
    if (logit > -stabilityDelta) wide++;
  }
  return wide === 0 ? 1 : narrow / wide;
}
