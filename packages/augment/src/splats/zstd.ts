import { Zstd } from "@hpcc-js/wasm-zstd";
import { SplatFileError } from "./error.js";

/** The level at which the reference library writes. */
const level = 12;

/**
 * Inflates one zstd stream to exactly `size` bytes, and no byte more.
 *
 * @throws SplatFileError if the stream is damaged or of another size.
 */
export async function decompressZstd(data: Uint8Array, size: number, what: string): Promise<Uint8Array> {
  const zstd = await Zstd.load();
  let out: Uint8Array;
  try {
    zstd.reset();
    // One byte more than expected, so that a longer stream shows.
    out = zstd.decompressChunk(data, size + 1);
  } catch (error) {
    throw new SplatFileError("damaged", `${what}: expected a zstd stream of ${size} bytes, got a damaged one (${String(error)})`, { cause: error });
  }
  if (out.length !== size) throw new SplatFileError("damaged", `${what}: expected ${size} bytes, got ${out.length > size ? "more" : out.length}`);
  return out;
}

export async function compressZstd(data: Uint8Array): Promise<Uint8Array> {
  return (await Zstd.load()).compress(data, level);
}
