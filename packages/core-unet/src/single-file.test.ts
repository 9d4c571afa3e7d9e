import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  formulaGaussian,
  formulaTensor,
  formulaWeights,
  type Graph,
  Graph as NewGraph,
  openSession,
  openWeights,
  type StoredTensor,
  type Tensor,
  type WeightLookup,
  type WeightSource,
  Weights,
  WeightsError,
} from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeLatents, encodeLatents } from "./autoencoder.js";
import { parseAutoencoderConfig, parseUNetConfig } from "./config.js";
import { fixture, manifest, type Sizes } from "./manifest.test.support.js";
import { isSingleFile, singleFileAutoencoder, singleFileTextEncoder, singleFileUNet } from "./single-file.js";
import { unet } from "./unet.js";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "refadgen-core-unet-"));
  process.env.REFADGEN_CACHE = cache;
});
afterAll(() => rm(cache, { recursive: true }));

/** Names in a single file and in diffusers, recorded from diffusers 0.35.2's converters (`loaders/single_file_utils.py`) for SD 1.5. */
const recorded = fixture("single-file-names.json.gz") as Readonly<Record<"unet" | "autoencoder" | "textEncoder", Readonly<Record<string, string>>>>;
const config = { layers_per_block: 2, block_out_channels: [128, 256, 512, 512] };

function file(tensors: Iterable<readonly [string, StoredTensor]>): WeightSource {
  return { description: "a single file", tensors: new Map(tensors) };
}

/** A single-file checkpoint whose values follow from diffusers' names. */
function formulaFile(): WeightSource {
  const sizes: Sizes = { ...manifest("sd15-unet"), ...manifest("sd-vae-ft-mse") };
  const names = Object.entries({ ...recorded.unet, ...recorded.autoencoder, ...recorded.textEncoder });
  return file([
    ...names.map(([key, name]) => [key, { ...formulaTensor("file", name, stored(key, sizes[name] ?? [2])), name: key }] as const),
    ["model_ema.decay", formulaTensor("file", "decay", [])],
    ["alphas_cumprod", formulaTensor("file", "alphas_cumprod", [1000])],
  ]);
}

/** Sizes as the file has them: the autoencoder's projections are convolutions. */
function stored(key: string, dims: readonly number[]): readonly number[] {
  return /attn_1\.(q|k|v|proj_out)\.weight$/.test(key) ? [...dims, 1, 1] : dims;
}

describe("names", () => {
  const source = formulaFile();
  it.each([
    ["U-Net", singleFileUNet(source, config), recorded.unet, manifest("sd15-unet")],
    ["autoencoder", singleFileAutoencoder(source, config), recorded.autoencoder, manifest("sd-vae-ft-mse")],
    ["text encoder", singleFileTextEncoder(source), recorded.textEncoder, undefined],
  ] as const)("of the %s are those of diffusers' converter, one to one", (_, { tensors }, names, sizes) => {
    expect(new Map([...tensors].map(([name, tensor]) => [tensor.name, name]))).toEqual(new Map(Object.entries(names)));
    expect(tensors.size).toBe(Object.keys(names).length);
    if (sizes) expect(Object.fromEntries([...tensors].map(([name, { dims }]) => [name, dims]))).toEqual(sizes);
  });

  it("give the tensors that the formula has under diffusers' names", async () => {
    for (const [view, key] of [
      [singleFileUNet(source, config), "up_blocks.0.upsamplers.0.conv.bias"],
      [singleFileUNet(source, config), "up_blocks.1.upsamplers.0.conv.bias"],
      [singleFileUNet(source, config), "down_blocks.2.attentions.1.proj_in.bias"],
      [singleFileAutoencoder(source, config), "decoder.up_blocks.0.resnets.2.norm1.weight"],
    ] as const) {
      const tensor = view.tensors.get(key)!;
      expect(await tensor.read()).toEqual(await formulaTensor("file", key, tensor.dims).read());
    }
  });

  it("without a counterpart stay, so that verify names them", () => {
    const view = singleFileUNet(
      file([...formulaFile().tensors, ["model.diffusion_model.label_emb.0.0.weight", formulaTensor("", "x", [1])]]),
      config,
    );
    expect(view.tensors.has("label_emb.0.0.weight")).toBe(true);
  });
});

