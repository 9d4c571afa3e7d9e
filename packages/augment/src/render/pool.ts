import type { SplatScene } from "../splats/scene.js";
import type { Camera } from "./camera.js";
import type { RenderedView, RenderOptions } from "./options.js";

/** Worker threads that draw. */
export interface RenderPool {
  /** Number of worker threads. */
  readonly workers: number;
  /** As `render`, without blocking this thread; the tile rows of the picture are shared out among the workers. */
  render(scene: SplatScene, camera: Camera, options?: RenderOptions & { readonly signal?: AbortSignal }): Promise<RenderedView>;
  /** Draws whole pictures, one per worker at a time, and gives them in the order of the cameras. */
  renderAll(
    scene: SplatScene,
    cameras: Iterable<Camera>,
    options?: RenderOptions & { readonly signal?: AbortSignal },
  ): AsyncGenerator<RenderedView, void, void>;
  /** Ends the threads; work in hand is refused. */
  dispose(): Promise<void>;
}
