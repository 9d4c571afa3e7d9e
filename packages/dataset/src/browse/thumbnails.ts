import { composite, decodeImage, encodeImage, fitInside, resizeImage, toRgb } from "@refadgen/image";
import type { TripletPicture } from "../contract.js";
import type { DecisionStore } from "./store.js";

/** Small copies of ads for the list: a page of full pictures would take a hundred megabytes. The last ones are kept. */
export class ThumbnailCache {
  readonly #store: DecisionStore;
  readonly #longest: number;
  readonly #most: number;
  readonly #made = new Map<string, Promise<TripletPicture | undefined>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: DecisionStore, longest: number, most: number) {
    this.#store = store;
    this.#longest = longest;
    this.#most = most;
  }

  of(key: string): Promise<TripletPicture | undefined> {
    const made = this.#made.get(key) ?? this.#next(key);
    this.#made.delete(key);
    this.#made.set(key, made);
    if (this.#made.size > this.#most) this.#made.delete(this.#made.keys().next().value!);
    // A picture that could not be read may be there later.
    made.catch(() => this.#made.delete(key));
    return made;
  }

  /** One after the other, so that the picture that is looked at does not wait for sixty. */
  #next(key: string): Promise<TripletPicture | undefined> {
    const made = this.#turn.then(() => this.#make(key));
    this.#turn = made.catch(() => undefined);
    return made;
  }

  async #make(key: string): Promise<TripletPicture | undefined> {
    const picture = await this.#store.picture(key, "ad");
    if (!picture) return undefined;
    const image = await decodeImage(picture.bytes);
    const flat = image.channels === 2 || image.channels === 4 ? toRgb(composite(image, [255, 255, 255])) : toRgb(image);
    const frame = { width: this.#longest, height: this.#longest };
    const small = Math.max(flat.width, flat.height) <= this.#longest ? flat : resizeImage(flat, fitInside(flat, frame), { filter: "box" });
    return { bytes: await encodeImage(small, { format: "webp", quality: 74 }), type: "image/webp" };
  }
}