describe("a file", () => {
  it("may hold the autoencoder or the U-Net alone, without a prefix", () => {
    const bare = (prefix: string) =>
      file([...formulaFile().tensors].flatMap(([key, tensor]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), tensor] as const] : [])));
    expect(singleFileAutoencoder(bare("first_stage_model."), config).tensors.size).toBe(248);
    expect(singleFileUNet(bare("model.diffusion_model."), config).tensors.size).toBe(686);
    expect([isSingleFile(bare("model.diffusion_model.")), isSingleFile(formulaFile()), isSingleFile(bare("cond_stage_model."))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("with diffusers' names, or another text encoder, is refused", () => {
    const other = file(Object.keys(manifest("sd15-unet")).map((key) => [key, formulaTensor("", key, [1])]));
    expect(isSingleFile(other)).toBe(false);
    for (const open of [() => singleFileUNet(other, config), () => singleFileAutoencoder(other, config), () => singleFileTextEncoder(other)]) {
      expect(open).toThrow(WeightsError);
      expect(open).toThrow(/a single file: expected a single-file checkpoint with "[a-z_.]+[^"]*", found 686 keys such as "conv_in.weight"/);
    }
    const openClip = file([["cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight", formulaTensor("", "x", [1])]]);
    expect(() => singleFileTextEncoder(openClip)).toThrow(/OpenCLIP/);
  });
});

/** diffusers' names to latent-diffusion's for any number of blocks, written the other way round than the code under test. */
function originalName(part: "unet" | "vae", key: string, { layers, blocks }: { layers: number; blocks: number }): string {
  const leaf = /\.(weight|bias)$/.exec(key)![0];
  const path = key.slice(0, -leaf.length).split(".");
  const [head, number, kind, layer] = [path[0]!, Number(path[1]), path[2], Number(path[3])];
  const rest = path.slice(4).join(".");
  if (part === "vae") {
    const side = head === "quant_conv" || head === "post_quant_conv" ? undefined : head;
    if (!side) return key;
    const inner = path.slice(1).join(".");
    const mid = /^mid_block\.(resnets|attentions)\.(\d)\.(.*)$/.exec(inner);
    const attention: Record<string, string> = { group_norm: "norm", to_q: "q", to_k: "k", to_v: "v", "to_out.0": "proj_out" };
    if (mid)
      return `${side}.mid.${mid[1] === "resnets" ? `block_${Number(mid[2]) + 1}.${mid[3]!.replace("conv_shortcut", "nin_shortcut")}` : `attn_1.${attention[mid[3]!]}`}${leaf}`;
    const block = /^(down|up)_blocks\.(\d)\.(resnets|downsamplers|upsamplers)\.(\d)\.(.*)$/.exec(inner);
    if (block) {
      const place = block[1] === "up" ? blocks - 1 - Number(block[2]) : block[2];
      const to = block[3] === "resnets" ? `block.${block[4]}.${block[5]!.replace("conv_shortcut", "nin_shortcut")}` : `${block[1]}sample.${block[5]}`;
      return `${side}.${block[1]}.${place}.${to}${leaf}`;
    }
    return `${side}.${inner.replace("conv_norm_out", "norm_out")}${leaf}`;
  }
  const resnet: Record<string, string> = {
    norm1: "in_layers.0",
    conv1: "in_layers.2",
    time_emb_proj: "emb_layers.1",
    norm2: "out_layers.0",
    conv2: "out_layers.3",
    conv_shortcut: "skip_connection",
  };
  const whole: Record<string, string> = {
    conv_in: "input_blocks.0.0",
    conv_norm_out: "out.0",
    conv_out: "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
  };
  const known = whole[path.join(".")];
  if (known) return known + leaf;
  if (head === "mid_block")
    return path[1] === "attentions"
      ? `middle_block.1.${path.slice(3).join(".")}${leaf}`
      : `middle_block.${Number(path[2]) * 2}.${resnet[path.slice(3).join(".")]}${leaf}`;
  if (kind === "downsamplers") return `input_blocks.${(number + 1) * (layers + 1)}.0.op${leaf}`;
  if (kind === "upsamplers") return `output_blocks.${number * (layers + 1) + layers}.${number === 0 ? 1 : 2}.conv${leaf}`;
  const place = number * (layers + 1) + layer;
  const at = head === "down_blocks" ? `input_blocks.${place + 1}` : `output_blocks.${place}`;
  return kind === "resnets" ? `${at}.0.${resnet[rest]}${leaf}` : `${at}.1.${rest}${leaf}`;
}

const micro = (name: string) => fileURLToPath(new URL(`../../../assets/micro/base/${name}`, import.meta.url));
const lookup = ({ description, tensors }: WeightSource): WeightLookup => ({
  description,
  tensor: (key) => tensors.get(key),
  keys: () => tensors.keys(),
});

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}
const gaussian = (name: string, dims: readonly number[]): Tensor => ({ dtype: "float32", dims, data: formulaGaussian(name, dims) });

