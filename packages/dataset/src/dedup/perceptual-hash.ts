/** A rectangle in shares of a picture's sides. */
export interface Share {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A plane of numbers, rows first. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** Side of the square whose cosine transform is taken. */
const side = 32;

/**
 * Two 64-bit perceptual hashes of a part of a picture, of it and of its mirror image: the signs of the 64 lowest frequencies of the cosine transform
 * around their median (C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010), here without the mean, which says
 * nothing. Mirroring negates the frequencies that are odd across, so both come from one transform.
 */
export function perceptualHashes(grey: Plane, part: Share): { readonly hash: string; readonly mirrored: string } {
  const small = averaged(grey, part, side, side);
  const values = lowest.map(([across, down]) => frequency(small, across, down));
  return { hash: hashOf(values), mirrored: hashOf(values.map((value, index) => (lowest[index]![0] % 2 === 1 ? -value : value))) };
}

/** Bits in which two hashes of 16 hexadecimal digits differ. */
export function hashDistance(a: string, b: string): number {
  const [first, second] = [hashWords(a), hashWords(b)];
  return bitCount(first[0] ^ second[0]) + bitCount(first[1] ^ second[1]);
}

/** The upper and the lower 32 bits of 16 hexadecimal digits. */
export function hashWords(hash: string): readonly [high: number, low: number] {
  return [Number.parseInt(hash.slice(0, 8), 16) >>> 0, Number.parseInt(hash.slice(8), 16) >>> 0];
}

/** Ones among 32 bits. */
export function bitCount(bits: number): number {
  let v = bits - ((bits >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The 64 pairs of frequencies, across and down, with the least sum, without the mean. */
const lowest: readonly (readonly [number, number])[] = Array.from({ length: 121 }, (_, at) => [at % 11, Math.floor(at / 11)] as const)
  .filter(([across, down]) => across + down > 0)
  .sort(([a, b], [c, d]) => a + b - (c + d) || a - c)
  .slice(0, 64);

const cosines = Array.from({ length: 11 }, (_, wave) =>
  Float64Array.from({ length: side }, (_unused, at) => Math.cos((Math.PI * wave * (2 * at + 1)) / (2 * side))),
);

function frequency(square: Float32Array, across: number, down: number): number {
  const [horizontal, vertical] = [cosines[across]!, cosines[down]!];
  let sum = 0;
  for (let y = 0; y < side; y++) {
    let row = 0;
    for (let x = 0; x < side; x++) row += square[y * side + x]! * horizontal[x]!;
    sum += row * vertical[y]!;
  }
  return sum;
}

function hashOf(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const median = (sorted[31]! + sorted[32]!) / 2;
  let hash = "";
  for (let digit = 0; digit < 16; digit++) {
    let bits = 0;
    for (let bit = 0; bit < 4; bit++) bits = 2 * bits + (values[digit * 4 + bit]! > median ? 1 : 0);
    hash += bits.toString(16);
  }
  return hash;
}

/** A part of a plane as `across` × `down` means over equal areas. */
export function averaged({ width, height, data }: Plane, { left, top, right, bottom }: Share, across: number, down: number): Float32Array {
  const columns = spans(left * width, right * width, across, width);
  const rows = spans(top * height, bottom * height, down, height);
  const narrow = new Float32Array(across * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < across; x++) {
      const { from, weights } = columns[x]!;
      let sum = 0;
      for (let at = 0; at < weights.length; at++) sum += weights[at]! * data[y * width + from + at]!;
      narrow[y * across + x] = sum;
    }
  const out = new Float32Array(across * down);
  for (let y = 0; y < down; y++) {
    const { from, weights } = rows[y]!;
    for (let x = 0; x < across; x++) {
      let sum = 0;
      for (let at = 0; at < weights.length; at++) sum += weights[at]! * narrow[(from + at) * across + x]!;
      out[y * across + x] = sum;
    }
  }
  return out;
}

function spans(start: number, end: number, count: number, length: number): { readonly from: number; readonly weights: readonly number[] }[] {
  return Array.from({ length: count }, (_, index) => {
    const low = start + ((end - start) * index) / count;
    const high = start + ((end - start) * (index + 1)) / count;
    const from = Math.min(length - 1, Math.floor(low + 1e-9));
    const to = Math.max(from + 1, Math.min(length, Math.ceil(high - 1e-9)));
    const parts = Array.from({ length: to - from }, (_unused, at) => Math.max(1e-12, Math.min(high, from + at + 1) - Math.max(low, from + at)));
    const sum = parts.reduce((total, part) => total + part, 0);
    return { from, weights: parts.map((part) => part / sum) };
  });
}
