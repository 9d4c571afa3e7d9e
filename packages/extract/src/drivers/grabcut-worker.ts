// GrabCut blocks its thread for a second or so, and OpenCV's memory is not given back before the thread ends.
import { parentPort, workerData } from "node:worker_threads";
import type { GrabCutReply, GrabCutRequest } from "./grabcut-protocol.js";

type OpenCv = typeof import("@techstark/opencv-js");

const request = workerData as GrabCutRequest;
parentPort!.postMessage(await answer());

async function answer(): Promise<GrabCutReply> {
  let cv: OpenCv;
  try {
    ({ cv } = await load());
  } catch (error) {
    return { error: message(error), missing: true };
  }
  try {
    return { masks: request.boxes.map((box) => grabCut(cv, request, box)) };
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

function grabCut(
  cv: OpenCv,
  { width, height, data, iterations }: GrabCutRequest,
  { left, top, width: boxWidth, height: boxHeight }: GrabCutRequest["boxes"][number],
): Uint8Array {
  const image = new cv.Mat(height, width, cv.CV_8UC3);
  image.data.set(data);
  const mask = new cv.Mat();
  const [background, foreground] = [new cv.Mat(), new cv.Mat()];
  try {
    cv.grabCut(image, mask, new cv.Rect(left, top, boxWidth, boxHeight), background, foreground, iterations, cv.GC_INIT_WITH_RECT);
    return Uint8Array.from(mask.data as Uint8Array, (label) => (label === cv.GC_FGD || label === cv.GC_PR_FGD ? 1 : 0));
  } finally {
    for (const mat of [image, mask, background, foreground]) mat.delete();
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : `OpenCV error ${String(error)}`;
}
