import type { Rectangle } from "@refadgen/image";

/** What the thread is asked: pixels `[H, W, 3]` of a picture, and boxes in which something stands. */
export interface GrabCutRequest {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly boxes: readonly Rectangle[];
  readonly iterations: number;
}

/** One mask of 0 and 1 per box, or what went wrong. */
export type GrabCutReply = { readonly masks: readonly Uint8Array[] } | { readonly error: string; readonly missing: boolean };
