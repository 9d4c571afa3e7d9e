import { createHash } from "node:crypto";
import { type Image, resizeImage } from "@refadgen/image";
import type { FingerprintRow, Stage } from "../contract.js";
import { DatasetError } from "../error.js";
import { flattened, storedImage } from "../score/stored-image.js";
import { type Plane, perceptualHashes, type Share } from "./perceptual-hash.js";
import { thumbnail } from "./thumbnail.js";

/** Raised when the same picture would get another fingerprint. */
const version = 1;

/** The parts of a picture that have hashes: all of it, its middles, and what is left of it when some sides are cut more than others. */
export const hashedParts: readonly Share[] = [
  { left: 0, top: 0, right: 1, bottom: 1 },
  { left: 0.05, top: 0.05, right: 0.95, bottom: 0.95 },
  { left: 0.1, top: 0.1, right: 0.9, bottom: 0.9 },
  { left: 0, top: 0, right: 0.9, bottom: 0.9 },
  { left: 0.1, top: 0, right: 1, bottom: 0.9 },
  { left: 0, top: 0.1, right: 0.9, bottom: 1 },
  { left: 0.1, top: 0.1, right: 1, bottom: 1 },
  { left: 0, top: 0.03, right: 0.92, bottom: 0.97 },
  { left: 0.08, top: 0.03, right: 1, bottom: 0.97 },
  { left: 0.03, top: 0, right: 0.97, bottom: 0.92 },
  { left: 0.03, top: 0.08, right: 0.97, bottom: 1 },
];

/** Longest side that hashes are made of, px: they hold no more than 11 waves. */
const enough = 256;

/**
 * What duplicates are found by: sha256 of the decoded pixels, 64-bit perceptual hashes of the picture, of its mirror image, and of parts of it that
 * others may have cropped it to, and a thumbnail that verifies what the hashes say.
 */
export function fingerprintPicture(image: Image): FingerprintRow {
  const pixels = createHash("sha256").update(`${image.width}x${image.height}x${image.channels}:`).update(image.data).digest("hex");
  const planes = planesOf(flattened(image));
  const [all, ...parts] = hashedParts.map((part) => perceptualHashes(planes[0], part));
  return {
    pixels,
    hashes: [all!.hash, all!.mirrored, ...parts.map(({ hash }) => hash)],
    thumbnail: Buffer.from(thumbnail(planes)).toString("base64"),
  };
}

/** There is nothing to set yet. */
export type FingerprintStageSettings = Readonly<Record<string, never>>;

/** Fingerprints the picture of an item. */
export function fingerprintStage(_settings: FingerprintStageSettings = {}): Stage<"fingerprint"> {
  return {
    name: "fingerprint",
    needs: ["ingest"],
    settings: { version },
    async run({ key, rows: { ingest } }, { files }) {
      if (!ingest) throw new DatasetError("invalid-config", `fingerprint: expected ${key} to have a row of ingest`);
      const { image } = await storedImage(files, ingest.picture);
      return { outcome: "done", row: fingerprintPicture(image) };
    },
  };
}

/** Luma, Cb and Cr of a copy that is small enough to be quick. */
function planesOf(image: Image): readonly [Plane, Plane, Plane] {
  const scale = Math.min(1, enough / Math.max(image.width, image.height));
  const size = { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) };
  const { data } = scale === 1 ? image : resizeImage(image, size, { filter: "box" });
  const planes = [0, 1, 2].map(() => new Float32Array(size.width * size.height)) as [Float32Array, Float32Array, Float32Array];
  for (let pixel = 0, at = 0; pixel < planes[0].length; pixel++, at += 3) {
    const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
    planes[0][pixel] = 0.299 * r + 0.587 * g + 0.114 * b;
    planes[1][pixel] = Math.min(255, Math.max(0, 128 - 0.168736 * r - 0.331264 * g + 0.5 * b));
    planes[2][pixel] = Math.min(255, Math.max(0, 128 + 0.5 * r - 0.418688 * g - 0.081312 * b));
  }
  return planes.map((data_) => ({ ...size, data: data_ })) as unknown as readonly [Plane, Plane, Plane];
}
