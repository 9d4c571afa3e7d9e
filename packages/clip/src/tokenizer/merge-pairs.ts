/**
 * Byte-pair encoding of one word: of all neighbouring pairs the one with the lowest rank is joined, everywhere, from left to right;
 * then the next, until no pair has a rank.
 *
 * @param symbols the word's parts, the last ending in `</w>`
 * @param ranks the rank of a pair, by its parts with a space between
 */
export function mergePairs(symbols: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  // A linked list of parts, and for each rank the places (of a pair's left part) where it may be: linear even in words of 100 000 letters.
  const parts: (string | undefined)[] = [...symbols];
  const next = parts.map((_, index) => index + 1);
  const previous = parts.map((_, index) => index - 1);
  const places = new Map<number, number[]>();
  const rankAt = (left: number) => {
    const right = next[left]!;
    return left >= 0 && right < parts.length && parts[left] !== undefined ? ranks.get(`${parts[left]} ${parts[right]}`) : undefined;
  };
  const note = (left: number) => {
    const rank = rankAt(left);
    if (rank === undefined) return;
    const known = places.get(rank);
    if (known) known.push(left);
    else places.set(rank, [left]);
  };
  for (let left = 0; left < parts.length - 1; left++) note(left);

  while (places.size > 0) {
    let rank = Number.POSITIVE_INFINITY;
    for (const candidate of places.keys()) rank = Math.min(rank, candidate);
    const lefts = places.get(rank)!.sort((a, b) => a - b);
    places.delete(rank);
    for (const left of lefts) {
      if (rankAt(left) !== rank) continue; // joined with another neighbour since it was noted
      const right = next[left]!;
      parts[left] = `${parts[left]}${parts[right]}`;
      parts[right] = undefined;
      next[left] = next[right]!;
      if (next[left]! < parts.length) previous[next[left]!] = left;
      note(previous[left]!);
      note(left);
    }
  }
  return parts.filter((part) => part !== undefined);
}
