import { ArgumentError } from "@refadgen/errors";
import { shape, type Tensor } from "@refadgen/graph";

export interface TileOptions {
  /** Sides of a tile, in latents: the size that the graph behind the function is built for. */
  readonly tile: { readonly height: number; readonly width: number };
  /** What neighbouring tiles share at least, in latents; default a quarter of the tile's shorter side. More hides seams better and costs more tiles. */
  readonly overlap?: number;
  /** Checked before every tile. */
  readonly signal?: AbortSignal;
  /** Called after every tile. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface DecodeTiledOptions extends TileOptions {
  /** `[B, C, h, w]`; no side smaller than the tile's. */
  readonly latents: Tensor;
  /** Decodes one tile, `[B, C, tile.height, tile.width]`; the sides of what it gives are a whole multiple of those, 8 for Stable Diffusion. */
  readonly decode: (latents: Tensor) => Promise<Tensor>;
}

export interface EncodeTiledOptions extends TileOptions {
  /** `[B, 3, H, W]`; the sides are multiples of `reduction`, none smaller than the tile's times `reduction`. */
  readonly image: Tensor;
  /** Encodes one tile, `[B, 3, tile.height · reduction, tile.width · reduction]`, to tensors of the tile's sides: mean and logvar, say. */
  readonly encode: (image: Tensor) => Promise<Readonly<Record<string, Tensor>>>;
  /** Pixels per latent; default 8. */
  readonly reduction?: number;
}

/**
 * Decodes large latents tile by tile, so that memory does not grow with the image; where tiles overlap, one fades into the next.
 *
 * All tiles have one size, so one graph serves them all: as many as the overlap needs, spread evenly, the last ending at the border.
 * The result differs a little from decoding at once, because group statistics and attention then cover a tile instead of the image.
 *
 * @returns `[B, C', h · factor, w · factor]`
 * @throws ArgumentError when sizes do not fit; the signal's reason when it is aborted.
 */
export async function decodeTiled({ latents, decode, ...options }: DecodeTiledOptions): Promise<Tensor<"float32">> {
  const { image } = await inTiles("decodeTiled", latents, 1, async (tile) => ({ image: await decode(tile) }), options);
  return image!;
}

/**
 * Encodes a large image tile by tile; see `decodeTiled`. Each output is blended by itself.
 *
 * @returns the outputs of `encode` for the whole image, `[B, C', H / reduction, W / reduction]`
 * @throws ArgumentError when sizes do not fit; the signal's reason when it is aborted.
 */
export async function encodeTiled({
  image,
  encode,
  reduction = 8,
  ...options
}: EncodeTiledOptions): Promise<Readonly<Record<string, Tensor<"float32">>>> {
  return inTiles("encodeTiled", image, reduction, encode, options);
}

type Result = { -readonly [K in keyof Tensor<"float32">]: Tensor<"float32">[K] };

