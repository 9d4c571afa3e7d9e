import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";

/** Where an interrupted stream goes on. Plain JSON, to be kept with a checkpoint. */
export interface Position {
  readonly version: 1;
  /** Digest of the data set and of everything that its order depends on. */
  readonly stream: string;
  readonly epoch: number;
  /** Rows of this rank and epoch that are done. */
  readonly row: number;
}

/** Digest of what decides which row comes when, and what is drawn for it. */
export function streamDigest(parts: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** @throws ArgumentError for a position of another data set, seed, rank or order: going on from it would repeat some rows and leave out others */
export function checkPosition(position: Position, stream: string): void {
  const { version, epoch, row } = position;
  if (version !== 1 || ![epoch, row].every((value) => Number.isSafeInteger(value) && value >= 0))
    throw new ArgumentError(`stream: expected a position of version 1, got ${JSON.stringify(position)}`);
  if (position.stream !== stream)
    throw new ArgumentError("stream: expected a position of the same data set, split, products, seed, rank and shuffle, got one of another stream");
}
