import type { Rejection, TripletPicture } from "../contract.js";

export type Decision = "accepted" | "rejected";

/** A picture of an item: `ad`, `product`, `mask`, `variant-0` and so on. */
export type PictureRole = "ad" | "product" | "mask" | `variant-${number}`;

/** An item as it is looked at. */
export interface BrowseItem {
  /** Letters, digits, `_` and `-`; unique. */
  readonly key: string;
  readonly category?: string;
  readonly captions: readonly string[];
  readonly scores: { readonly [score: string]: number | null };
  /** Why the run left it out, if it did. */
  readonly reasons: readonly Rejection[];
  readonly split?: string;
  /** Pictures that there are. */
  readonly pictures: readonly PictureRole[];
  readonly decision?: Decision;
}

export interface BrowseQuery {
  /** Items after the one with this key, in the query's order. Default from the start. */
  readonly after?: string;
  /** 1 to 200. */
  readonly limit: number;
  readonly category?: string;
  /** `none`: not decided yet. Default all. */
  readonly decision?: Decision | "none";
  /** Code of a reason for which the run left the item out; `none` for those that it kept. */
  readonly reason?: string;
  /** Items whose score is within; items without the score are not. */
  readonly score?: { readonly name: string; readonly least?: number; readonly most?: number };
  /** Default by key. Items without the score come last; equal ones by key. */
  readonly order?: { readonly score: string; readonly direction: "ascending" | "descending" };
}

export interface BrowseCounts {
  readonly items: number;
  readonly accepted: number;
  readonly rejected: number;
}

export interface BrowsePage {
  readonly items: readonly BrowseItem[];
  /** Items that match, on all pages. */
  readonly total: number;
  /** Whether there are items after these. */
  readonly more: boolean;
  /** Of all items, whatever the query. */
  readonly counts: BrowseCounts;
}

/** What can be asked for. */
export interface BrowseFacets {
  readonly categories: readonly string[];
  /** Codes of reasons. */
  readonly reasons: readonly string[];
  readonly scores: readonly string[];
}

/** Items and what a person says of them; a run's ledger, or `decisionStore` for a list. */
export interface DecisionStore {
  list(query: BrowseQuery): Promise<BrowsePage>;
  /**
   * Keeps the decision for good before it returns; `undefined` takes it back.
   *
   * @returns the counts with it, or undefined if there is no such item
   */
  decide(key: string, decision: Decision | undefined): Promise<BrowseCounts | undefined>;
  facets(): Promise<BrowseFacets>;
  /** Undefined if there is no such picture. */
  picture(key: string, role: PictureRole): Promise<TripletPicture | undefined>;
}
