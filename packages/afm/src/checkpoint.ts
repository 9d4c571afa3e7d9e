import { type StoredTensor, type WeightLookup, type WeightSource, WeightsError } from "@refadgen/graph";

/** The parts of a RefAdGen checkpoint, each asked for by the names of its own network. */
export interface RefAdGenWeights {
  /** The generation U-Net, diffusers names; `conv_in` has five input channels. */
  readonly unet: WeightLookup;
  /** The reference U-Net, diffusers names. */
  readonly referenceUnet: WeightLookup;
  /** The Resampler, named as in IP-Adapter's `image_proj`. */
  readonly resampler: WeightLookup;
  /** `{layer path}.to_k_ref.weight` and `.to_v_ref.weight`, e.g. `down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k_ref.weight`. */
  readonly fusion: WeightLookup;
}

/**
 * Reads the names of a RefAdGen checkpoint as DeepSpeed writes it: `module.{unet,ref_unet,proj}.*`, the fusion's projections as
 * `adapter_modules.{i}.*` at the even places of diffusers' list of attention processors, or under the layers themselves
 * (`….attn1.processor.*`), or both. A `conv_in` of four channels gets a fifth, the mask's, of zeros.
 *
 * @throws WeightsError `mismatch` when a part is absent, or when the two copies of a projection differ.
 */
export async function refAdGenCheckpoint(source: WeightSource): Promise<RefAdGenWeights> {
  const { tensors, description } = source;
  const prefix = ["module.", ""].find((candidate) => [...tensors.keys()].some((key) => key.startsWith(`${candidate}ref_unet.`)));
  if (prefix === undefined)
    throw new WeightsError("mismatch", `${description}: expected a RefAdGen checkpoint with keys "ref_unet.…", found ${examples(tensors)}`);
  const processor = /\.processor\.to_[kv]_ref\.weight$/;
  const unet = new Map(under(tensors, `${prefix}unet.`).filter(([key]) => !processor.test(key)));
  const convIn = unet.get("conv_in.weight");
  if (convIn) unet.set("conv_in.weight", withMaskChannel(convIn));
  return {
    unet: lookup(`${description} (unet)`, unet),
    referenceUnet: lookup(`${description} (ref_unet)`, new Map(under(tensors, `${prefix}ref_unet.`))),
    resampler: lookup(`${description} (proj)`, new Map(under(tensors, `${prefix}proj.`))),
    fusion: lookup(`${description} (adapter_modules)`, await fusionTensors(source, prefix, attentionLayers(unet.keys()))),
  };
}

/**
 * What RefAdGen's training starts from: both U-Nets are the plain one, K_ref and V_ref are each layer's own `to_k` and `to_v`, and the
 * mask's channel of `conv_in` is zero.
 *
 * @param unet a Stable Diffusion 1.x U-Net, diffusers names
 * @param resampler IP-Adapter-Plus' `image_proj`
 */
export function initialRefAdGen(unet: WeightSource, resampler: WeightLookup): RefAdGenWeights {
  const generation = new Map(unet.tensors);
  const convIn = generation.get("conv_in.weight");
  if (convIn) generation.set("conv_in.weight", withMaskChannel(convIn));
  const fusion = new Map<string, StoredTensor>();
  for (const layer of attentionLayers(unet.tensors.keys())) {
    for (const part of ["to_k", "to_v"]) {
      const own = unet.tensors.get(`${layer}.${part}.weight`);
      if (own) fusion.set(`${layer}.${part}_ref.weight`, own);
    }
  }
  return {
    unet: lookup(`${unet.description} (generation)`, generation),
    referenceUnet: lookup(`${unet.description} (reference)`, new Map(unet.tensors)),
    resampler,
    fusion: lookup(`${unet.description} (attention fusion)`, fusion),
  };
}

/**
 * The self-attention layers (`….attn1`) in the order of diffusers' `unet.attn_processors`: down blocks, up blocks, middle block —
 * not the order in which they run.
 */
