/** What a picture's strokes say together about a watermark. */
export const watermarkFeatures = [
  "evidence",
  "evidenceRoot",
  "sure",
  "surest",
  "second",
  "fifth",
  "chain",
  "chainMean",
  "bright",
  "dark",
  "letters",
] as const;

export type WatermarkEvidence = Readonly<Record<(typeof watermarkFeatures)[number], number>>;

interface JudgedStrokes {
  readonly areas: Float32Array;
  readonly mark: Float32Array;
  readonly letter: Float32Array;
  readonly chains: Int32Array;
}

/** @param sets bright strokes, then dark ones */
export function watermarkEvidence(sets: readonly JudgedStrokes[], pixels: number): WatermarkEvidence {
  let [evidence, root, sure, letters] = [0, 0, 0, 0];
  const sides = [0, 0];
  const top: number[] = [];
  let [chain, chainMean] = [0, 0];
  for (const [side, { areas, mark, letter, chains }] of sets.entries()) {
    const sums = new Map<number, { sum: number; mean: number; count: number }>();
    for (let slot = 0; slot < areas.length; slot++) {
      const p = mark[slot]!;
      const q = letter[slot]!;
      if (q > 0.5) letters += (2 * q - 1) * Math.sqrt(areas[slot]! / pixels);
      const at = chains[slot]!;
      if (at >= 0) {
        const entry = sums.get(at) ?? { sum: 0, mean: 0, count: 0 };
        entry.sum += Math.max(0, p - 0.3);
        entry.mean += p;
        entry.count++;
        sums.set(at, entry);
      }
      top.push(p);
      if (p <= 0.3) continue;
      evidence += (p - 0.3) * areas[slot]!;
      root += (p - 0.3) * Math.sqrt(areas[slot]! / pixels);
      sides[side]! += p - 0.3;
      if (p > 0.7) sure++;
    }
    for (const { sum, mean, count } of sums.values()) {
      if (sum <= chain) continue;
      chain = sum;
      chainMean = mean / count;
    }
  }
  top.sort((a, b) => b - a);
  return {
    evidence: (evidence / pixels) * 100,
    evidenceRoot: root,
    sure,
    surest: top[0] ?? 0,
    second: top[1] ?? 0,
    fifth: top[4] ?? 0,
    chain,
    chainMean,
    bright: sides[0]!,
    dark: sides[1]!,
    letters,
  };
}
