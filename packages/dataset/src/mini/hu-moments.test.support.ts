import type { MiniMask } from "./triplet.js";

/** Hu's seven moments of a silhouette, invariant to place, size and turn, as signed logarithms. */
export function huMoments({ width, data }: MiniMask): readonly number[] {
  const raw = (p: number, q: number, cx = 0, cy = 0): number => {
    let sum = 0;
    for (const [pixel, inside] of data.entries()) if (inside) sum += ((pixel % width) - cx) ** p * (Math.floor(pixel / width) - cy) ** q;
    return sum;
  };
  const area = raw(0, 0);
  const [cx, cy] = [raw(1, 0) / area, raw(0, 1) / area];
  const n = (p: number, q: number): number => raw(p, q, cx, cy) / area ** (1 + (p + q) / 2);
  const [n20, n02, n11, n30, n03, n21, n12] = [n(2, 0), n(0, 2), n(1, 1), n(3, 0), n(0, 3), n(2, 1), n(1, 2)];
  const [a, b] = [n30 + n12, n21 + n03];
  const [c, d] = [n30 - 3 * n12, 3 * n21 - n03];
  const moments = [
    n20 + n02,
    (n20 - n02) ** 2 + 4 * n11 ** 2,
    c ** 2 + d ** 2,
    a ** 2 + b ** 2,
    c * a * (a ** 2 - 3 * b ** 2) + d * b * (3 * a ** 2 - b ** 2),
    (n20 - n02) * (a ** 2 - b ** 2) + 4 * n11 * a * b,
    d * a * (a ** 2 - 3 * b ** 2) - c * b * (3 * a ** 2 - b ** 2),
  ];
  return moments.map((moment) => -Math.sign(moment) * Math.log10(Math.abs(moment) + 1e-12));
}
