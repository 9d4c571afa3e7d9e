/**
 * What each trained position counts for at each position of another grid: PyTorch's bicubic interpolation (a = -0.75, half pixels, edges
 * repeated) as DINO calls it. DINO passes a scale of (n + 0.1) / trained so that rounding cannot lose a row, and PyTorch then maps
 * coordinates by that scale, which shifts them a little: repeated here, because features depend on it.
 *
 * Source: facebookresearch/dino vision_transformer.py (interpolate_pos_encoding); torch.nn.functional.interpolate.
 *
 * @param trained positions along a side
 * @returns `[down · across, trained²]`
 */
export function positionWeights(trained: number, { down, across }: { readonly down: number; readonly across: number }): Float32Array {
  const [vertical, horizontal] = [taps(trained, down), taps(trained, across)];
  const weights = new Float32Array(down * across * trained ** 2);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const from = (y * across + x) * trained ** 2;
      for (const { at: row, weight: rowWeight } of vertical[y]!) {
        for (const { at: column, weight } of horizontal[x]!) weights[from + row * trained + column]! += rowWeight * weight;
      }
    }
  }
  return weights;
}

interface Tap {
  readonly at: number;
  readonly weight: number;
}

function taps(trained: number, count: number): Tap[][] {
  const step = trained / (count + 0.1);
  return Array.from({ length: count }, (_, index) => {
    const centre = (index + 0.5) * step - 0.5;
    const first = Math.floor(centre);
    return [-1, 0, 1, 2].map((offset) => ({
      at: Math.min(Math.max(first + offset, 0), trained - 1),
      weight: cubic(Math.abs(centre - first - offset)),
    }));
  });
}

/** Keys' kernel with a = -0.75. */
function cubic(distance: number): number {
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}
