// GrabCut blocks its thread for some seconds, and OpenCV's memory is not given back before the thread ends.
import { parentPort } from "node:worker_threads";
import type { Image, Rectangle } from "@refadgen/image";
import type { Mask } from "../mask/mask.js";
import { findProduct } from "./find-product.js";
import type { GrabCutReply, GrabCutRequest } from "./grabcut-protocol.js";

type OpenCv = typeof import("@techstark/opencv-js");

parentPort!.on("message", async (request: GrabCutRequest) => parentPort!.postMessage(await answer(request)));

async function answer({ width, height, data, boxes, iterations }: GrabCutRequest): Promise<GrabCutReply> {
  let cv: OpenCv;
  try {
    ({ cv } = await load());
  } catch (error) {
    return { error: message(error), missing: true };
  }
  try {
    const image: Image = { width, height, channels: 3, data };
    if (boxes) return { masks: boxes.map((box) => grabCut(cv, image, box, iterations).data) };
    return { found: findProduct(image, (picture, labels, rounds) => grabCut(cv, picture, labels, rounds), iterations) };
  } catch (error) {
    return { error: message(error), missing: false };
  }
}

/** OpenCV is handed over in an object: it has a `then` of its own that gives itself, so a promise of it would never be done. */
async function load(): Promise<{ readonly cv: OpenCv }> {
  const { default: loaded } = (await import("@techstark/opencv-js")) as unknown as { readonly default: OpenCv };
  if (loaded.Mat === undefined) {
    await new Promise<void>((resolve) => {
      loaded.onRuntimeInitialized = resolve;
    });
  }
  return { cv: loaded };
}

/** @param start a box around the product, or a label for each pixel */
function grabCut(cv: OpenCv, { width, height, data }: Image, start: Rectangle | Uint8Array, iterations: number): Mask {
  const image = new cv.Mat(height, width, cv.CV_8UC3);
  image.data.set(data);
  const mask = new cv.Mat(height, width, cv.CV_8UC1);
  const [background, foreground] = [new cv.Mat(), new cv.Mat()];
  try {
    if (start instanceof Uint8Array) {
      // Colours cannot be learned of what has too few pixels.
      const product = start.reduce((count, value) => count + (value & 1), 0);
      if (product < 8 || start.length - product < 8) return { width, height, data: start.map((value) => value & 1) };
      mask.data.set(start);
    }
    const box = start instanceof Uint8Array ? new cv.Rect(0, 0, 1, 1) : new cv.Rect(start.left, start.top, start.width, start.height);
    cv.grabCut(image, mask, box, background, foreground, iterations, start instanceof Uint8Array ? cv.GC_INIT_WITH_MASK : cv.GC_INIT_WITH_RECT);
    return { width, height, data: Uint8Array.from(mask.data as Uint8Array, (value) => (value === cv.GC_FGD || value === cv.GC_PR_FGD ? 1 : 0)) };
  } finally {
    for (const mat of [image, mask, background, foreground]) mat.delete();
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : `OpenCV error ${String(error)}`;
}
