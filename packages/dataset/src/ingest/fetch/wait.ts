import { setTimeout as sleep } from "node:timers/promises";

/** Time as the fetcher sees it; tests bring their own. */
export interface Wait {
  /** Milliseconds that only grow. */
  now(): number;
  /** @throws the signal's reason */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemWait: Wait = {
  now: () => performance.now(),
  async sleep(milliseconds, signal) {
    try {
      await sleep(milliseconds, undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
