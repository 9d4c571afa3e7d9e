import { ArgumentError } from "@refadgen/errors";
import { add, matMul, mul, reshape, serialization, softmax, type Tensor, tensor, tidy, transpose } from "@tensorflow/tfjs-core";
import { initializers, type LayerVariable, layers, type Shape } from "@tensorflow/tfjs-layers";

type LayerOptions = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

export interface AttentionFusionOptions extends LayerOptions {
  /** Number of heads; divides the channels. */
  readonly heads: number;
  /** λ where the layer is not given one as its third input: 0 ignores the reference, 1 (default) is what RefAdGen was trained with. */
  readonly scale?: number;
}

/** A tensor of a checkpoint, float32 in row-major order. */
export interface PublishedTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Weights in the order in which the layer owns them, by their published names. */
const projections = ["to_q", "to_k", "to_v", "to_k_ref", "to_v_ref", "to_out.0"] as const;

/**
 * A self-attention layer with the Attention Fusion Module (RefAdGen, arXiv 2508.11695, Eq. 1), for TensorFlow.js:
 * `to_out(softmax(Q Kᵀ / √d) V + λ · softmax(Q K_refᵀ / √d) V_ref)`.
 *
 * Inputs: hidden states `[B, T, C]`; reference features `[B, S, R]`; optionally λ, `[B, 1]` or one value, in place of `scale`.
 * Output: `[B, T, C]`. Weights: `to_q`, `to_k`, `to_v` `[C, C]`, `to_k_ref`, `to_v_ref` `[R, C]`, `to_out` `[C, C]` and its bias `[C]`,
 * the inputs' channels first. All are trained; the layer saves and loads with its model under the class name `AttentionFusion`.
 *
 * @throws ArgumentError for sizes that do not fit
 */
export class AttentionFusion extends layers.Layer {
  static readonly className: string = "AttentionFusion";
  readonly heads: number;
  /** λ for inputs that do not bring their own; may be set between calls. */
  scale: number;
  #weights: Readonly<Record<(typeof projections)[number], LayerVariable>> | undefined;
  #bias: LayerVariable | undefined;

  constructor({ heads, scale = 1, ...options }: AttentionFusionOptions) {
    super(options);
    if (!Number.isInteger(heads) || heads < 1) throw new ArgumentError(`AttentionFusion: expected heads of at least 1, got ${heads}`);
    if (!Number.isFinite(scale)) throw new ArgumentError(`AttentionFusion: expected a finite scale, got ${scale}`);
    this.heads = heads;
    this.scale = scale;
  }

