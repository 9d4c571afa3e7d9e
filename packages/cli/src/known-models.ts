import { attentionLayers, refAdGenCheckpoint } from "@refadgen/afm";
import {
  type ClipVisionConfig,
  clipVisionEncoder,
  isClipBuffer,
  parseClipTextConfig,
  parseClipVisionConfig,
  resampler,
  resamplerConfigOf,
} from "@refadgen/clip";
import {
  isSingleFile,
  parseAutoencoderConfig,
  parseUNetConfig,
  renameEarlyAttention,
  singleFileAutoencoder,
  singleFileTextEncoder,
  singleFileUNet,
  unet,
} from "@refadgen/core-unet";
import { Graph, type StoredTensor, type WeightLookup, type WeightSource, Weights } from "@refadgen/graph";
import { decodeGraph, encodeGraph, published, textGraph } from "@refadgen/pipeline";

/** How a file's tensors compare with what a network asks for. */
export interface Comparison {
  readonly model: string;
  readonly matching: number;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshapen: readonly { readonly name: string; readonly expected: readonly number[]; readonly found: readonly number[] }[];
}

type Manifest = ReadonlyMap<string, readonly number[]>;

/** Tells which known network a table of tensors belongs to, by the names and sizes that the network's own code asks for. */
export async function recognise(source: WeightSource, config: Readonly<Record<string, unknown>> | undefined): Promise<readonly Comparison[]> {
  const keys = [...source.tensors.keys()];
  const checkpoint = await refAdGenCheckpoint(source).catch(() => undefined);
  if (checkpoint) return refAdGenParts(checkpoint);
  if (isSingleFile(source)) {
    return [
      compare("U-Net of a Stable Diffusion 1.x single file", table(singleFileUNet(source, parseUNetConfig(published.unet))), unetManifest({}, 4)),
      compare(
        "text encoder of a Stable Diffusion 1.x single file",
        table(singleFileTextEncoder(source)),
        textManifest(published.textEncoder),
        isClipBuffer,
      ),
      compare(
        "autoencoder of a Stable Diffusion 1.x single file",
        table(singleFileAutoencoder(source, parseAutoencoderConfig(published.vae))),
        vaeManifest(published.vae),
      ),
    ];
  }
  if (keys.some((key) => key.startsWith("image_proj.")) && keys.some((key) => key.startsWith("ip_adapter."))) return [ipAdapter(source)];
  const inputs = source.tensors.get("conv_in.weight")?.dims[1] ?? 4;
  const candidates: readonly (readonly [string, () => Manifest, ((key: string) => boolean)?])[] = [
    ["CLIP text encoder", () => textManifest(config ?? published.textEncoder), (key) => isClipBuffer(key) || key === "text_projection.weight"],
    [
      "CLIP vision tower",
      () => visionManifest(config ?? published.imageEncoder),
      (key) =>
        isClipBuffer(key) ||
        /^(?:text_model\.|text_projection|logit_scale|visual_projection)/.test(key) ||
        /^vision_model\.(?:encoder\.layers\.\d+|post_layernorm)\./.test(key),
    ],
    ["autoencoder (AutoencoderKL)", () => vaeManifest(config ?? published.vae)],
    ["U-Net (UNet2DConditionModel)", () => unetManifest(config ?? published.unet, Number(config?.in_channels ?? inputs))],
  ];
  const found = new Map(table(source));
  const results: Comparison[] = [];
  for (const [model, manifest, ignore] of candidates) {
    try {
      const wanted = manifest();
      const early = wanted.has("decoder.mid_block.attentions.0.to_q.weight") && found.has("decoder.mid_block.attentions.0.query.weight");
      results.push(compare(model, found, early ? new Map([...wanted].map(([key, dims]) => [renameEarlyAttention(key), dims])) : wanted, ignore));
    } catch {
      // A configuration of another network: not this one.
    }
  }
  const best = results
    .filter(({ matching, missing, misshapen }) => matching >= (matching + missing.length + misshapen.length) / 2)
    .sort((a, b) => b.matching - a.matching)[0];
  return best ? [best] : [];
}

/** What a file is that is no network by itself; undefined where nothing is known. */
export function recogniseAdapter(source: WeightSource): string | undefined {
  const keys = [...source.tensors.keys()];
  const lora = keys.filter((key) => /lora_(?:A|B|up|down)|\.lora\.|lora_unet_|lora_te_/.test(key)).length;
  if (lora > 0 && lora >= keys.length / 2) return "LoRA adapter: changes to the weights of another network; not used by RefAdGen";
  if (keys.some((key) => key.startsWith("control_model.") || key.startsWith("controlnet_"))) return "ControlNet: not used by RefAdGen";
  if (keys.length === 1 && keys[0] !== "" && (source.tensors.get(keys[0]!)?.dims.length ?? 0) <= 2)
    return "a single vector or matrix, such as a textual inversion";
  return undefined;
}

function refAdGenParts({ unet: generation, referenceUnet, fusion, resampler: tokens }: Awaited<ReturnType<typeof refAdGenCheckpoint>>): Comparison[] {
  const config = resamplerOrUndefined(tokens);
  const context = { cross_attention_dim: generation.tensor("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", [])?.dims[1] ?? 768 };
  const sizes = channelsOf(generation);
  const fused: Map<string, readonly number[]> = new Map();
  for (const layer of attentionLayers(generation.keys())) {
    const dims = generation.tensor(`${layer}.to_k.weight`, [])?.dims;
    for (const key of fusion.keys()) if (dims && key.startsWith(layer)) fused.set(key, dims);
  }
  return [
    compare("RefAdGen: generation U-Net", tableOf(generation), unetManifest({ ...sizes, ...context }, 5)),
    compare("RefAdGen: reference U-Net", tableOf(referenceUnet), unetManifest({ ...sizes, ...context }, 4), (key) =>
      /^(?:conv_norm_out|conv_out)\./.test(key),
    ),
    compare("RefAdGen: attention fusion", tableOf(fusion), fused),
    ...(config
      ? [
          compare(
            "RefAdGen: Resampler (IP-Adapter-plus)",
            tableOf(tokens),
            manifestOf((weights) => void resampler(pixels(config), weights, config)),
          ),
        ]
      : []),
  ];
}

