import type { Tensor } from "@refadgen/graph";
import type { Size } from "@refadgen/image";

type Floats = Tensor<"float32">;

/** Which of a layer's reference tokens are kept. */
export interface TokenSelection {
  /** How many of a layer's `tokens`. */
  readonly count: (tokens: number) => number;
  /** Keys or values `[B, T, C]` → `[B, count(T), C]`. */
  readonly pick: (tensor: Floats) => Floats;
  /** Equal for selections that lead to graphs of equal sizes. */
  readonly key: string;
}

/** Counts are multiples of this share of a layer's tokens, so that products of about one size share a graph. */
const shares = 8;

/**
 * The tokens where the product is, at every resolution of the U-Net: a token is kept when any latent pixel below it is the product's. The
 * count is rounded up, and filled with the first others.
 *
 * @param mask `[h, w]`, 1 where the product is; without any product all tokens are kept
 */
export function productTokensOnly(mask: Float32Array, { width, height }: Size): TokenSelection {
  const levels = new Map<number, readonly number[]>();
  let level = { width, height, inside: Array.from(mask, (value) => value > 0.5) };
  const all = !level.inside.includes(true);
  for (;;) {
    const tokens = level.width * level.height;
    levels.set(tokens, all ? range(tokens) : kept(level.inside));
    if (tokens === 1) break;
    level = halved(level);
  }
  const indices = (tokens: number): readonly number[] => levels.get(tokens) ?? range(tokens);
  return {
    count: (tokens) => indices(tokens).length,
    key: [...levels.values()].map((level) => level.length).join(" "),
    pick: ({ dtype, dims, data }) => {
      const [batch, tokens, channels] = dims as [number, number, number];
      const chosen = indices(tokens);
      const out = new Float32Array(batch * chosen.length * channels);
      for (let image = 0; image < batch; image++) {
        for (const [place, token] of chosen.entries()) {
          const from = (image * tokens + token) * channels;
          out.set(data.subarray(from, from + channels), (image * chosen.length + place) * channels);
        }
      }
      return { dtype, dims: [batch, chosen.length, channels], data: out };
    },
  };
}

function kept(inside: readonly boolean[]): number[] {
  const unit = Math.ceil(inside.length / shares);
  const count = Math.min(inside.length, Math.ceil(inside.filter(Boolean).length / unit) * unit);
  const product = range(inside.length).filter((token) => inside[token]);
  const others = range(inside.length).filter((token) => !inside[token]);
  return [...product, ...others.slice(0, count - product.length)].sort((a, b) => a - b);
}

interface Level extends Size {
  readonly inside: boolean[];
}

/** What a convolution of stride 2 with padding 1 leaves of a grid. */
function halved({ width, height, inside }: Level): Level {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const at = (x: number, y: number) => x < width && y < height && inside[y * width + x]!;
  return {
    width: w,
    height: h,
    inside: Array.from({ length: w * h }, (_, token) => {
      const [x, y] = [(token % w) * 2, Math.floor(token / w) * 2];
      return at(x, y) || at(x + 1, y) || at(x, y + 1) || at(x + 1, y + 1);
    }),
  };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
