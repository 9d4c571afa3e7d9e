// The renderer from splats to tiles of pixels, in AssemblyScript with 128-bit SIMD.
// Compiled by kernel/build.mjs into src/render/kernel-binary.ts. Only IEEE operations whose result is fixed are used (no relaxed SIMD, no host
// functions), so that every machine gives the same bits. All addresses are in bytes; the caller lays out the memory.
export { blend } from "./render/blend";
export { sortByDepth } from "./render/depth-order";
export { project } from "./render/project";
export { countTiles, listTiles } from "./render/tiles";
