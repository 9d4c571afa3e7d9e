/** A closed line around a part of a mask, or around a hole in it, at steps of one pixel side; what is inside lies on its right hand in the picture's frame (y down). */
export interface Outline {
  /** `[N, 2]`: x, y in px; corners of pixels. */
  readonly points: Float32Array;
  /** `[N, 2]`: unit vectors that point out of the mask. */
  readonly normals: Float32Array;
  readonly length: number;
}

/** Every outline of a mask, longest first; pieces shorter than `least` are left out. */
export function traceOutlines(mask: Uint8Array, width: number, height: number, least = 12): Outline[] {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  // Upper sides of pixels, walked from left to right, that were passed already.
  const passed = new Uint8Array(width * (height + 1));
  const found: Outline[] = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x < width; x++) {
      if (passed[y * width + x] || !inside(x, y) || inside(x, y - 1)) continue;
      const line: number[] = [];
      let [cx, cy, dx, dy] = [x, y, 1, 0];
      do {
        line.push(cx, cy);
        if (dx === 1) passed[cy * width + cx] = 1;
        cx += dx;
        cy += dy;
        // The pixels ahead: to the left and to the right of the next step.
        const leftIn = inside(cx + (dx - 1 + dy) / 2, cy + (dy - 1 - dx) / 2);
        const rightIn = inside(cx + (dx - 1 - dy) / 2, cy + (dy - 1 + dx) / 2);
        if (leftIn) [dx, dy] = [dy, -dx];
        else if (!rightIn) [dx, dy] = [-dy, dx];
      } while (cx !== x || cy !== y || dx !== 1 || dy !== 0);
      if (line.length / 2 >= least) found.push(smoothed(line));
    }
  }
  return found.sort((a, b) => b.length - a.length);
}

const reach = 3;

function smoothed(line: readonly number[]): Outline {
  const count = line.length / 2;
  const points = new Float32Array(count * 2);
  const normals = new Float32Array(count * 2);
  const window = Math.min(reach, Math.floor(count / 4));
  for (let at = 0; at < count; at++) {
    let [x, y] = [0, 0];
    for (let step = -window; step <= window; step++) {
      const other = (at + step + count) % count;
      x += line[other * 2]!;
      y += line[other * 2 + 1]!;
    }
    points[at * 2] = x / (2 * window + 1);
    points[at * 2 + 1] = y / (2 * window + 1);
  }
  for (let at = 0; at < count; at++) {
    const [before, after] = [(at - window + count) % count, (at + window) % count];
    const [tx, ty] = [points[after * 2]! - points[before * 2]!, points[after * 2 + 1]! - points[before * 2 + 1]!];
    const length = Math.max(1e-6, Math.hypot(tx, ty));
    normals[at * 2] = ty / length;
    normals[at * 2 + 1] = -tx / length;
  }
  return { points, normals, length: count };
}

/** The convex hull as a mask. */
export function hullMask(mask: Uint8Array, width: number, height: number): Uint8Array {
  const points: [number, number][] = [];
  for (let y = 0; y < height; y++) {
    let [first, last] = [-1, -1];
    for (let x = 0; x < width; x++)
      if (mask[y * width + x] === 1) {
        if (first < 0) first = x;
        last = x;
      }
    if (first >= 0) points.push([first, y], [last, y]);
  }
  const hull = new Uint8Array(mask.length);
  if (points.length === 0) return hull;
  // Points are sorted by y: chains of the left and the right side (A. Andrew, 1979).
  const chain = (sign: 1 | -1) => {
    const out: [number, number][] = [];
    for (const point of points) {
      while (out.length > 1 && sign * turn(out.at(-2)!, out.at(-1)!, point) >= 0) out.pop();
      out.push(point);
    }
    return out;
  };
  const edges = (line: readonly (readonly [number, number])[]) => {
    const xs = new Float32Array(height);
    for (let index = 0; index + 1 < line.length; index++) {
      const [[ax, ay], [bx, by]] = [line[index]!, line[index + 1]!];
      for (let y = ay; y <= by; y++) xs[y] = ay === by ? bx : ax + ((bx - ax) * (y - ay)) / (by - ay);
    }
    if (line.length === 1) xs[line[0]![1]] = line[0]![0];
    return xs;
  };
  const top = points[0]![1];
  const bottom = points.at(-1)![1];
  const [a, b] = [edges(chain(1)), edges(chain(-1))];
  // Rows with several points at the top or bottom belong to both chains.
  for (let y = top; y <= bottom; y++) {
    let [left, right] = [Math.min(a[y]!, b[y]!), Math.max(a[y]!, b[y]!)];
    for (const [x, row] of points) if (row === y) [left, right] = [Math.min(left, x), Math.max(right, x)];
    for (let x = Math.ceil(left - 1e-3); x <= right + 1e-3; x++) hull[y * width + x] = 1;
  }
  return hull;
}

function turn([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number], [cx, cy]: readonly [number, number]): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}
