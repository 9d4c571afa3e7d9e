import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import { composite, fitInside, type Image, type Rectangle, resizeImage, toRgb } from "@refadgen/image";
import { labOf } from "../color/lab.js";
import type { Extractor, Segmenter } from "../contract.js";
import { featherMask } from "../cut-out.js";
import { ExtractError } from "../error.js";
import { type Doubt, doubtsOfMask, judged } from "../judge.js";
import { cleanMask } from "../mask/clean.js";
import { type Mask, thresholdMask } from "../mask/mask.js";
import type { GrabCutReply, GrabCutRequest } from "./grabcut-protocol.js";

export interface GrabCutOptions {
  /** Default 5. */
  readonly iterations?: number;
  /** Pictures are looked at in a copy whose longer side is this many pixels; time grows with its square. Default 640. */
  readonly longestSide?: number;
}

/** How much of the picture's border is taken for background when nobody gives a box. */
const margin = 0.03;

/**
 * GrabCut by OpenCV (`@techstark/opencv-js`), in a thread of its own: for products that differ in colour from a busy background. It takes
 * the picture's margin for background, and is never as sure as a model.
 *
 * @throws ArgumentError for options out of range; when extracting, ExtractError `package-missing`, `failed`
 */
export function grabCutExtractor(options: GrabCutOptions = {}): Extractor {
  checked(options);
  return {
    name: "grabcut",
    async extract(image, { signal } = {}) {
      const { width, height } = image;
      const box = { left: margin * width, top: margin * height, width: (1 - 2 * margin) * width, height: (1 - 2 * margin) * height };
      const rgb = toRgb(image.channels === 2 || image.channels === 4 ? composite(image, [255, 255, 255]) : image);
      const [raw] = await grabCut(rgb, [box], options, signal);
      const mask = cleanMask(raw!, { islands: 0.1, smooth: Math.min(width, height) >= 64 ? 1 : 0 });
      return judged("grabcut", mask, featherMask(mask, 1), 0.75, [...doubtOfColours(rgb, mask), ...doubtsOfMask(mask)]);
    },
  };
}

/** GrabCut inside the boxes of a detector. */
export function grabCutSegmenter(options: GrabCutOptions = {}): Segmenter {
  checked(options);
  return {
    name: "grabcut",
    async segment(image, boxes, { signal } = {}) {
      const rgb = toRgb(image);
      const masks = await grabCut(rgb, boxes, options, signal);
      // It has no estimate of its own: how well colours part inside and outside stands for it.
      return masks.map((mask) => ({ mask, quality: 0.4 + 0.5 * colourDistance(rgb, mask), stability: 1 }));
    },
  };
}

function checked({ iterations = 5, longestSide = 640 }: GrabCutOptions): void {
  if (!Number.isInteger(iterations) || iterations < 1) throw new ArgumentError(`grabCut: expected iterations of at least 1, got ${iterations}`);
  if (!Number.isInteger(longestSide) || longestSide < 32) throw new ArgumentError(`grabCut: expected longestSide of at least 32, got ${longestSide}`);
}

async function grabCut(
  image: Image,
  boxes: readonly Rectangle[],
  { iterations = 5, longestSide = 640 }: GrabCutOptions,
  signal?: AbortSignal,
): Promise<Mask[]> {
  if (boxes.length === 0) return [];
  signal?.throwIfAborted();
  const scale = Math.min(1, longestSide / Math.max(image.width, image.height));
  const small = scale < 1 ? resizeImage(image, fitInside(image, { width: longestSide, height: longestSide }), { filter: "box" }) : image;
  const inside = boxes.map((box) => scaledBox(box, image, small));
  const masks = await answerOf({ width: small.width, height: small.height, data: small.data, boxes: inside, iterations }, signal);
  return masks.map((data) =>
    scale < 1 ? enlarged({ width: small.width, height: small.height, data }, image) : { width: small.width, height: small.height, data },
  );
}

/** GrabCut needs background around its box: a pixel at least stays on every side. */
function scaledBox({ left, top, width, height }: Rectangle, from: Image, to: Image): Rectangle {
  const [x, y] = [to.width / from.width, to.height / from.height];
  const begin = { left: Math.max(1, Math.floor(left * x)), top: Math.max(1, Math.floor(top * y)) };
  const end = { right: Math.min(to.width - 1, Math.ceil((left + width) * x)), bottom: Math.min(to.height - 1, Math.ceil((top + height) * y)) };
  return { ...begin, width: Math.max(1, end.right - begin.left), height: Math.max(1, end.bottom - begin.top) };
}

function enlarged({ width, height, data }: Mask, size: Image): Mask {
  const levels = data.map((value) => value * 255);
  const full = resizeImage({ width, height, channels: 1, data: levels }, { width: size.width, height: size.height }, { filter: "bilinear" });
  return thresholdMask(size, full.data);
}

async function answerOf(request: GrabCutRequest, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> {
  if (request.width < 3 || request.height < 3) return request.boxes.map(() => new Uint8Array(request.width * request.height));
  const worker = new Worker(new URL("./grabcut-worker.js", import.meta.url), { workerData: request, execArgv: [] });
  try {
    const reply = await new Promise<GrabCutReply>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.once("message", resolve);
      worker.once("error", (error) => reject(new ExtractError("failed", `grabcut: its thread failed: ${error.message}`, { cause: error })));
      worker.once("exit", (code) => reject(new ExtractError("failed", `grabcut: its thread ended (${code})`)));
    });
    if ("masks" in reply) return reply.masks;
    if (reply.missing)
      throw new ExtractError("package-missing", `grabcut needs OpenCV: npm install @techstark/opencv-js@4.12.0-release.1 (${reply.error})`);
    throw new ExtractError("failed", `grabcut: ${reply.error}`);
  } finally {
    await worker.terminate();
  }
}

function doubtOfColours(image: Image, mask: Mask): Doubt[] {
  const distance = colourDistance(image, mask);
  if (distance >= 0.7) return [];
  return [{ code: "low-contrast", message: "product and background share many colours.", factor: 0.4 + 0.6 * (distance / 0.7) }];
}

/** Hellinger distance of the colours inside and outside, 0 the same to 1 none in common; histograms of 8³ cells in L*a*b*. */
function colourDistance(image: Image, mask: Mask): number {
  const lab = labOf(image);
  const cells = [new Float64Array(512), new Float64Array(512)];
  const counts = [0, 0];
  const cell = (value: number, from: number, to: number) => Math.min(7, Math.max(0, Math.floor((8 * (value - from)) / (to - from))));
  mask.data.forEach((value, pixel) => {
    const index = (cell(lab[pixel * 3]!, 0, 100) * 8 + cell(lab[pixel * 3 + 1]!, -60, 60)) * 8 + cell(lab[pixel * 3 + 2]!, -60, 60);
    cells[value]![index]!++;
    counts[value]!++;
  });
  if (counts[0] === 0 || counts[1] === 0) return 0;
  const overlap = cells[0]!.reduce((sum, count, index) => sum + Math.sqrt((count / counts[0]!) * (cells[1]![index]! / counts[1]!)), 0);
  return Math.sqrt(Math.max(0, 1 - overlap));
}