async function inTiles(
  where: string,
  input: Tensor,
  unit: number,
  run: (tile: Tensor) => Promise<Readonly<Record<string, Tensor>>>,
  { tile, overlap = Math.floor(Math.min(tile.height, tile.width) / 4), signal, onProgress }: TileOptions,
): Promise<Record<string, Result>> {
  if (input.dtype !== "float32" || input.dims.length !== 4)
    throw new ArgumentError(`${where}: expected float32 [B, C, H, W], got ${input.dtype} ${shape(input.dims)}`);
  const [batch, , height, width] = input.dims as [number, number, number, number];
  if (![unit, height / unit, width / unit].every((size) => Number.isInteger(size) && size >= 1)) {
    throw new ArgumentError(`${where}: expected sides that are multiples of ${unit}, got ${height} × ${width}`);
  }
  const lines = axisOf(where, "height", height / unit, tile.height, overlap);
  const columns = axisOf(where, "width", width / unit, tile.width, overlap);
  const results: Record<string, Result> = {};
  const total = lines.length * columns.length;
  for (const [row, top] of lines.entries()) {
    for (const [column, left] of columns.entries()) {
      signal?.throwIfAborted();
      const outputs = await run(crop(input as Tensor<"float32">, top * unit, left * unit, tile.height * unit, tile.width * unit));
      for (const [name, output] of Object.entries(outputs)) {
        const factor = (output.dims[2] ?? 0) / tile.height;
        const fits =
          output.dtype === "float32" && output.dims[0] === batch && Number.isInteger(factor) && factor >= 1 && output.dims[3] === tile.width * factor;
        if (!fits)
          throw new ArgumentError(
            `${where}: expected "${name}" to be float32 [${batch}, C, n · ${tile.height}, n · ${tile.width}], got ${output.dtype} ${shape(output.dims)}`,
          );
        const dims = [batch, output.dims[1]!, (height / unit) * factor, (width / unit) * factor];
        results[name] ??= { dtype: "float32", dims, data: new Float32Array(dims.reduce((product, size) => product * size, 1)) };
        addWeighted(
          results[name],
          output as Tensor<"float32">,
          top * factor,
          left * factor,
          shares(lines, tile.height, row, factor),
          shares(columns, tile.width, column, factor),
        );
      }
      onProgress?.({ done: row * columns.length + column + 1, total });
    }
  }
  return results;
}

/** Where the tiles begin along one axis. */
function axisOf(where: string, name: string, length: number, tile: number, overlap: number): readonly number[] {
  if (!Number.isInteger(tile) || tile < 1 || tile > length)
    throw new ArgumentError(`${where}: expected a tile ${name} of 1 to ${length}, got ${tile}`);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= tile)
    throw new ArgumentError(`${where}: expected an overlap of 0 to ${tile - 1}, got ${overlap}`);
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, index) => (count === 1 ? 0 : Math.round((index * (length - tile)) / (count - 1))));
}

/** What one tile contributes to each position that it covers; over all tiles the shares of a position add up to 1. */
function shares(starts: readonly number[], tile: number, index: number, factor: number): Float64Array {
  const ramp = (other: number, position: number) => {
    const [start, end] = [starts[other]!, starts[other]! + tile];
    if (position < start * factor || position >= end * factor) return 0;
    const before = starts[other - 1] === undefined ? 0 : (starts[other - 1]! + tile - start) * factor;
    const after = starts[other + 1] === undefined ? 0 : (end - starts[other + 1]!) * factor;
    const rising = before > 0 ? (position - start * factor + 0.5) / before : 1;
    const falling = after > 0 ? (end * factor - position - 0.5) / after : 1;
    return Math.min(1, rising, falling);
  };
  return Float64Array.from({ length: tile * factor }, (_, offset) => {
    const position = starts[index]! * factor + offset;
    const total = starts.reduce((sum, _, other) => sum + ramp(other, position), 0);
    return ramp(index, position) / total;
  });
}

function crop({ dims, data }: Tensor<"float32">, top: number, left: number, height: number, width: number): Tensor<"float32"> {
  const [batch, channels, fromHeight, fromWidth] = dims as [number, number, number, number];
  const part = new Float32Array(batch * channels * height * width);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let row = 0; row < height; row++) {
      const from = (plane * fromHeight + top + row) * fromWidth + left;
      part.set(data.subarray(from, from + width), (plane * height + row) * width);
    }
  }
  return { dtype: "float32", dims: [batch, channels, height, width], data: part };
}

function addWeighted(into: Result, part: Tensor<"float32">, top: number, left: number, rows: Float64Array, columns: Float64Array): void {
  const [batch, channels, height, width] = into.dims as [number, number, number, number];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let row = 0; row < rows.length; row++) {
      const to = (plane * height + top + row) * width + left;
      const from = (plane * rows.length + row) * columns.length;
      for (let column = 0; column < columns.length; column++) into.data[to + column]! += rows[row]! * columns[column]! * part.data[from + column]!;
    }
  }
}
