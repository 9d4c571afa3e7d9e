import type { Rectangle } from "@refadgen/image";
import type { Found } from "./find-product.js";

/** What the thread is asked: pixels `[H, W, 3]` of a picture, and boxes in which something stands; without boxes, what the picture is of. */
export interface GrabCutRequest {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly boxes?: readonly Rectangle[];
  readonly iterations: number;
}

/** One mask of 0 and 1 per box, what was found, or what went wrong. */
export type GrabCutReply =
  | { readonly masks: readonly Uint8Array[] }
  | { readonly found: Found | undefined }
  | { readonly error: string; readonly missing: boolean };
