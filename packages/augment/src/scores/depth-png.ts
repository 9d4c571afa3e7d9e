import { readFile } from "node:fs/promises";
import { inflateSync } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";

/** A depth of 16 bits, which 8-bit decoders would cut down. */
interface DepthPicture {
  readonly width: number;
  readonly height: number;
  /** [H, W] steps times `unit`. */
  readonly data: Float32Array;
}

/**
 * Reads a 16-bit grey PNG without interlacing.
 *
 * @throws ArgumentError for another kind of PNG.
 */
export async function readDepthPng(path: string, unit: number): Promise<DepthPicture> {
  const file = await readFile(path);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const parts: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const type = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") {
      width = body.readUInt32BE(0);
      height = body.readUInt32BE(4);
      if (body[8] !== 16 || body[9] !== 0 || body[12] !== 0) throw new ArgumentError(`${path}: expected 16-bit grey without interlacing`);
    }
    if (type === "IDAT") parts.push(body);
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 2;
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!;
    for (let x = 0; x < stride; x++) {
      const i = y * stride + x;
      const left = x >= 2 ? pixels[i - 2]! : 0;
      const up = y > 0 ? pixels[i - stride]! : 0;
      const corner = x >= 2 && y > 0 ? pixels[i - stride - 2]! : 0;
      pixels[i] = raw[y * (stride + 1) + 1 + x]! + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
    }
  }
  const data = new Float32Array(width * height);
  for (let i = 0; i < data.length; i++) data[i] = (pixels[i * 2]! * 256 + pixels[i * 2 + 1]!) * unit;
  return { width, height, data };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
