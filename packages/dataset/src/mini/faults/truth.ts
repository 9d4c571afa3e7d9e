import type { Image } from "@refadgen/image";
import type { Json } from "../../contract.js";
import type { MiniMask } from "../triplet.js";

/** What can be wrong with a picture, and the ways in which each comes. */
export const faultStyles = {
  watermark: ["tiled", "logo", "corner", "line"],
  text: ["banner", "price", "caption", "button"],
  occlusion: ["hand", "tag", "sticker", "object"],
  blur: ["defocus", "motion", "anisotropic", "gaussian"],
  "low-resolution": ["enlarged", "small"],
  dark: ["underexposed", "night"],
  jpeg: ["saved", "saved-often"],
  duplicate: ["exact", "re-encoded", "resized", "cropped", "mirrored", "brightness"],
  corrupt: ["truncated", "wrong-extension", "bomb", "empty", "zeros", "html"],
} as const;

export type FaultKind = keyof typeof faultStyles;
export type FaultStyle<Kind extends FaultKind = FaultKind> = (typeof faultStyles)[Kind][number];

export const faultKinds: readonly FaultKind[] = Object.keys(faultStyles) as FaultKind[];

/** What was done to a picture; plain JSON. */
export interface FaultTruth {
  readonly kind: FaultKind;
  readonly style: FaultStyle;
  /** 0 (plain to see for one who looks) to 1 (ruins the picture). */
  readonly strength: number;
  /** Key of the triplet that the picture was made from; of a duplicate, what it repeats. */
  readonly of: string;
  /** Whether a careful reader gets the picture out of the file. */
  readonly readable: boolean;
  /** Share of the picture's pixels that it changed, of kinds that change some places only. */
  readonly share?: number;
  /** `[left, top, width, height]` around those pixels. */
  readonly box?: readonly [left: number, top: number, width: number, height: number];
  /** Share of the picture's pixels that are changed and not the product's. */
  readonly outside?: number;
  /** Share of the product that is still to be seen. */
  readonly visible?: number;
  /** What it was drawn with: lengths in px, shares, words, qualities. */
  readonly details: { readonly [name: string]: Json };
}

/** A picture with a fault, as a file in a pile would be. */
export interface FaultyAd {
  readonly file: {
    readonly bytes: Uint8Array;
    /** What its name says: `png`, `jpg`; of corrupt files not always what it is. */
    readonly extension: string;
  };
  /** RGB, what the file holds; absent where it holds no picture. */
  readonly image?: Image;
  /** Of `image`: what is to be seen of the product. */
  readonly mask?: MiniMask;
  /** Of `image`: the pixels that the fault changed, of kinds that change some places only. */
  readonly region?: MiniMask;
  readonly truth: FaultTruth;
}

/** What a kind of fault gives before it becomes a file. */
export interface Change {
  readonly image: Image;
  /** Default the mask as it was. */
  readonly mask?: MiniMask;
  /** Whether only some places are changed, so that `region` means something. */
  readonly local: boolean;
  readonly details: FaultTruth["details"];
  /** The file, where it matters how it was encoded. */
  readonly file?: FaultyAd["file"];
}
