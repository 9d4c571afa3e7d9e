/** How far apart values may be: an absolute number (0: equal), or one that depends on the recorded value. */
export type Allowed = number | ((expected: number) => number);

/** The largest difference in units of what is allowed; infinite where lengths differ, NaN stands, or an exact value is another. */
export function worstError(got: ArrayLike<number | bigint>, expected: ArrayLike<number>, allowed: Allowed): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i]!;
    const difference = Math.abs(Number(got[i]) - want);
    if (difference === 0) continue;
    const error = difference / (typeof allowed === "number" ? allowed : allowed(want));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst;
}
