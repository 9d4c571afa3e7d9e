import { crc32, deflateSync } from "node:zlib";
import { encodeImage, type Image } from "@refadgen/image";
import type { Random } from "../random.js";
import type { FaultStyle, FaultTruth } from "./truth.js";

export interface CorruptFile {
  readonly bytes: Uint8Array;
  readonly extension: string;
  /** Whether the picture can be had from it all the same. */
  readonly readable: boolean;
  readonly details: FaultTruth["details"];
}

/** Files as they are found where pictures should be. */
export async function corrupted(image: Image, style: FaultStyle<"corrupt">, strength: number, random: Random): Promise<CorruptFile> {
  switch (style) {
    case "truncated": {
      const format = random.pick(["png", "jpeg"] as const);
      const whole = await encodeImage(image, { format });
      // More strength leaves less.
      const kept = Math.max(24, Math.floor(whole.length * (0.9 - 0.8 * strength)));
      return {
        bytes: whole.slice(0, kept),
        extension: format === "png" ? "png" : "jpg",
        readable: false,
        details: { format, bytes: whole.length, kept },
      };
    }
    case "wrong-extension": {
      const format = random.pick(["png", "jpeg", "webp"] as const);
      const extension = random.pick(format === "png" ? ["jpg", "webp"] : format === "jpeg" ? ["png", "webp"] : ["jpg", "png"]);
      return { bytes: await encodeImage(image, { format }), extension, readable: true, details: { format } };
    }
    case "bomb": {
      const side = random.integer(30_000, 60_000);
      return random.chance(0.5)
        ? { bytes: pngOf(side, side), extension: "png", readable: false, details: { format: "png", side } }
        : {
            bytes: enlargedJpeg(await encodeImage(image, { format: "jpeg" }), side),
            extension: "jpg",
            readable: false,
            details: { format: "jpeg", side },
          };
    }
    case "empty":
      return { bytes: new Uint8Array(), extension: random.pick(["png", "jpg"]), readable: false, details: {} };
    case "zeros": {
      const count = random.integer(1, 40_000);
      return { bytes: new Uint8Array(count), extension: random.pick(["png", "jpg"]), readable: false, details: { bytes: count } };
    }
    case "html": {
      const page = `<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body><h1>Forbidden</h1><p>Request ${random.integer(1e6, 9e6)} was refused.</p></body></html>\n`;
      return { bytes: new TextEncoder().encode(page), extension: "jpg", readable: false, details: {} };
    }
  }
}

/** A PNG whose header claims a size that its few bytes do not hold; its checksums are right. */
function pngOf(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(Buffer.alloc(1000))),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A JPEG whose frame header claims another size. */
function enlargedJpeg(file: Uint8Array, side: number): Uint8Array {
  const out = Buffer.from(file);
  // Segments after the start of the image: 0xFF, marker, two bytes of length.
  let at = 2;
  while (at + 9 < out.length && out[at] === 0xff) {
    const marker = out[at + 1]!;
    if (marker >= 0xc0 && marker <= 0xc2) {
      out.writeUInt16BE(side, at + 5);
      out.writeUInt16BE(side, at + 7);
      break;
    }
    at += 2 + out.readUInt16BE(at + 2);
  }
  return new Uint8Array(out);
}
