import type { SplatScene } from "../splats/scene.js";
import type { Camera } from "./camera.js";
import type { RenderedView, RenderOptions } from "./options.js";

/**
 * Draws a scene on this thread.
 *
 * The same input gives the same bits on every machine, and as the worker pool with any number of workers.
 *
 * @throws ArgumentError for a scene (see `checkScene`), a camera (see `checkCamera`) or options that cannot be drawn.
 */
export function render(_scene: SplatScene, _camera: Camera, _options: RenderOptions = {}): RenderedView {
  throw new Error("not built yet");
}
