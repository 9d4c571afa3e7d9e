import { setTimeout as after } from "node:timers/promises";

/** Time that only goes forward: what is waited for does not depend on anybody setting the date. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** @throws the signal's reason when it is aborted */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    signal?.throwIfAborted();
    try {
      await after(Math.max(0, milliseconds), undefined, { ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
