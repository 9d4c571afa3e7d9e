import { type Feeds, type Graph, openSession, type Session, type Tensor } from "@refadgen/graph";

interface Open {
  readonly session: Promise<Session>;
  uses: number;
  closing?: NodeJS.Timeout;
}

/** How long an unused session keeps its thread. */
const idleMilliseconds = 5000;

const open = new Map<string, Open>();

/**
 * Runs a graph of arithmetic in ONNX Runtime, whose matrix products use all processors and leave the event loop free. Sessions stay open
 * for some seconds, so that a loop over blocks opens one only.
 *
 * @param key equal for equal graphs
 */
export async function runArithmetic(key: string, build: () => Graph, feeds: Feeds, signal?: AbortSignal): Promise<Readonly<Record<string, Tensor>>> {
  let entry = open.get(key);
  if (!entry) {
    entry = { session: openSession(build()), uses: 0 };
    open.set(key, entry);
    entry.session.catch(() => open.delete(key));
  }
  clearTimeout(entry.closing);
  entry.uses++;
  try {
    const session = await entry.session;
    return await session.run(feeds, signal ? { signal } : {});
  } finally {
    entry.uses--;
    if (entry.uses === 0) closeLater(key, entry);
  }
}

function closeLater(key: string, entry: Open): void {
  entry.closing = setTimeout(() => {
    open.delete(key);
    entry.session.then(
      (session) => session.dispose(),
      () => undefined,
    );
  }, idleMilliseconds);
  entry.closing.unref();
}