  override build(inputShape: Shape | Shape[]): void {
    const { channels, referenceChannels } = this.#sizes(inputShape);
    const weight = (name: string, rows: number) => this.addWeight(name, [rows, channels], "float32", initializers.glorotUniform({}), undefined, true);
    this.#weights = {
      to_q: weight("to_q", channels),
      to_k: weight("to_k", channels),
      to_v: weight("to_v", channels),
      to_k_ref: weight("to_k_ref", referenceChannels),
      to_v_ref: weight("to_v_ref", referenceChannels),
      "to_out.0": weight("to_out", channels),
    };
    this.#bias = this.addWeight("to_out_bias", [channels], "float32", initializers.zeros(), undefined, true);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    this.#sizes(inputShape);
    return (inputShape as Shape[])[0]!;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const [hiddenStates, reference, scale] = this.#inputs(inputs);
    return tidy(() => {
      const query = this.#project("to_q", hiddenStates);
      const own = attention(query, this.#project("to_k", hiddenStates), this.#project("to_v", hiddenStates), this.heads);
      const referred = attention(query, this.#project("to_k_ref", reference), this.#project("to_v_ref", reference), this.heads);
      const lambda = scale === undefined ? this.scale : reshape(scale, scale.size === 1 ? [1, 1, 1] : [hiddenStates.shape[0]!, 1, 1]);
      return add(this.#project("to_out.0", add(own, mul(referred, lambda))), this.#bias!.read());
    });
  }

  /**
   * Takes the weights of one layer of a published checkpoint: `to_q.weight` … `to_out.0.bias`, `to_k_ref.weight`, `to_v_ref.weight`, as
   * PyTorch stores them (`[outputs, inputs]`). Without the two `_ref` weights they start as `to_k` and `to_v`, as the authors' do.
   *
   * @throws ArgumentError before the layer is built, and for missing, unknown or misshapen tensors
   */
  loadPublished(tensors: Readonly<Record<string, PublishedTensor>>): void {
    if (!this.#weights || !this.#bias) throw new ArgumentError("loadPublished: expected a layer that has been built");
    const names = [...projections.map((name) => `${name}.weight`), "to_out.0.bias"];
    const unknown = Object.keys(tensors).filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new ArgumentError(`loadPublished: expected ${names.join(", ")}, got ${unknown.join(", ")}`);
    const given: Readonly<Record<string, PublishedTensor | undefined>> = {
      ...tensors,
      "to_k_ref.weight": tensors["to_k_ref.weight"] ?? tensors["to_k.weight"],
      "to_v_ref.weight": tensors["to_v_ref.weight"] ?? tensors["to_v.weight"],
    };
    const expected = new Map<string, readonly number[]>(
      projections.map((name) => [`${name}.weight`, [...(this.#weights![name].shape as number[])].reverse()]),
    );
    expected.set("to_out.0.bias", this.#bias.shape as number[]);
    for (const [name, dims] of expected) {
      const found = given[name];
      if (String(found?.dims) !== String(dims)) {
        throw new ArgumentError(`loadPublished: expected ${name} [${dims.join(", ")}], got ${found ? `[${found.dims.join(", ")}]` : "none"}`);
      }
    }
    tidy(() => {
      for (const name of projections) {
        const { dims, data } = given[`${name}.weight`]!;
        this.#weights![name].write(transpose(tensor(data.slice(), [...dims])));
      }
      this.#bias!.write(tensor(given["to_out.0.bias"]!.data.slice()));
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.heads, scale: this.scale };
  }

  /** `x · weight` over the last dimension. */
  #project(name: (typeof projections)[number], x: Tensor): Tensor {
    const weight = this.#weights![name].read();
    const [batch, tokens, channels] = x.shape as [number, number, number];
    return reshape(matMul(reshape(x, [batch * tokens, channels]), weight), [batch, tokens, weight.shape[1]!]);
  }

  #sizes(inputShape: Shape | Shape[]): { readonly channels: number; readonly referenceChannels: number } {
    const shapes = inputShape.length > 0 && Array.isArray(inputShape[0]) ? (inputShape as Shape[]) : [inputShape as Shape];
    const [hiddenStates, reference] = shapes;
    if ((shapes.length !== 2 && shapes.length !== 3) || hiddenStates?.length !== 3 || reference?.length !== 3) {
      const got = shapes.map((shape) => `[${shape.join(", ")}]`).join(", ");
      throw new ArgumentError(`AttentionFusion: expected hidden states [B, T, C], a reference [B, S, R] and perhaps a scale, got ${got}`);
    }
    const [channels, referenceChannels] = [hiddenStates[2], reference[2]];
    if (!channels || !referenceChannels) throw new ArgumentError("AttentionFusion: expected channels that are known when the model is built");
    if (channels % this.heads !== 0) throw new ArgumentError(`AttentionFusion: ${this.heads} heads do not divide ${channels} channels`);
    return { channels, referenceChannels };
  }

  #inputs(inputs: Tensor | Tensor[]): [Tensor, Tensor, Tensor | undefined] {
    const [hiddenStates, reference, scale] = Array.isArray(inputs) ? inputs : [inputs];
    if (!hiddenStates || !reference || hiddenStates.shape[0] !== reference.shape[0]) {
      throw new ArgumentError(`AttentionFusion: expected a reference for ${hiddenStates?.shape[0]} images, got ${reference?.shape[0] ?? "none"}`);
    }
    if (scale && scale.size !== 1 && scale.size !== hiddenStates.shape[0]) {
      throw new ArgumentError(`AttentionFusion: expected one scale or one per image, got [${scale.shape.join(", ")}]`);
    }
    return [hiddenStates, reference, scale];
  }
}

serialization.registerClass(AttentionFusion);

/** `softmax(q · kᵀ / √d) · v` head by head: `[B, T, C]`, `[B, S, C]`, `[B, S, C]` → `[B, T, C]`. */
function attention(query: Tensor, key: Tensor, value: Tensor, heads: number): Tensor {
  const [batch, tokens, channels] = query.shape as [number, number, number];
  const split = (x: Tensor) => transpose(reshape(x, [batch, x.shape[1]!, heads, channels / heads]), [0, 2, 1, 3]);
  const scores = matMul(mul(split(query), 1 / Math.sqrt(channels / heads)), split(key), false, true);
  return reshape(transpose(matMul(softmax(scores), split(value)), [0, 2, 1, 3]), [batch, tokens, channels]);
}
