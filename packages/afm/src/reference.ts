import { linear, type Value, type Weights } from "@refadgen/graph";
import type { LayerInput, ReferenceKeyValue } from "./fusion.js";

export interface ReferenceRecorder {
  /** The self-attention parameter to build the reference U-Net with. */
  readonly selfAttention: (layer: LayerInput) => Value;
  /** The input of every self-attention layer, `[B, T, C]`, by the layer's path; complete once the U-Net has been built. */
  readonly features: ReadonlyMap<string, Value>;
}

/**
 * Records what a U-Net's self-attention layers are given, and leaves the U-Net as it is.
 *
 * Make outputs of the features (or of `projectReference`) alone: what comes after the last of them is then left out of the graph.
 *
 * @param selfAttention the layer as the U-Net has it without a reference
 */
export function recordReference(selfAttention: (layer: LayerInput) => Value): ReferenceRecorder {
  const features = new Map<string, Value>();
  return {
    features,
    selfAttention: (layer) => {
      features.set(layer.name, layer.hiddenStates);
      return selfAttention(layer);
    },
  };
}

/**
 * Keys and values of the reference features: they depend on neither step nor prompt, so they are computed once per image.
 *
 * @param features `[B, S, C]` by the layer's path, from `recordReference`
 * @param weights holds `{path}.to_k_ref.weight` and `{path}.to_v_ref.weight`, `[C, C]`, without bias
 */
export function projectReference(features: ReadonlyMap<string, Value>, weights: Weights): Map<string, ReferenceKeyValue> {
  return new Map(
    [...features].map(([name, feature]) => {
      const channels = feature.dims[2]!;
      const project = (part: string) => linear(feature, weights.at(name).get(`${part}.weight`, [channels, channels]));
      return [name, { key: project("to_k_ref"), value: project("to_v_ref") }];
    }),
  );
}
