import { parentPort } from "node:worker_threads";
import type { SplatScene } from "../splats/scene.js";
import type { Camera } from "./camera.js";
import type { RenderedView, RenderSettings } from "./options.js";
import { drawRows } from "./render.js";

/** Rows of tiles to draw; every array lies in memory that the threads share. */
export interface DrawJob {
  readonly id: number;
  readonly scene: SplatScene;
  readonly camera: Camera;
  readonly settings: RenderSettings;
  readonly view: RenderedView;
  readonly rows: { readonly first: number; readonly step: number };
}

export interface DrawAnswer {
  readonly id: number;
  readonly error?: string;
}

parentPort?.on("message", ({ id, scene, camera, settings, view, rows }: DrawJob) => {
  let answer: DrawAnswer = { id };
  try {
    drawRows(scene, camera, settings, view, rows);
  } catch (error) {
    answer = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(answer);
});
