/** Something that can do the step once, again and again. */
export interface Contestant {
  readonly name: string;
  /** Does it once. Returns seconds. */
  step(): Promise<number>;
  dispose(): Promise<void>;
}

/** One timed step, and what the machine could do just before and after it. */
export interface Reading {
  readonly round: number;
  readonly contestant: string;
  readonly seconds: number;
  /** FLOP per second of the matrix product, the mean of the reading before and the one after. */
  readonly matrixRate: number;
}

/**
 * Rounds in which every contestant has its turn, with a reading of the machine's rate between turns: whatever slows the machine down
 * for a while slows down all of them. Who begins moves on by one every round.
 */
export async function interleave(
  contestants: readonly Contestant[],
  {
    rounds,
    firstRound,
    rate,
    onReading,
  }: { readonly rounds: number; readonly firstRound: number; readonly rate: () => Promise<number>; readonly onReading: (reading: Reading) => void },
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let round = firstRound; round < firstRound + rounds; round++) {
    const begins = round % contestants.length;
    let before = await rate();
    for (const contestant of [...contestants.slice(begins), ...contestants.slice(0, begins)]) {
      const seconds = await contestant.step();
      const after = await rate();
      const reading = { round, contestant: contestant.name, seconds, matrixRate: (before + after) / 2 };
      before = after;
      readings.push(reading);
      onReading(reading);
    }
  }
  return readings;
}

/** Seconds of `a` over seconds of `b`, for every round that both took part in. */
export function ratios(readings: readonly Reading[], a: string, b: string): number[] {
  const of = (name: string) => new Map(readings.filter(({ contestant }) => contestant === name).map(({ round, seconds }) => [round, seconds]));
  const other = of(b);
  return [...of(a)].flatMap(([round, seconds]) => (other.has(round) ? [seconds / other.get(round)!] : []));
}
