import { composite, decodeImage, encodeImage, fitInside, type Image, resizeImage, toGrey, toRgb } from "@refadgen/image";
import type { PictureSource } from "../data.js";

/** A small picture that stands in the page itself. */
export interface Thumbnail {
  /** `data:` URL. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

/** Makes thumbnails up to a number and a size in all; further ones, and pictures that cannot be shown, are undefined. */
export class Thumbnails {
  readonly #longest: number;
  readonly #signal: AbortSignal | undefined;
  #left: number;

  /** @param longest pixels of the longer side */
  constructor(longest: number, most: number, signal: AbortSignal | undefined) {
    this.#longest = longest;
    this.#left = most;
    this.#signal = signal;
  }

  async of(source: PictureSource): Promise<Thumbnail | undefined> {
    return this.#made(async () => this.#small(await read(source)));
  }

  /** The ad with everything dimmed that is not the product, and the product's outline. */
  async overlay(ad: PictureSource, mask: PictureSource): Promise<Thumbnail | undefined> {
    return this.#made(async () => {
      const small = this.#small(await read(ad));
      const cover = resizeImage(toGrey(await read(mask)), small, { filter: "box" });
      return marked(small, cover.data);
    });
  }

  async #made(make: () => Promise<Image>): Promise<Thumbnail | undefined> {
    this.#signal?.throwIfAborted();
    if (this.#left <= 0) return undefined;
    this.#left--;
    try {
      const small = await make();
      const bytes = await encodeImage(small, { format: "webp", quality: 76 });
      return { source: `data:image/webp;base64,${Buffer.from(bytes).toString("base64")}`, width: small.width, height: small.height };
    } catch {
      this.#signal?.throwIfAborted();
      return undefined;
    }
  }

  #small(image: Image): Image {
    const frame = { width: this.#longest, height: this.#longest };
    const size = Math.max(image.width, image.height) <= this.#longest ? image : fitInside(image, frame);
    const small = size === image ? image : resizeImage(image, { width: size.width, height: size.height }, { filter: "box" });
    return small.channels === 2 || small.channels === 4 ? toRgb(composite(small, [255, 255, 255])) : toRgb(small);
  }
}

async function read(source: PictureSource): Promise<Image> {
  const bytes = typeof source === "function" ? await source() : source;
  if (!bytes) throw new Error("gone");
  return decodeImage(bytes);
}

const outline = [255, 64, 160] as const;

function marked(image: Image, cover: Uint8Array): Image {
  const { width, height } = image;
  const data = new Uint8Array(image.data);
  const inside = (x: number, y: number) => cover[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]! >= 128;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      if (inside(x, y)) {
        const edge = !inside(x - 1, y) || !inside(x + 1, y) || !inside(x, y - 1) || !inside(x, y + 1);
        if (edge) data.set(outline, at);
      } else {
        for (let channel = 0; channel < 3; channel++) data[at + channel] = Math.round(0.3 * data[at + channel]! + 0.7 * 96);
      }
    }
  }
  return { ...image, data };
}
