import { ArgumentError } from "@refadgen/errors";

/** Vectors of unit length of what is kept so far, searched by cosine without loss. */
export interface EmbeddingSearch {
  /** The first kept vector whose cosine with this one is at least the threshold, and the cosine. */
  find(vector: Float32Array): { readonly owner: number; readonly cosine: number } | undefined;
  add(vector: Float32Array, owner: number): void;
}

/** Dimensions that are compared first. */
const head = 64;

/**
 * Compares with every kept vector: the first 64 dimensions, and the rest only where it could still lift the cosine to the threshold (Cauchy and Schwarz).
 * Exact; about 10⁸ comparisons per minute for unlike vectors.
 */
export function embeddingSearch(dimensions: number, threshold: number): EmbeddingSearch {
  const front = Math.min(head, dimensions);
  let [capacity, size] = [256, 0];
  let rows = new Float32Array(capacity * dimensions);
  let tails = new Float32Array(capacity);
  let owners = new Uint32Array(capacity);
  return {
    find(vector) {
      const tail = rest(vector, front);
      for (let row = 0, at = 0; row < size; row++, at += dimensions) {
        let cosine = 0;
        for (let d = 0; d < front; d++) cosine += vector[d]! * rows[at + d]!;
        if (cosine + tail * tails[row]! < threshold - 1e-6) continue;
        for (let d = front; d < dimensions; d++) cosine += vector[d]! * rows[at + d]!;
        if (cosine >= threshold) return { owner: owners[row]!, cosine };
      }
      return undefined;
    },
    add(vector, owner) {
      if (size === capacity) {
        capacity *= 2;
        rows = grown(rows, new Float32Array(capacity * dimensions));
        tails = grown(tails, new Float32Array(capacity));
        owners = grown(owners, new Uint32Array(capacity));
      }
      rows.set(vector, size * dimensions);
      tails[size] = rest(vector, front);
      owners[size] = owner;
      size++;
    },
  };
}

/** @throws ArgumentError for a vector of another length, of zeros or not of numbers */
export function normalised(vector: ArrayLike<number>, dimensions: number, key: string): Float32Array {
  if (vector.length !== dimensions)
    throw new ArgumentError(`findDuplicates: expected embeddings of ${dimensions} numbers, got ${vector.length} for ${key}`);
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += vector[d]! * vector[d]!;
  if (!(sum > 0) || !Number.isFinite(sum)) throw new ArgumentError(`findDuplicates: expected an embedding of finite length above 0 for ${key}`);
  return Float32Array.from({ length: dimensions }, (_, d) => vector[d]! / Math.sqrt(sum));
}

function rest(vector: Float32Array, from: number): number {
  let sum = 0;
  for (let d = from; d < vector.length; d++) sum += vector[d]! * vector[d]!;
  return Math.sqrt(sum);
}

function grown<T extends Float32Array | Uint32Array>(old: T, wider: T): T {
  wider.set(old);
  return wider;
}
