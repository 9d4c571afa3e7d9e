import { ArgumentError } from "@refadgen/errors";
import { checkScene, type SplatScene } from "../splats/scene.js";
import { type Camera, checkCamera } from "./camera.js";
import { depthOrder } from "./depth-order.js";
import { freeAddress, type Kernel, kernelWith, planesAddress, releaseKernel } from "./kernel.js";
import { type RenderedView, type RenderOptions, type RenderSettings, renderSettings } from "./options.js";
import { projectSplats, recordLength } from "./project.js";
import { countTiles, listTiles, type TileRange, tileSize } from "./tiles.js";

/** Most splats that one picture is drawn from. */
const maxRenderedSplats = 1 << 25;
/** Entries of tile lists held at once (4 bytes each); a picture that needs more is drawn in pieces. */
const listCapacity = 1 << 23;

/**
 * Draws a scene on this thread.
 *
 * The same input gives the same bits on every machine, and as the worker pool with any number of workers.
 *
 * @throws ArgumentError for a scene (see `checkScene`), a camera (see `checkCamera`) or options that cannot be drawn.
 */
export function render(scene: SplatScene, camera: Camera, options: RenderOptions = {}): RenderedView {
  const settings = renderSettings(options);
  checkCamera(camera, "render");
  checkScene(scene, "render");
  const view = emptyView(camera, settings, (length) => new Float32Array(length));
  drawRows(scene, camera, settings, view, { first: 0, step: 1 });
  return view;
}

/** A picture without content, its arrays made by `allocate`. */
export function emptyView({ width, height }: Camera, { depth, normals }: RenderSettings, allocate: (length: number) => Float32Array): RenderedView {
  const pixels = width * height;
  return {
    width,
    height,
    rgb: allocate(pixels * 3),
    alpha: allocate(pixels),
    ...(depth && { depth: allocate(pixels) }),
    ...(normals && { normals: allocate(pixels * 3) }),
  };
}

/**
 * Draws every `step`-th row of tiles, from row `first` on, into `view`; a scene and a camera that were checked.
 *
 * What a pixel gets depends on the splats and their depth order only, so any sharing out of the rows gives the same picture.
 */
export function drawRows(
  scene: SplatScene,
  camera: Camera,
  settings: RenderSettings,
  view: RenderedView,
  { first, step }: { readonly first: number; readonly step: number },
): void {
  if (scene.count > maxRenderedSplats) throw new ArgumentError(`render: expected at most ${maxRenderedSplats} splats, got ${scene.count}`);
  const listAddress = freeAddress + scene.count * recordLength * 4;
  // Tile lists start small: most splats touch few tiles.
  let kernel = kernelWith(listAddress + scene.count * 8);
  const records = new Float32Array(kernel.memory.buffer, freeAddress, scene.count * recordLength);
  let projected = projectSplats(scene, camera, settings, records);
  const order = depthOrder(projected);
  const tilesAcross = Math.ceil(camera.width / tileSize);
  const tilesDown = Math.ceil(camera.height / tileSize);

  const draw = (range: TileRange): void => {
    const counts = countTiles(projected, range);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const [width, height] = [range.right - range.left, range.bottom - range.top];
    if (total > listCapacity && width * height > 1) {
      for (const half of halves(range)) draw(half);
      return;
    }
    kernel = kernelWith(listAddress + total * 4);
    // Growing the memory detaches every view of it.
    projected = { ...projected, records: new Float32Array(kernel.memory.buffer, freeAddress, scene.count * recordLength) };
    const { offsets } = listTiles(projected, order, range, counts, new Uint32Array(kernel.memory.buffer, listAddress, total));
    for (let row = range.top; row < range.bottom; row++) {
      for (let column = range.left; column < range.right; column++) {
        const tile = (row - range.top) * width + column - range.left;
        drawTile(kernel, listAddress + offsets[tile]! * 4, offsets[tile + 1]! - offsets[tile]!, column * tileSize, row * tileSize, settings, view);
      }
    }
  };
  if (step === 1) draw({ left: 0, right: tilesAcross, top: first, bottom: tilesDown });
  else for (let row = first; row < tilesDown; row += step) draw({ left: 0, right: tilesAcross, top: row, bottom: row + 1 });
  releaseKernel();
}

function halves({ left, right, top, bottom }: TileRange): readonly TileRange[] {
  if (bottom - top > 1) {
    const middle = (top + bottom) >> 1;
    return [
      { left, right, top, bottom: middle },
      { left, right, top: middle, bottom },
    ];
  }
  const middle = (left + right) >> 1;
  return [
    { left, right: middle, top, bottom },
    { left: middle, right, top, bottom },
  ];
}

function drawTile(kernel: Kernel, list: number, count: number, left: number, top: number, settings: RenderSettings, view: RenderedView): void {
  const { width, height, rgb, alpha, depth, normals } = view;
  const [backRed, backGreen, backBlue] = settings.background;
  const right = Math.min(left + tileSize, width);
  const bottom = Math.min(top + tileSize, height);
  if (count === 0) {
    for (let y = top; y < bottom; y++) {
      for (let x = left, at = (y * width + left) * 3; x < right; x++, at += 3) {
        rgb[at] = backRed;
        rgb[at + 1] = backGreen;
        rgb[at + 2] = backBlue;
      }
    }
    return;
  }
  const extras = normals ? 2 : depth ? 1 : 0;
  kernel.blend(freeAddress, list, count, planesAddress, left, top, extras, left + 0.5, top + 0.5, settings.alphaCap);
  const planes = new Float32Array(kernel.memory.buffer, planesAddress, tileSize * tileSize * 8);
  const plane = tileSize * tileSize;
  for (let y = top; y < bottom; y++) {
    for (let x = left, at = y * width + left, from = (y - top) * tileSize; x < right; x++, at++, from++) {
      const through = Math.abs(planes[from]!);
      rgb[at * 3] = planes[plane + from]! + through * backRed;
      rgb[at * 3 + 1] = planes[2 * plane + from]! + through * backGreen;
      rgb[at * 3 + 2] = planes[3 * plane + from]! + through * backBlue;
      alpha[at] = 1 - through;
      if (depth) depth[at] = planes[4 * plane + from]! / Math.max(1 - through, 1e-10);
      if (normals) {
        const nx = planes[5 * plane + from]!;
        const ny = planes[6 * plane + from]!;
        const nz = planes[7 * plane + from]!;
        const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
        const scale = length > 1e-12 ? 1 / length : 0;
        normals[at * 3] = nx * scale;
        normals[at * 3 + 1] = ny * scale;
        normals[at * 3 + 2] = nz * scale;
      }
    }
  }
}
