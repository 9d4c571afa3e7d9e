import { parameterGenerator } from "@refadgen/augment";
import { ArgumentError } from "@refadgen/errors";

/** Probabilities, each of its own: together at most 1. */
export interface Dropout {
  /** The picture for the image encoder is zero. Default 0.05. */
  readonly image?: number;
  /** The caption is empty. Default 0.05. */
  readonly text?: number;
  /** Both. Default 0.05. */
  readonly both?: number;
}

/** What is left to chance about a row. */
export interface Draws {
  /** 0 to below 1 of the way that the crop can go down and to the right. */
  readonly down: number;
  readonly right: number;
  /** Number of the caption; -1 where there is none. */
  readonly caption: number;
  /** 0 the product itself, else a variant. */
  readonly product: number;
  readonly dropImage: boolean;
  readonly dropText: boolean;
}

export interface DrawKey {
  readonly seed: number | string;
  readonly epoch: number;
  /** Number of the row in its data set. */
  readonly row: number;
}

export const defaultDropout: Required<Dropout> = { image: 0.05, text: 0.05, both: 0.05 };

/**
 * The draws of a row in an epoch. They depend on seed, epoch and row alone: neither on the order, nor on workers, ranks, batches or an interruption;
 * and each is a stream of its own, so that another crop does not mean another caption.
 */
export function drawRow({ seed, epoch, row }: DrawKey, captions: number, products: number, dropout: Required<Dropout>): Draws {
  const stream = (transform: string) => parameterGenerator({ seed, item: String(row), variant: epoch, transform });
  const crop = stream("crop");
  const chance = stream("dropout").uniform();
  const { image, text, both } = dropout;
  const dropBoth = chance >= image + text && chance < image + text + both;
  return {
    down: crop.uniform(),
    right: crop.uniform(),
    caption: captions === 0 ? -1 : stream("caption").index(captions),
    product: stream("product").index(products),
    dropImage: chance < image || dropBoth,
    dropText: (chance >= image && chance < image + text) || dropBoth,
  };
}

/** @throws ArgumentError unless all are probabilities that leave room for each other */
export function checkedDropout(given: Dropout | undefined): Required<Dropout> {
  const dropout = { ...defaultDropout, ...given };
  const { image, text, both } = dropout;
  if (![image, text, both].every((value) => value >= 0 && value <= 1) || image + text + both > 1)
    throw new ArgumentError(`batches: expected dropout probabilities of at most 1 together, got ${JSON.stringify(dropout)}`);
  return dropout;
}
