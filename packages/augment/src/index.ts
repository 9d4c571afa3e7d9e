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
export { listTiles, type TileLists, type TileRange, tileSize } from "./render/tiles.js";

// Novel views: from one photo to splats, and from there to views from nearby
export {
  type SimilarView,
  type SimilarViewsOptions,
  similarViews,
  type ViewPose,
  type ViewQuality,
  type ViewRanges,
} from "./views/similar-views.js";
export { type Lift, type LiftOptions, lift, maxLiftedPixels } from "./lift/lift.js";
export { type RefineOptions, type Refinement, refine } from "./lift/refine.js";
export type { DepthKind, DepthMap, DepthModel } from "./lift/depth.js";
export type { ShapePrior } from "./lift/shape.js";
export { LiftError, type LiftErrorCode } from "./lift/error.js";
export { type LiftScores, type LiftViewScore, scoreLift } from "./scores/scores.js";
export type { ViewScore } from "./scores/view-score.js";
export { renderView, type ViewPicture, type ViewPictureOptions } from "./views/render-view.js";
export { poseCamera } from "./views/pose.js";

// Degradations: noise, blur, compression
export {
  addGaussianNoise,
  addImpulseNoise,
  addIsoNoise,
  addPoissonNoise,
  addSpeckleNoise,
  type GaussianNoiseParams,
  gaussianNoise,
  type ImpulseNoiseParams,
  impulseNoise,
  type IsoNoiseParams,
  isoNoise,
  type PoissonNoiseParams,
  poissonNoise,
  type SpeckleNoiseParams,
  speckleNoise,
} from "./degradations/noise.js";
export {
  type AnisotropicBlurParams,
  anisotropicBlur,
  type DefocusBlurParams,
  defocusBlur,
  defocusKernel,
  type GaussianBlurParams,
  gaussianBlur,
  gaussianTaps,
  type MotionBlurParams,
  motionBlur,
  motionKernel,
} from "./degradations/blur.js";
export type { Kernel } from "./degradations/convolution.js";
export { type JpegParams, jpegCompression, type WebpParams, webpCompression } from "./degradations/recompression.js";
export { type RescaleParams, rescale, rescaledSize } from "./degradations/rescale.js";

// Degradations: light and colour
export {
  type BrightnessParams,
  brightness,
  type ContrastParams,
  contrast,
  type ExposureParams,
  exposure,
  type GammaParams,
  gamma,
  type SaturationParams,
  saturation,
} from "./degradations/tone.js";
export { temperatureGains, type WhiteBalanceParams, whiteBalance } from "./degradations/white-balance.js";
export { type VignetteParams, vignette } from "./degradations/vignette.js";
export {
  type CastShadowParams,
  castShadow,
  type ContactShadowParams,
  contactShadow,
  contactShadowMap,
  darken,
} from "./degradations/shadow.js";
export { type GlareParams, glare, type HighlightParams, highlight, type LightSpot } from "./degradations/glare.js";
export { type ColourProfileMistake, type ColourProfileParams, colourProfile, colourProfileMistakes } from "./degradations/colour-profile.js";

// Degradations: what moves pixels, what hides them, wrong masks
export { type Border, type Point, type Warp, type WarpOptions, warpPicture, warpPoints } from "./degradations/warp.js";
export {
  type AffineParams,
  affine,
  affineWarp,
  type Matrix3,
  matrixOfPoints,
  matrixWarp,
  type PerspectiveParams,
  perspective,
  perspectiveWarp,
} from "./degradations/homography.js";
export {
  splineWarp,
  type ThinPlateParams,
  type ThinPlateSpline,
  thinPlate,
  thinPlateSpline,
  thinPlateWarp,
} from "./degradations/thin-plate.js";
export {
  displacementWarp,
  type ElasticParams,
  elastic,
  elasticWarp,
  type LensParams,
  lens,
  lensWarp,
  smoothedDisplacement,
} from "./degradations/displacement.js";
export { type OcclusionParams, occlusion, occlusionWithMask } from "./degradations/occlusion.js";
export type { HandParams } from "./degradations/hand.js";
export type { TagParams } from "./degradations/tag.js";
export { type MatteErrorParams, type MatteResult, matteError } from "./degradations/matte.js";
export type { Picture } from "./degradations/picture.js";
export type { Companion, Sample } from "./degradations/sample.js";

// Degradations by name and strength
export {
  type DegradationName,
  type DegradationParams,
  degradationNames,
  degrade,
  sampleDegradation,
} from "./degradations/catalogue.js";
export type { Strength } from "./degradations/magnitudes.js";
export { psnr, ssim } from "./degradations/similarity.js";
export { type ParameterGenerator, parameterGenerator, type StreamKey } from "./random/generator.js";

// Recipes
export {
  type Composed,
  compose,
  type Degradation,
  type DegradationOptions,
  degradation,
  type GroupOptions,
  inRandomOrder,
  oneOf,
  type Picked,
  parseRecipe,
  someOf,
  type Transform,
} from "./recipe/transform.js";
export { type AppliedRecord, augment, drawSteps, type RecipeKey, replay, type Step } from "./recipe/apply.js";
export { type UploadRecipeOptions, uploadRecipe } from "./recipe/upload-recipe.js";
export {
  type AugmentedVariant,
  type AugmentItem,
  type DegradedVariant,
  type DualAugmentationOptions,
  dualAugmentation,
  type ViewVariant,
} from "./recipe/dual-augmentation.js";

// Folders of photos, and the command
export { type AugmentFolderOptions, augmentFolder, type BatchEvent, type FailedProduct } from "./batch/augment-folder.js";
export { BatchError, type BatchErrorCode, productMask } from "./batch/product-mask.js";
export { contactSheet, type SheetRow } from "./batch/contact-sheet.js";
export { runAugmentCommand } from "./command/run.js";
