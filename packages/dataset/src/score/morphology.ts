/** The largest value within `radius` along both axes: a square of 2 radius + 1; by van Herk's running maxima, whose cost does not depend on the radius. */
export function dilated(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  return filtered(plane, width, height, radius, 1);
}

/** The smallest value within `radius` along both axes. */
export function eroded(plane: Float32Array, width: number, height: number, radius: number): Float32Array {
  return filtered(plane, width, height, radius, -1);
}

function filtered(plane: Float32Array, width: number, height: number, radius: number, sign: 1 | -1): Float32Array {
  if (radius < 1) return plane.slice();
  const out = new Float32Array(plane.length);
  for (let pixel = 0; pixel < plane.length; pixel++) out[pixel] = sign * plane[pixel]!;
  for (let y = 0; y < height; y++) runningMaximum(out, y * width, 1, width, radius);
  // Columns are done side by side: down a column, memory is far apart.
  const turned = transposed(out, width, height);
  for (let x = 0; x < width; x++) runningMaximum(turned, x * height, 1, height, radius);
  const back = transposed(turned, height, width);
  if (sign < 0) for (let pixel = 0; pixel < back.length; pixel++) back[pixel] = -back[pixel]!;
  return back;
}

export function transposed(plane: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(plane.length);
  const block = 16;
  for (let top = 0; top < height; top += block)
    for (let left = 0; left < width; left += block)
      for (let y = top; y < Math.min(top + block, height); y++)
        for (let x = left; x < Math.min(left + block, width); x++) out[x * height + y] = plane[y * width + x]!;
  return out;
}

let forward = new Float32Array(0);
let backward = new Float32Array(0);

function runningMaximum(data: Float32Array, start: number, step: number, count: number, radius: number): void {
  const window = 2 * radius + 1;
  const padded = count + 2 * radius;
  if (forward.length < padded) {
    forward = new Float32Array(padded);
    backward = new Float32Array(padded);
  }
  const at = (index: number) => {
    const inside = index - radius;
    return inside < 0 || inside >= count ? Number.NEGATIVE_INFINITY : data[start + inside * step]!;
  };
  for (let index = 0; index < padded; index++) forward[index] = index % window === 0 ? at(index) : Math.max(forward[index - 1]!, at(index));
  for (let index = padded - 1; index >= 0; index--)
    backward[index] = index === padded - 1 || index % window === window - 1 ? at(index) : Math.max(backward[index + 1]!, at(index));
  for (let index = 0; index < count; index++) data[start + index * step] = Math.max(backward[index]!, forward[index + window - 1]!);
}
