/**
 * Eigenvalues of a symmetric matrix, in no particular order: Householder reflections to tridiagonal form, then the QL algorithm with
 * implicit shifts. The matrix is overwritten. Only its lower triangle is read.
 *
 * One pass over what remains of the matrix does a step's update and the next step's product with its vector at once, as memory is what
 * limits it.
 *
 * @param matrix `[size, size]`, row-major
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  tridiagonalise(matrix, size, diagonal, beside);
  implicitQl(diagonal, beside);
  return diagonal;
}

/** Reduces from the last row upwards: row i's entries left of the diagonal become zero but one. */
function tridiagonalise(matrix: Float64Array, size: number, diagonal: Float64Array, beside: Float64Array): void {
  // The reflection that waits to be applied to rows 0 … extent - 1: A -= v wᵀ + w vᵀ.
  const v = new Float64Array(size);
  const w = new Float64Array(size);
  const next = new Float64Array(size);
  const product = new Float64Array(size);
  let waiting = false;
  for (let i = size - 1; i > 0; i--) {
    const row = i * size;
    // Row i with what waits for it.
    for (let k = 0; k <= i; k++) next[k] = waiting ? matrix[row + k]! - v[i]! * w[k]! - w[i]! * v[k]! : matrix[row + k]!;
    diagonal[i] = next[i]!;
    let scale = 0;
    for (let k = 0; k < i - 1; k++) scale = Math.max(scale, Math.abs(next[k]!));
    if (scale === 0) {
      // Nothing to remove: only what waits is applied.
      beside[i] = next[i - 1]!;
      if (waiting) applyWaiting(matrix, size, i, v, w);
      waiting = false;
      continue;
    }
    scale = Math.max(scale, Math.abs(next[i - 1]!));
    let norm = 0;
    for (let k = 0; k < i; k++) {
      next[k] = next[k]! / scale;
      norm += next[k]! * next[k]!;
    }
    const f = next[i - 1]!;
    const g = f >= 0 ? -Math.sqrt(norm) : Math.sqrt(norm);
    beside[i] = scale * g;
    const h = norm - f * g;
    next[i - 1] = f - g;
    product.fill(0, 0, i);
    if (!waiting) {
      v.fill(0, 0, i);
      w.fill(0, 0, i);
    }
    updateAndMultiply(matrix, size, i, v, w, next, product);
    let dot = 0;
    for (let k = 0; k < i; k++) dot += next[k]! * product[k]!;
    const half = dot / (2 * h * h);
    for (let k = 0; k < i; k++) {
      v[k] = next[k]!;
      w[k] = product[k]! / h - half * next[k]!;
    }
    waiting = true;
  }
  diagonal[0] = waiting ? matrix[0]! - 2 * v[0]! * w[0]! : matrix[0]!;
}

/** A -= v wᵀ + w vᵀ in the leading `extent` rows, and product = A · next: two rows at once, as loading costs more than computing. */
function updateAndMultiply(
  matrix: Float64Array,
  size: number,
  extent: number,
  v: Float64Array,
  w: Float64Array,
  next: Float64Array,
  product: Float64Array,
): void {
  let r = 0;
  for (; r + 1 < extent; r += 2) {
    const [first, second] = [r * size, (r + 1) * size];
    const [v0, w0, x0] = [v[r]!, w[r]!, next[r]!];
    const [v1, w1, x1] = [v[r + 1]!, w[r + 1]!, next[r + 1]!];
    let [sum0, sum1] = [0, 0];
    for (let k = 0; k < r; k++) {
      const [vk, wk, xk] = [v[k]!, w[k]!, next[k]!];
      const a = matrix[first + k]! - v0 * wk - w0 * vk;
      const b = matrix[second + k]! - v1 * wk - w1 * vk;
      matrix[first + k] = a;
      matrix[second + k] = b;
      sum0 += a * xk;
      sum1 += b * xk;
      product[k] = product[k]! + a * x0 + b * x1;
    }
    const own0 = matrix[first + r]! - 2 * v0 * w0;
    const between = matrix[second + r]! - v1 * w0 - w1 * v0;
    const own1 = matrix[second + r + 1]! - 2 * v1 * w1;
    matrix[first + r] = own0;
    matrix[second + r] = between;
    matrix[second + r + 1] = own1;
    product[r] = product[r]! + sum0 + own0 * x0 + between * x1;
    product[r + 1] = product[r + 1]! + sum1 + between * x0 + own1 * x1;
  }
  if (r === extent) return;
  const row = r * size;
  const [vr, wr, xr] = [v[r]!, w[r]!, next[r]!];
  let sum = 0;
  for (let k = 0; k < r; k++) {
    const value = matrix[row + k]! - vr * w[k]! - wr * v[k]!;
    matrix[row + k] = value;
    sum += value * next[k]!;
    product[k] = product[k]! + value * xr;
  }
  const own = matrix[row + r]! - 2 * vr * wr;
  matrix[row + r] = own;
  product[r] = product[r]! + sum + own * xr;
}

function applyWaiting(matrix: Float64Array, size: number, extent: number, v: Float64Array, w: Float64Array): void {
  for (let r = 0; r < extent; r++) {
    for (let k = 0; k <= r; k++) matrix[r * size + k] = matrix[r * size + k]! - v[r]! * w[k]! - w[r]! * v[k]!;
  }
}

/** Turns the diagonal into the eigenvalues; `beside[i]` stands between i - 1 and i. */
function implicitQl(diagonal: Float64Array, beside: Float64Array): void {
  const size = diagonal.length;
  beside.copyWithin(0, 1);
  beside[size - 1] = 0;
  for (let l = 0; l < size; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l;
      for (; m < size - 1; m++) {
        const neighbours = Math.abs(diagonal[m]!) + Math.abs(diagonal[m + 1]!);
        if (Math.abs(beside[m]!) <= Number.EPSILON * neighbours) break;
      }
      if (m === l) break;
      if (iteration === 60) throw new Error("symmetricEigenvalues: no convergence; the matrix has values that are not finite");
      const g0 = (diagonal[l + 1]! - diagonal[l]!) / (2 * beside[l]!);
      const r0 = Math.hypot(g0, 1);
      let g = diagonal[m]! - diagonal[l]! + beside[l]! / (g0 + (g0 >= 0 ? r0 : -r0));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * beside[i]!;
        const b = c * beside[i]!;
        const r = Math.sqrt(f * f + g * g);
        beside[i + 1] = r;
        if (r === 0) {
          diagonal[i + 1] = diagonal[i + 1]! - p;
          beside[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = diagonal[i + 1]! - p;
        const t = (diagonal[i]! - g) * s + 2 * c * b;
        p = s * t;
        diagonal[i + 1] = g + p;
        g = c * t - b;
      }
      if (i >= l) continue;
      diagonal[l] = diagonal[l]! - p;
      beside[l] = g;
      beside[m] = 0;
    }
  }
}
