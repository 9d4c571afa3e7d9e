import type { Clock } from "./clock.js";

/** A place at an endpoint, to be given back. */
export type Leave = () => void;

/**
 * How many requests an endpoint gets: so many at once and so many a minute, fewer while it is busy. The number at once is halved at each refusal and
 * grows by one for each full round of answers (additive increase, multiplicative decrease).
 */
export class Limiter {
  readonly #most: number;
  readonly #gap: number;
  readonly #clock: Clock;
  #allowed: number;
  #inside = 0;
  #nextStart = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] = [];

  constructor({ concurrent, perMinute }: { readonly concurrent: number; readonly perMinute: number | undefined }, clock: Clock) {
    this.#most = concurrent;
    this.#allowed = concurrent;
    this.#gap = perMinute === undefined ? 0 : 60_000 / perMinute;
    this.#clock = clock;
  }

  /** Requests that are under way or wait, for each that may be. */
  get load(): number {
    return (this.#inside + this.#waiting.length) / this.#allowed;
  }

  /** Waits for a place. Requests start evenly over the minute, so that no burst is followed by a pause. */
  async enter(signal: AbortSignal | undefined): Promise<Leave> {
    while (this.#inside >= Math.floor(this.#allowed)) await this.#place(signal);
    signal?.throwIfAborted();
    this.#inside++;
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#inside--;
      this.#wake();
    };
    try {
      const now = this.#clock.now();
      const start = Math.max(now, this.#nextStart);
      this.#nextStart = start + this.#gap;
      if (start > now) await this.#clock.sleep(start - now, signal);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  busy(): void {
    this.#allowed = Math.max(1, this.#allowed / 2);
  }

  answered(): void {
    this.#allowed = Math.min(this.#most, this.#allowed + 1 / this.#allowed);
    this.#wake();
  }

  #place(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const go = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        this.#waiting = this.#waiting.filter((other) => other !== go);
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.push(go);
    });
  }

  #wake(): void {
    for (let free = Math.floor(this.#allowed) - this.#inside; free > 0; free--) this.#waiting.shift()?.();
  }
}
