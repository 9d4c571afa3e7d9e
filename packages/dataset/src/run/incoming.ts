import type { IngestRow, StageContext, StageOutcome } from "../contract.js";

/** Something that a source holds, before it is looked at. */
export interface IncomingItem {
  /** Letters, digits, `_` and `-`; the same each time, whatever else the source holds. */
  readonly key: string;
  /** Path relative to the source, entry of an archive, or address. */
  readonly location: string;
  /** Changes when what is to be read has changed: an item with the same input is not read again. */
  readonly input: string;
  ingest(context: StageContext): Promise<StageOutcome<IngestRow>>;
}

export interface IncomingSource {
  /** Changes when the source holds other items; undefined where that cannot be told without going through it. */
  state(): Promise<string | undefined>;
  /** In the same order each time. */
  items(signal: AbortSignal | undefined): AsyncIterable<IncomingItem>;
}
