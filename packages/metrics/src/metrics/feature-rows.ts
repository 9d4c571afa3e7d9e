import { ArgumentError } from "@refadgen/errors";
import type { FeatureRows } from "../statistics/kid.js";
import type { FeatureSink } from "./set-accumulator.js";

/** Rows of one side: plain data. */
export interface RowsState {
  readonly width: number;
  readonly rows: Float32Array;
}

/** Keeps every row: 8 kB a picture at 2048 dimensions. */
export class RowSink implements FeatureSink<RowsState> {
  #parts: Float32Array[] = [];
  #width = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  async add(rows: Float32Array, width: number): Promise<void> {
    if (this.#width !== 0 && this.#width !== width) throw new ArgumentError(`features: expected rows of ${this.#width} values, got ${width}`);
    this.#width = width;
    this.#count += rows.length / width;
    this.#parts.push(rows.slice());
  }

  state(): RowsState {
    return { width: this.#width, rows: this.all().rows };
  }

  merge({ width, rows }: RowsState): Promise<void> {
    return rows.length === 0 ? Promise.resolve() : this.add(rows, width);
  }

  /** All rows in order. */
  all(): FeatureRows {
    if (this.#parts.length !== 1) {
      const rows = new Float32Array(this.#count * this.#width);
      let at = 0;
      for (const part of this.#parts) {
        rows.set(part, at);
        at += part.length;
      }
      this.#parts = [rows];
    }
    return { rows: this.#parts[0]!, count: this.#count, dimensions: this.#width };
  }
}
