import { composite, encodeImage, fitInside, type Image, loadImage, resizeImage, toRgb } from "@refadgen/image";

/** A small picture that stands in the page itself. */
export interface Thumbnail {
  /** `data:` URL. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

/** Makes thumbnails, each picture's once. A picture that cannot be shown gives undefined. */
export class Thumbnails {
  readonly #longest: number;
  readonly #made = new Map<string, Promise<Thumbnail | undefined>>();

  /** @param longest pixels of the longer side */
  constructor(longest: number) {
    this.#longest = longest;
  }

  of(path: string): Promise<Thumbnail | undefined> {
    const made = this.#made.get(path) ?? makeThumbnail(path, this.#longest).catch(() => undefined);
    this.#made.set(path, made);
    return made;
  }
}

async function makeThumbnail(path: string, longest: number): Promise<Thumbnail> {
  const image = await loadImage(path);
  const size = image.width <= longest && image.height <= longest ? image : fitInside(image, { width: longest, height: longest });
  const small = flat(resizeImage(image, { width: Math.max(1, size.width), height: Math.max(1, size.height) }, { filter: "box" }));
  const bytes = await encodeImage(small, { format: "webp", quality: 78 });
  return { source: `data:image/webp;base64,${Buffer.from(bytes).toString("base64")}`, width: small.width, height: small.height };
}

/** Transparent parts become white, as on a page. */
function flat(image: Image): Image {
  return image.channels === 2 || image.channels === 4 ? toRgb(composite(image, [255, 255, 255])) : toRgb(image);
}
