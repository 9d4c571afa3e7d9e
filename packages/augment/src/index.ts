// Splats: a typed scene, and its files
export {
  checkScene,
  createScene,
  joinScenes,
  sceneBounds,
  type ShDegree,
  type SplatScene,
  shC0,
  shCoefficientCount,
} from "./splats/scene.js";
export { detectSplatFormat, type ReadSplatsOptions, readSplats, type SplatFormat } from "./splats/read.js";
export { saveSplats, type WriteSplatsOptions, writableSplatFormats, writeSplats } from "./splats/write.js";
export { SplatFileError, type SplatFileErrorCode } from "./splats/error.js";
export type { SplatLimits } from "./splats/limits.js";

// Renderer
export {
  type Camera,
  cameraCentre,
  centredIntrinsics,
  checkCamera,
  type Intrinsics,
  lookAt,
  type Orbit,
  orbitView,
  type Vector3,
} from "./render/camera.js";
export { type RenderedView, type RenderOptions, type RenderSettings, renderSettings, type SplatMode } from "./render/options.js";
export { render } from "./render/render.js";
export { createRenderPool, type PooledRenderOptions, type RenderPool } from "./render/pool.js";
export { type ImageGradient, renderGradient, type SceneGradient } from "./render/gradient.js";

export { viewToImage } from "./render/to-image.js";

// To look at: turntable, animation, viewer, conversion
export { type Framing, frameScene } from "./turntable/framing.js";
export { pictureStrip, type TurntableOptions, turntable, turntableCameras } from "./turntable/turntable.js";
export { type AnimationOptions, encodeAnimation } from "./turntable/animation.js";
export { type ViewerOptions, viewerHtml } from "./turntable/viewer.js";
export { type ConvertSplatsOptions, convertSplats } from "./command/convert.js";

// The steps of the renderer, for those who look inside
export { type ProjectedSplats, projectSplats, record, recordLength } from "./render/project.js";
export { depthOrder } from "./render/depth-order.js";
export { countTiles, listTiles, type TileLists, type TileRange, tileSize } from "./render/tiles.js";
