/** Larger than any squared distance in a picture, and still exact when summed with one. */
export const farAway = 1e12;

/**
 * min over c of |p - c|² + values(c), at every pixel p, in place: the lower envelope of one paraboloid per pixel.
 *
 * With 0 on a set and `farAway` elsewhere it is the squared Euclidean distance to the set, exactly. Linear time: columns, then rows.
 *
 * @param values [H, W]; `farAway` where there is no paraboloid.
 * Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012.
 */
export function lowerEnvelope(values: Float64Array, width: number, height: number): void {
  const longest = Math.max(width, height);
  const line = new Float64Array(longest);
  const apex = new Int32Array(longest);
  const from = new Float64Array(longest + 1);

  const sweep = (start: number, step: number, length: number): void => {
    let last = -1;
    for (let i = 0; i < length; i++) {
      const value = values[start + i * step]!;
      line[i] = value;
      if (value >= farAway) continue;
      let cross = -Infinity;
      while (last >= 0) {
        const other = apex[last]!;
        cross = (value + i * i - line[other]! - other * other) / (2 * (i - other));
        if (cross > from[last]!) break;
        last--;
      }
      last++;
      apex[last] = i;
      from[last] = last === 0 ? -Infinity : cross;
    }
    if (last < 0) return;
    from[last + 1] = Infinity;
    for (let i = 0, at = 0; i < length; i++) {
      while (from[at + 1]! < i) at++;
      const c = apex[at]!;
      values[start + i * step] = (i - c) * (i - c) + line[c]!;
    }
  };
  for (let x = 0; x < width; x++) sweep(x, width, height);
  for (let y = 0; y < height; y++) sweep(y * width, 1, width);
}