function resamplerOrUndefined(lookup: WeightLookup): ReturnType<typeof resamplerConfigOf> | undefined {
  try {
    return resamplerConfigOf((key) => lookup.tensor(key, [])?.dims);
  } catch {
    return undefined;
  }
}

function ipAdapter(source: WeightSource): Comparison {
  const inner = new Map(
    table(source)
      .filter(([key]) => key.startsWith("image_proj."))
      .map(([key, dims]) => [key.slice("image_proj.".length), dims] as const),
  );
  const adapters = table(source).length - inner.size;
  const config = resamplerConfigOf((key) => inner.get(key));
  return compare(
    `IP-Adapter-plus: image projection (and ${adapters} tensors of attention layers)`,
    inner,
    manifestOf((weights) => void resampler(pixels(config), weights, config)),
  );
}

function pixels(config: ReturnType<typeof resamplerConfigOf>): ReturnType<Graph["input"]> {
  return new Graph("probe").input("features", "float32", [1, 257, config.embedding_dim]);
}

/** U-Net widths that a checkpoint of another size, such as a miniature, was made with. */
function channelsOf(lookup: WeightLookup): Readonly<Record<string, unknown>> {
  const widths = [0, 1, 2, 3].flatMap((index) => lookup.tensor(`down_blocks.${index}.resnets.0.conv1.weight`, [])?.dims[0] ?? []);
  const layers = [0, 1, 2, 3].filter((index) => lookup.tensor(`down_blocks.0.resnets.${index}.conv1.weight`, [])).length;
  const attends = (index: number, side: string) => lookup.tensor(`${side}_blocks.${index}.attentions.0.norm.weight`, []) !== undefined;
  return {
    block_out_channels: widths,
    layers_per_block: layers,
    down_block_types: widths.map((_, index) => (attends(index, "down") ? "CrossAttnDownBlock2D" : "DownBlock2D")),
    up_block_types: widths.map((_, index) => (attends(index, "up") ? "CrossAttnUpBlock2D" : "UpBlock2D")),
  };
}

function compare(
  model: string,
  found: Iterable<readonly [string, readonly number[]]>,
  manifest: Manifest,
  ignore: (key: string) => boolean = () => false,
): Comparison {
  const table = new Map(found);
  const misshapen: { name: string; expected: readonly number[]; found: readonly number[] }[] = [];
  const missing: string[] = [];
  let matching = 0;
  for (const [name, expected] of manifest) {
    const dims = table.get(name);
    if (!dims) missing.push(name);
    else if (String(dims) === String(expected)) matching++;
    else misshapen.push({ name, expected, found: dims });
  }
  return { model, matching, missing, misshapen, extra: [...table.keys()].filter((key) => !manifest.has(key) && !ignore(key)) };
}

function table({ tensors }: WeightSource): (readonly [string, readonly number[]])[] {
  return [...tensors].map(([name, { dims }]) => [name, dims]);
}

function tableOf(lookup: WeightLookup): (readonly [string, readonly number[]])[] {
  return [...lookup.keys()].map((key) => [key, lookup.tensor(key, [])?.dims ?? []]);
}

function textManifest(config: object): Manifest {
  const parsed = parseClipTextConfig(config);
  return manifestOf((weights) => void textGraph(weights, parsed));
}

function visionManifest(config: object): Manifest {
  const parsed: ClipVisionConfig = parseClipVisionConfig(config);
  return manifestOf((weights) => {
    const graph = new Graph("probe");
    clipVisionEncoder(graph.input("pixels", "float32", [1, 3, parsed.image_size, parsed.image_size]), weights, parsed);
  });
}

function vaeManifest(config: object): Manifest {
  const parsed = parseAutoencoderConfig(config);
  return manifestOf((weights) => {
    encodeGraph(weights, parsed, { height: 64, width: 64 });
    decodeGraph(weights, parsed, { height: 8, width: 8 });
  });
}

function unetManifest(config: object, inputs: number): Manifest {
  const parsed = parseUNetConfig({ ...config, in_channels: inputs });
  return manifestOf((weights) => {
    const graph = new Graph("probe");
    const sample = graph.input("sample", "float32", [1, parsed.in_channels, 8, 8]);
    const context = graph.input("context", "float32", [1, 4, parsed.cross_attention_dim]);
    unet({ sample, timestep: graph.constant("float32", [1], new Float32Array(1)), context }, weights, parsed);
  });
}

/** Every key that a network asks for, with the size that it expects. */
function manifestOf(build: (weights: Weights) => void): Manifest {
  const asked = new Map<string, readonly number[]>();
  const tensor = (name: string, dims: readonly number[]): StoredTensor => {
    asked.set(name, dims);
    const never = () => Promise.reject(new Error(`${name} has no values`));
    return { name, dtype: "float32", dims, read: never, contentKey: never };
  };
  build(Weights.from({ description: "manifest", tensor, keys: () => [] }));
  return asked;
}
