import { ArgumentError } from "@refadgen/errors";
import { checkScene, type SplatScene } from "../splats/scene.js";
import { type Camera, checkCamera } from "./camera.js";
import { kernelWith, layoutFor, planesAddress, releaseKernel, sortRecords } from "./kernel.js";
import { type RenderedView, type RenderOptions, type RenderSettings, renderSettings } from "./options.js";
import { projectInto, recordLength } from "./project.js";
import { listTilesInto, type TileRange, tileSize } from "./tiles.js";

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
  checkCamera(camera, "render");
  checkScene(scene, "render");
  return drawSplats(scene, camera, options);
}

/**
 * `render` of a scene and a camera that are known to be sound.
 *
 * @param among which splats, ascending; default all.
 */
export function drawSplats(scene: SplatScene, camera: Camera, options: RenderOptions, among?: Int32Array): RenderedView {
  const settings = renderSettings(options);
  const view = emptyView(camera, settings, (length) => new Float32Array(length));
  drawRows(scene, camera, settings, view, { first: 0, step: 1 }, among);
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
 *
 * @param among which splats, ascending; default all.
 */
export function drawRows(
  scene: SplatScene,
  camera: Camera,
  settings: RenderSettings,
  view: RenderedView,
  { first, step }: { readonly first: number; readonly step: number },
  among?: Int32Array,
): void {
  if (scene.count > maxRenderedSplats) {
    throw new ArgumentError(`render: expected at most ${maxRenderedSplats} splats, got ${scene.count}`);
  }
  const layout = layoutFor(among?.length ?? scene.count, recordLength * 4);
  const kernel = kernelWith(layout.end);
  const count = projectInto(kernel, layout, scene, camera, settings, among);
  sortRecords(kernel, layout, count);
  const tilesAcross = Math.ceil(camera.width / tileSize);
  const tilesDown = Math.ceil(camera.height / tileSize);

  const draw = (range: TileRange): void => {
    const [width, height] = [range.right - range.left, range.bottom - range.top];
    const listed = listTilesInto(kernel, layout, count, range, width * height > 1 ? listCapacity : Number.POSITIVE_INFINITY);
    if (!listed) {
      for (const half of halves(range)) draw(half);
      return;
    }
    const { offsets, lists } = listed;
    const planes = new Float32Array(kernel.memory.buffer, planesAddress, tileSize * tileSize * 8);
    for (let row = range.top; row < range.bottom; row++) {
      for (let column = range.left; column < range.right; column++) {
        const tile = (row - range.top) * width + column - range.left;
        const [left, top, length] = [column * tileSize, row * tileSize, offsets[tile + 1]! - offsets[tile]!];
        if (length > 0) {
          const extras = settings.normals ? 2 : settings.depth ? 1 : 0;
          const list = lists + offsets[tile]! * 4;
          kernel.blend(layout.records, list, length, planesAddress, left, top, extras, left + 0.5, top + 0.5, settings.alphaCap);
          copyTile(planes, left, top, settings.background, view);
        } else emptyTile(left, top, settings.background, view);
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

type Background = RenderSettings["background"];

function emptyTile(left: number, top: number, [red, green, blue]: Background, { width, height, rgb }: RenderedView): void {
  const right = Math.min(left + tileSize, width);
  const bottom = Math.min(top + tileSize, height);
  for (let y = top; y < bottom; y++) {
    for (let x = left, at = (y * width + left) * 3; x < right; x++, at += 3) {
      rgb[at] = red;
      rgb[at + 1] = green;
      rgb[at + 2] = blue;
    }
  }
}

/** From the planes of the kernel to the picture, over the background. */
function copyTile(planes: Float32Array, left: number, top: number, [red, green, blue]: Background, view: RenderedView): void {
  const { width, height, rgb, alpha, depth, normals } = view;
  const right = Math.min(left + tileSize, width);
  const bottom = Math.min(top + tileSize, height);
  const plane = tileSize * tileSize;
  for (let y = top; y < bottom; y++) {
    for (let x = left, at = y * width + left, from = (y - top) * tileSize; x < right; x++, at++, from++) {
      const through = Math.abs(planes[from]!);
      rgb[at * 3] = planes[plane + from]! + through * red;
      rgb[at * 3 + 1] = planes[2 * plane + from]! + through * green;
      rgb[at * 3 + 2] = planes[3 * plane + from]! + through * blue;
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