export function attentionLayers(keys: Iterable<string>): string[] {
  const suffix = ".attn1.to_q.weight";
  const rank = (name: string) => ["down_blocks", "up_blocks", "mid_block"].findIndex((block) => name.startsWith(block));
  const numbers = (name: string) => (name.match(/\d+(?=\.)/g) ?? []).map(Number);
  const compare = (a: string, b: string) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const [left, right] = [numbers(a), numbers(b)];
    const place = left.findIndex((number, index) => number !== right[index]);
    return place < 0 ? 0 : left[place]! - right[place]!;
  };
  return [...keys]
    .filter((key) => key.endsWith(suffix))
    .map((key) => key.slice(0, -".to_q.weight".length))
    .sort(compare);
}

async function fusionTensors(source: WeightSource, prefix: string, layers: readonly string[]): Promise<Map<string, StoredTensor>> {
  const found = new Map<string, StoredTensor>();
  const placed = new Set<string>();
  for (const [place, layer] of layers.entries()) {
    for (const part of ["to_k_ref.weight", "to_v_ref.weight"]) {
      const names = [`${prefix}adapter_modules.${place * 2}.${part}`, `${prefix}unet.${layer}.processor.${part}`];
      for (const name of names) placed.add(name);
      const [first, second] = names.flatMap((name) => source.tensors.get(name) ?? []);
      if (!first) continue;
      if (second && !(await equal(first, second))) {
        throw new WeightsError("mismatch", `${source.description}: ${names.join(" and ")} should be one tensor, but differ`);
      }
      found.set(`${layer}.${part}`, first);
    }
  }
  const stray = [...source.tensors.keys()].filter((key) => key.startsWith(`${prefix}adapter_modules.`) && !placed.has(key));
  if (stray.length > 0) {
    throw new WeightsError(
      "mismatch",
      `${source.description}: expected adapter_modules at the even places below ${layers.length * 2}, found ${stray.join(", ")}`,
    );
  }
  return found;
}

async function equal(a: StoredTensor, b: StoredTensor): Promise<boolean> {
  if (a.dtype !== b.dtype || String(a.dims) !== String(b.dims)) return false;
  if (a.location && b.location && a.location.path === b.location.path && a.location.offset === b.location.offset) return true;
  const [left, right] = await Promise.all([a.read(), b.read()]);
  return Buffer.compare(left, right) === 0;
}

/** A first convolution of four input channels gets a fifth of zeros: the mask then has no effect until it is trained. */
function withMaskChannel(stored: StoredTensor): StoredTensor {
  const [outChannels, channels, height, width] = stored.dims as [number, number, number, number];
  if (stored.dims.length !== 4 || channels !== 4) return stored;
  return {
    name: stored.name,
    dtype: stored.dtype,
    dims: [outChannels, 5, height, width],
    contentKey: async () => `${await stored.contentKey()} with a channel of zeros`,
    read: async () => {
      const bytes = await stored.read();
      const row = bytes.length / outChannels;
      const extended = new Uint8Array((bytes.length / 4) * 5);
      for (let channel = 0; channel < outChannels; channel++)
        extended.set(bytes.subarray(channel * row, (channel + 1) * row), (channel * row * 5) / 4);
      return extended;
    },
  };
}

function under(tensors: ReadonlyMap<string, StoredTensor>, prefix: string): [string, StoredTensor][] {
  return [...tensors].flatMap(([key, tensor]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), tensor]] : []));
}

function lookup(description: string, tensors: ReadonlyMap<string, StoredTensor>): WeightLookup {
  return { description, tensor: (key) => tensors.get(key), keys: () => tensors.keys() };
}

function examples(tensors: ReadonlyMap<string, StoredTensor>): string {
  const keys = [...tensors.keys()];
  return keys.length === 0 ? "no tensors" : `${keys.length} keys such as "${keys.slice(0, 3).join('", "')}"`;
}
