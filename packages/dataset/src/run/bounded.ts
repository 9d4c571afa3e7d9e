/**
 * Works on items as they come, at most `limit` at a time; the next one is taken from the source only when there is room. The first error stops taking, waits for
 * what is under way, and is thrown.
 */
export async function forEachBounded<T>(
  items: Iterable<T> | AsyncIterable<T>,
  { limit, signal }: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const item of items) {
      signal?.throwIfAborted();
      if (failure) break;
      const job: Promise<void> = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(job));
      running.add(job);
      if (running.size >= limit) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  // What an interruption breaks is no news.
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}
