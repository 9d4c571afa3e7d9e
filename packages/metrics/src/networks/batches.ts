import { elementCount, type Graph, openSession, type Session, type SessionOptions, type Tensor } from "@refadgen/graph";

/** One kind of graph of a network; graphs that differ in anything but the batch have different keys. */
export interface Variant {
  readonly key: string;
  /** The graph for a batch; the first dimension of its inputs and outputs is the batch. */
  build(batch: number): Graph;
  /** Rows that are run together. */
  readonly batch: number;
  /** Smaller batches for what is left over, largest first, 1 last. Default 1 alone: where graphs are kept, each size takes room on the disk. */
  readonly rest?: readonly number[];
}

/** The rows of a batch: inputs without their first dimension, and a function that makes the values of one row. */
export interface Rows {
  readonly count: number;
  readonly inputs: Readonly<Record<string, { readonly dims: readonly number[]; readonly dtype: "float32" | "int64" }>>;
  /** The values of row `index`, one array per input. Called in order, while earlier batches are computed. */
  row(index: number): Readonly<Record<string, Float32Array | BigInt64Array>> | Promise<Readonly<Record<string, Float32Array | BigInt64Array>>>;
}

/** Sessions that stay open for further runs; the one that was used longest ago is closed first. */
const mostSessions = 6;

/** The power of two next to a number of rows: callers' batches are mostly such, and so leave no remainder. */
export function batchFor(rows: number): number {
  return 2 ** Math.max(0, Math.round(Math.log2(rows)));
}

/** The powers of two below a batch, for networks whose graphs are not kept. */
export function smallerBatches(batch: number): readonly number[] {
  return Array.from({ length: Math.log2(batch) }, (_, power) => batch / 2 ** (power + 1));
}

interface Open {
  readonly session: Promise<Session>;
  uses: number;
}

/**
 * Runs graphs of fixed sizes over any number of rows. Sessions are opened when they are needed and kept; rows that do not fill a batch are run
 * in smaller ones, or with copies of the last row where at most a quarter is wasted.
 */
export class BatchRunner {
  readonly #options: SessionOptions;
  readonly #open = new Map<string, Open>();
  #disposed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Runs every row and joins the outputs along the first dimension. */
  async run(
    variant: Variant,
    rows: Rows,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Readonly<Record<string, Tensor<"float32">>>> {
    const { count } = rows;
    const pending: Promise<Readonly<Record<string, Tensor>>>[] = [];
    const results: Readonly<Record<string, Tensor>>[] = [];
    try {
      for (let from = 0; from < count; ) {
        signal?.throwIfAborted();
        const size = sizeFor(count - from, variant);
        const feeds = await gather(rows, from, size);
        pending.push(this.#runOnce(variant, size, feeds, signal));
        from += size;
        // One batch is computed while the next is prepared.
        if (pending.length === 2) results.push(await pending.shift()!);
      }
      while (pending.length > 0) results.push(await pending.shift()!);
    } finally {
      await Promise.allSettled(pending);
    }
    return joined(results, count);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const sessions = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(
      sessions.map(({ session }) =>
        session.then(
          (opened) => opened.dispose(),
          () => undefined,
        ),
      ),
    );
  }

  async #runOnce(
    variant: Variant,
    batch: number,
    feeds: Readonly<Record<string, Tensor>>,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const entry = this.#entry(variant, batch);
    entry.uses++;
    try {
      const session = await entry.session;
      return await session.run(feeds, signal ? { signal } : {});
    } finally {
      entry.uses--;
    }
  }

  #entry(variant: Variant, batch: number): Open {
    if (this.#disposed) throw new Error("BatchRunner: the network has been disposed of");
    const key = nameOf(variant, batch);
    let entry = this.#open.get(key);
    if (!entry) {
      const session = openSession(variant.build(batch), this.#options);
      entry = { session, uses: 0 };
      const opened = entry;
      session.catch(() => {
        if (this.#open.get(key) === opened) this.#open.delete(key);
      });
    }
    // Last in the map is last used.
    this.#open.delete(key);
    this.#open.set(key, entry);
    for (const [name, { session, uses }] of this.#open) {
      if (this.#open.size <= mostSessions) break;
      if (uses > 0 || name === key) continue;
      this.#open.delete(name);
      void session.then(
        (idle) => idle.dispose(),
        () => undefined,
      );
    }
    return entry;
  }
}

/** How many rows are run next, when so many are left. */
function sizeFor(left: number, { batch, rest = [1] }: Variant): number {
  const sizes = [batch, ...rest];
  const enough = sizes.findLast((size) => size >= left);
  if (enough !== undefined && enough - left <= enough / 4) return enough;
  return sizes.find((size) => size <= left)!;
}

function nameOf({ key }: Variant, batch: number): string {
  return `${batch}/${key}`;
}

async function gather({ count, inputs, row }: Rows, from: number, size: number): Promise<Readonly<Record<string, Tensor>>> {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { dims, dtype }]) => {
      const length = size * elementCount(dims);
      return [name, { dtype, dims: [size, ...dims], data: dtype === "int64" ? new BigInt64Array(length) : new Float32Array(length) } as Tensor];
    }),
  );
  for (let index = 0; index < size; index++) {
    // What fills up a batch: its values count for nothing, so long as they are ordinary ones.
    const source = from + index < count ? await row(from + index) : undefined;
    for (const [name, feed] of Object.entries(feeds)) {
      const length = elementCount(inputs[name]!.dims);
      if (source) (feed.data as Float32Array).set(source[name] as Float32Array, index * length);
      else feed.data.copyWithin(index * length, (index - 1) * length, index * length);
    }
    // Preparing a picture takes milliseconds; others want a turn between two.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return feeds;
}

function joined(results: readonly Readonly<Record<string, Tensor>>[], count: number): Readonly<Record<string, Tensor<"float32">>> {
  const [first] = results;
  if (!first) return {};
  return Object.fromEntries(
    Object.entries(first).map(([name, { dims }]) => {
      const length = elementCount(dims.slice(1));
      const data = new Float32Array(count * length);
      let at = 0;
      for (const result of results) {
        const part = result[name]!.data as Float32Array;
        data.set(at + part.length > data.length ? part.subarray(0, data.length - at) : part, at);
        at += part.length;
      }
      return [name, { dtype: "float32", dims: [count, ...dims.slice(1)], data }];
    }),
  );
}
