// Inner loops of the degradations on 8-bit pictures, in AssemblyScript with 128-bit SIMD.
// Compiled by kernel/build-pixels.mjs into src/degradations/pixel-kernel-binary.ts. Only operations whose result is fixed are used, so that
// every machine gives the same bits. All addresses are in bytes; the caller lays out the memory. Whole vectors are read and written: up to
// 64 bytes behind every area may be touched.
export { convolveSeparably, convolveSymmetrically, convolveSparsely, padded, smoothFloats } from "./pixels/filter";
export { addImpulses, addNormals, addPhotonNoise, addSensorNoise, philox } from "./pixels/noise";
export { shrink, stretch } from "./pixels/resample";
export { applyLight, lookUp, lookUpColours, mixColours, saturate } from "./pixels/tone";
export { lensRow, matrixRow, nearestRow, splineRow, warpRow } from "./pixels/warp";
