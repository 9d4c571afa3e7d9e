/** The largest value within `radius` along both axes: a square of 2 radius + 1, by windows that double, so that the cost hardly depends on the radius. */
export function dilated(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  return radius < 1 ? plane.slice() : columnMaxima(rowMaxima(plane, width, height, radius), width, height, radius);
}

/** The smallest value within `radius` along both axes. */
export function eroded(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  return negated(dilated(negated(plane), width, height, radius));
}

function negated(plane: Float32Array): Float32Array {
  const out = new Float32Array(plane.length);
  for (let pixel = 0; pixel < out.length; pixel++) out[pixel] = -plane[pixel]!;
  return out;
}

function rowMaxima(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  const window = 2 * radius + 1;
  const out = new Float32Array(plane.length);
  const row = new Float32Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    row.fill(Number.NEGATIVE_INFINITY);
    row.set(plane.subarray(y * width, (y + 1) * width), radius);
    let reach = 1;
    let used = row.length;
    for (; 2 * reach <= window; reach *= 2) {
      used -= reach;
      for (let x = 0; x < used; x++) {
        const other = row[x + reach]!;
        if (other > row[x]!) row[x] = other;
      }
    }
    const rest = window - reach;
    for (let x = 0, to = y * width; x < width; x++, to++) {
      const [one, other] = [row[x]!, row[x + rest]!];
      out[to] = Math.max(one, other);
    }
  }
  return out;
}

function columnMaxima(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  const window = 2 * radius + 1;
  const padded = new Float32Array(width * (height + 2 * radius));
  padded.fill(Number.NEGATIVE_INFINITY, 0, width * radius);
  padded.set(plane, width * radius);
  padded.fill(Number.NEGATIVE_INFINITY, width * (height + radius));
  let reach = 1;
  let used = padded.length;
  for (; 2 * reach <= window; reach *= 2) {
    const step = reach * width;
    used -= step;
    for (let at = 0; at < used; at++) {
      const other = padded[at + step]!;
      if (other > padded[at]!) padded[at] = other;
    }
  }
  const rest = (window - reach) * width;
  const out = new Float32Array(plane.length);
  for (let at = 0; at < out.length; at++) {
    const [one, other] = [padded[at]!, padded[at + rest]!];
    out[at] = Math.max(one, other);
  }
  return out;
}

/** Whether each pixel lies within `radius` of a one along both axes, without the ones themselves. */
export function ringAround(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const plane = new Float32Array(mask.length);
  plane.set(mask);
  const wide = dilated(plane, width, height, Math.max(1, radius));
  const ring = new Uint8Array(mask.length);
  for (let pixel = 0; pixel < ring.length; pixel++) ring[pixel] = wide[pixel]! > 0 && mask[pixel] === 0 ? 1 : 0;
  return ring;
}