describe("the bundled checkpoint under the names of a single file", () => {
  it("the slow renaming agrees with the recorded one", () => {
    for (const [key, name] of Object.entries(recorded.unet))
      expect(`model.diffusion_model.${originalName("unet", name, { layers: 2, blocks: 4 })}`).toBe(key);
    for (const [key, name] of Object.entries(recorded.autoencoder))
      expect(`first_stage_model.${originalName("vae", name, { layers: 2, blocks: 4 })}`).toBe(key);
  });

  it("U-Net: the same prediction", async () => {
    const settings = parseUNetConfig(JSON.parse(await readFile(micro("unet/config.json"), "utf8")));
    const published = await openWeights(micro("unet/diffusion_pytorch_model.safetensors"));
    const single = file(
      [...published.tensors].map(([key, tensor]) => [`model.diffusion_model.${originalName("unet", key, { layers: 2, blocks: 4 })}`, tensor]),
    );
    const feeds = {
      sample: gaussian("x", [2, 4, 9, 11]),
      timestep: { dtype: "float32", dims: [2], data: Float32Array.of(3, 901) } as Tensor,
      context: gaussian("c", [2, 7, 32]),
    };
    const answers = [];
    for (const source of [published, singleFileUNet(single, settings)]) {
      const graph = new NewGraph("unet");
      const weights = Weights.from(lookup(source));
      const [sample, timestep, context] = Object.entries(feeds).map(([name, { dtype, dims }]) => graph.input(name, dtype, dims));
      graph.output("y", unet({ sample: sample!, timestep: timestep!, context: context! }, weights, settings));
      weights.verify();
      answers.push((await run(graph, feeds)).y);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  it("autoencoder: the same latents and the same image", async () => {
    const settings = parseAutoencoderConfig(JSON.parse(await readFile(micro("vae/config.json"), "utf8")));
    const published = await openWeights(micro("vae/diffusion_pytorch_model.safetensors"));
    const single = file(
      [...published.tensors].map(([key, tensor]) => {
        const to = originalName("vae", key, { layers: 2, blocks: 4 });
        return [`first_stage_model.${to}`, { ...tensor, dims: stored(to, tensor.dims) }];
      }),
    );
    const feeds = { image: gaussian("x", [1, 3, 40, 24]), latents: gaussian("z", [1, 4, 5, 3]) };
    const answers = [];
    for (const source of [published, singleFileAutoencoder(single, settings)]) {
      const graph = new NewGraph("vae");
      const weights = Weights.from(lookup(source));
      graph.output("mean", encodeLatents(graph.input("image", "float32", [1, 3, 40, 24]), weights, settings).mean);
      graph.output("out", decodeLatents(graph.input("latents", "float32", [1, 4, 5, 3]), weights, settings));
      weights.verify();
      answers.push(await run(graph, feeds));
    }
    expect(answers[1]).toEqual(answers[0]);
  });
});

it("formula weights may be asked for by the names of a file", async () => {
  const view = singleFileAutoencoder(formulaFile(), config).tensors.get("decoder.mid_block.attentions.0.to_q.weight")!;
  const asked = formulaWeights("file").tensor("decoder.mid_block.attentions.0.to_q.weight", [512, 512])!;
  expect(view.dims).toEqual(asked.dims);
});
