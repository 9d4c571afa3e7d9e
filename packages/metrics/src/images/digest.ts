import type { Picture } from "../networks/contract.js";

const digests = new WeakMap<Picture, string>();

/** Remembers what a picture is known by in caches: the sha256 of its file (hex), and what was done to its pixels since. */
export function rememberDigest(picture: Picture, digest: string): void {
  digests.set(picture, digest);
}

/** What a picture is known by in caches; undefined when nobody said. */
export function digestOf(picture: Picture): string | undefined {
  return digests.get(picture);
}
