import { activation, add, conv2d, groupNorm, linear, reshape, type Value, type Weights } from "@refadgen/graph";

export interface ResnetOptions {
  readonly outChannels: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: string;
}

/**
 * Two convolutions around a time shift, with a skip (diffusers' `ResnetBlock2D`).
 *
 * @param x `[B, C, H, W]`
 * @param temb activated time embedding `[B, T]`; left out in autoencoders
 * @returns `[B, outChannels, H, W]`
 */
export function resnetBlock(x: Value, temb: Value | undefined, weights: Weights, options: ResnetOptions): Value {
  const { outChannels, groups, epsilon } = options;
  const act = activation(options.activation);
  const [batch, channels] = x.dims as [number, number, number, number];
  let h = act(groupNorm(x, weights.get("norm1.weight", [channels]), weights.get("norm1.bias", [channels]), { groups, epsilon }));
  h = conv2d(h, weights.get("conv1.weight", [outChannels, channels, 3, 3]), weights.get("conv1.bias", [outChannels]), { padding: 1 });
  if (temb) {
    const shift = linear(temb, weights.get("time_emb_proj.weight", [outChannels, temb.dims[1]!]), weights.get("time_emb_proj.bias", [outChannels]));
    h = add(h, reshape(shift, [batch, outChannels, 1, 1]));
  }
  h = act(groupNorm(h, weights.get("norm2.weight", [outChannels]), weights.get("norm2.bias", [outChannels]), { groups, epsilon }));
  h = conv2d(h, weights.get("conv2.weight", [outChannels, outChannels, 3, 3]), weights.get("conv2.bias", [outChannels]), { padding: 1 });
  const skip =
    channels === outChannels
      ? x
      : conv2d(x, weights.get("conv_shortcut.weight", [outChannels, channels, 1, 1]), weights.get("conv_shortcut.bias", [outChannels]));
  return add(skip, h);
}
