import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fuseReference, projectReference, recordReference } from "@refadgen/afm";
import { clipTextEncoder, clipVisionEncoder, parseClipTextConfig, parseClipVisionConfig, resampler, resamplerSd15 } from "@refadgen/clip";
import { decodeLatents, encodeLatents, parseAutoencoderConfig, parseUNetConfig, selfAttention, unet } from "@refadgen/core-unet";
import { formulaGaussian, formulaTensor, Graph, openSession, type Tensor, type WeightLookup, Weights } from "@refadgen/graph";
import type { CaseResult, Part, PartOptions } from "../case.js";
import { type Comparison, compareRecorded, failure, result, type Tolerance } from "../compare.js";
import { openRecording, type Recording } from "../recording.js";

interface Settings {
  readonly salt: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<
    Record<string, { readonly gaussian: string; readonly shape: readonly number[]; readonly clamp?: readonly [number, number] }>
  >;
  readonly timesteps?: readonly number[];
  readonly timestep?: number;
  readonly mask_ones?: { readonly rows: readonly [number, number]; readonly columns: readonly [number, number] };
}

type Session = NonNullable<PartOptions["session"]>;

type Check = (recording: Recording<Settings>, folder: string, session: Session) => Promise<Comparison[]>;

const tolerance: Tolerance = { max: 1e-3, rms: 1e-4, relative: true };

/** U-Nets in other precisions than float32. */
const lowerTolerance: Tolerance = { max: 1, rms: 0.1, relative: true };

const checks: readonly { readonly stem: string; readonly check: Check }[] = [
  { stem: "clip-text", check: clipText },
  { stem: "clip-vision", check: clipVision },
  { stem: "resampler", check: resamplerTokens },
  { stem: "vae", check: autoencoder },
  { stem: "unet", check: plainUnet },
  { stem: "refadgen", check: refAdGen },
];

/** Full-size networks on formula weights, one after another: the largest needs about 8 GB. */
export const networks: Part = async function* (folder, { full, session = {} }) {
  if (!full) return;
  const outer = process.env.REFADGEN_CACHE;
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort()) {
    const stem = basename(file, ".safetensors");
    const cache = await mkdtemp(join(outer ?? tmpdir(), "refadgen-networks-"));
    process.env.REFADGEN_CACHE = cache; // formula weights weigh gigabytes and are of no use to anybody afterwards
    try {
      yield await run(stem, join(folder, file), folder, session);
    } finally {
      await rm(cache, { recursive: true, force: true });
      if (outer === undefined) delete process.env.REFADGEN_CACHE;
      else process.env.REFADGEN_CACHE = outer;
    }
  }
};

async function run(stem: string, path: string, folder: string, session: Session): Promise<CaseResult> {
  const known = checks.find((entry) => stem.startsWith(entry.stem));
  if (!known) return failure(stem, `expected a network named ${checks.map((entry) => entry.stem).join(", ")}`);
  try {
    // As in the pipeline, only U-Nets are computed in another precision than float32.
    const { precision, ...others } = session;
    return result(stem, await known.check(await openRecording<Settings>(path), folder, /unet|refadgen/.test(known.stem) ? session : others));
  } catch (error) {
    return failure(stem, error);
  }
}

async function clipText(recording: Recording<Settings>, _: string, options: Session): Promise<Comparison[]> {
  const { settings } = recording;
  const ids = await recording.values("ids");
  const dims = recording.dims("ids");
  const graph = new Graph("clip-text");
  const { hiddenStates, lastHiddenState, pooled } = clipTextEncoder(
    graph.input("ids", "int64", dims),
    formula(settings),
    parseClipTextConfig(settings.config ?? {}),
  );
  graph.output("last_hidden_state", lastHiddenState);
  graph.output("penultimate_hidden_state", hiddenStates.at(-2)!);
  graph.output("pooled", pooled);
  return compareOutputs(recording, await runOnce(graph, options, { ids: { dtype: "int64", dims, data: BigInt64Array.from(ids, BigInt) } }));
}

async function clipVision(recording: Recording<Settings>, _: string, options: Session): Promise<Comparison[]> {
  const { penultimate, embeds } = await visionStates(recording, options);
  return [
    ...(await compareRecorded(recording, "penultimate_hidden_state", penultimate.data, tolerance)),
    ...(await compareRecorded(recording, "image_embeds", embeds.data, tolerance)),
  ];
}

async function resamplerTokens(recording: Recording<Settings>, folder: string, options: Session): Promise<Comparison[]> {
  const { penultimate } = await visionStates(await openRecording<Settings>(join(folder, "clip-vision.safetensors")), options);
  const graph = new Graph("resampler");
  const config = { ...resamplerSd15, ...recording.settings.config };
  graph.output("tokens", resampler(graph.input("states", "float32", penultimate.dims), formula(recording.settings), config));
  return compareOutputs(recording, await runOnce(graph, options, { states: penultimate }));
}

/** What the vision tower sees is the drawn image, then zeros. */
async function visionStates(
  { settings }: Recording<Settings>,
  options: Session,
): Promise<{ readonly penultimate: Tensor<"float32">; readonly embeds: Tensor<"float32"> }> {
  const image = drawn(settings, Object.keys(settings.inputs)[0]!);
  const data = new Float32Array(image.data.length * 2);
  data.set(image.data);
  const dims = [2, ...image.dims.slice(1)];
  const graph = new Graph("clip-vision");
  const { hiddenStates, imageEmbeds } = clipVisionEncoder(
    graph.input("pixels", "float32", dims),
    formula(settings),
    parseClipVisionConfig(settings.config ?? {}),
  );
  graph.output("penultimate", hiddenStates.at(-2)!);
  graph.output("embeds", imageEmbeds!);
  const outputs = await runOnce(graph, options, { pixels: { dtype: "float32", dims, data } });
  return { penultimate: outputs.penultimate as Tensor<"float32">, embeds: outputs.embeds as Tensor<"float32"> };
}

async function autoencoder(recording: Recording<Settings>, _: string, options: Session): Promise<Comparison[]> {
  const { settings } = recording;
  const config = parseAutoencoderConfig(settings.config ?? {});
  const [image, latent] = [drawn(settings, "vae-image"), drawn(settings, "vae-latent")];
  const encoder = new Graph("vae-encoder");
  const { mean, logvar } = encodeLatents(encoder.input("image", "float32", image.dims), formula(settings), config);
  encoder.output("encode_mean", mean);
  encoder.output("encode_logvar", logvar);
  const decoder = new Graph("vae-decoder");
  decoder.output("decode", decodeLatents(decoder.input("latents", "float32", latent.dims), formula(settings), config));
  return [
    ...(await compareOutputs(recording, await runOnce(encoder, options, { image }))),
    ...(await compareOutputs(recording, await runOnce(decoder, options, { latents: latent }))),
  ];
}

async function plainUnet(recording: Recording<Settings>, _: string, options: Session): Promise<Comparison[]> {
  const { settings } = recording;
  const [sample, context] = [drawn(settings, "unet-x"), drawn(settings, "unet-c")];
  const timesteps = settings.timesteps ?? [];
  const graph = new Graph("unet");
  const inputs = {
    sample: graph.input("sample", "float32", sample.dims),
    timestep: graph.input("timestep", "float32", [timesteps.length]),
    context: graph.input("context", "float32", context.dims),
  };
  graph.output("noise_prediction", unet(inputs, formula(settings), parseUNetConfig(settings.config ?? {})));
  return compareOutputs(
    recording,
    await runOnce(graph, options, { sample, context, timestep: { dtype: "float32", dims: [timesteps.length], data: Float32Array.from(timesteps) } }),
    allowedIn(options),
  );
}

async function refAdGen(recording: Recording<Settings>, _: string, options: Session): Promise<Comparison[]> {
  const { settings } = recording;
  const config = parseUNetConfig({ cross_attention_dim: 768, attention_head_dim: 8, ...settings.config });
  const [latents, context, x, text] = ["ref-latents", "ref-context", "x", "text"].map((name) => drawn(settings, name)) as [
    Drawn,
    Drawn,
    Drawn,
    Drawn,
  ];
  const [, channels, height, width] = x.dims as [number, number, number, number];
  const batch = context.dims[0]!;
  const weights = formula(settings);

  const recorder = recordReference(selfAttention);
  const reference = new Graph("reference-unet");
  const sample = reference.input("sample", "float32", [batch, ...latents.dims.slice(1)]);
  const zero = reference.constant("float32", [batch], new Float32Array(batch));
  unet(
    { sample, timestep: zero, context: reference.input("context", "float32", context.dims) },
    weights.at("ref_unet"),
    { ...config, in_channels: 4 },
    recorder,
  );
  const layers = [...recorder.features.keys()];
  // `adapter_modules` follow diffusers' order of processors, of which every second one is a self-attention layer.
  const ordered = ["down_blocks", "up_blocks", "mid_block"].flatMap((block) => layers.filter((layer) => layer.startsWith(block)));
  for (const [name, feature] of recorder.features) reference.output(`reference.${name}.processor`, feature);
  for (const layer of layers) {
    const adapter = weights.at(`adapter_modules.${ordered.indexOf(layer) * 2}`);
    const renamed = Weights.from({
      description: layer,
      keys: () => [],
      tensor: (key, dims) => adapter.get(key.slice(layer.length + 1), dims).stored,
    });
    const { key, value } = projectReference(new Map([[layer, recorder.features.get(layer)!]]), renamed).get(layer)!;
    reference.output(`key.${layer}`, key);
    reference.output(`value.${layer}`, value);
  }
  const features = await runOnce(reference, options, { sample: repeated(latents, batch), context });
  const comparisons: Comparison[] = [];
  for (const [name, tensor] of Object.entries(features)) {
    if (name.startsWith("reference.")) comparisons.push(...(await compareRecorded(recording, name, tensor.data as Float32Array, allowedIn(options))));
  }

  const generation = new Graph("generation-unet");
  const scale = generation.input("scale", "float32", [1]);
  const inputs = {
    sample: generation.input("sample", "float32", [batch, channels + 1, height, width]),
    timestep: generation.input("timestep", "float32", [batch]),
    context: generation.input("context", "float32", text.dims),
  };
  const prediction = unet(
    inputs,
    weights.at("unet"),
    { ...config, in_channels: channels + 1 },
    {
      selfAttention: (layer) => {
        const { dims } = layer.hiddenStates;
        const [key, value] = ["key", "value"].map((part) => generation.input(`${part}.${layer.name}`, "float32", dims));
        return fuseReference(() => ({ key: key!, value: value! }), scale)(layer);
      },
    },
  );
  generation.output("prediction", prediction);
  const session = await openSession(generation, { runtime: "auto", ...options });
  try {
    const keysAndValues = Object.fromEntries(Object.entries(features).filter(([name]) => !name.startsWith("reference.")));
    for (const name of recording.names.filter((key) => key.startsWith("noise_prediction_scale_"))) {
      const lambda = Number(name.slice("noise_prediction_scale_".length).replace(/\.(sample_every|mean_std).*$/, ""));
      const outputs = await session.run({
        ...keysAndValues,
        scale: { dtype: "float32", dims: [1], data: Float32Array.of(lambda) },
        sample: repeated(withMask(x, settings), batch),
        timestep: { dtype: "float32", dims: [batch], data: new Float32Array(batch).fill(settings.timestep!) },
        context: text,
      });
      comparisons.push(
        ...(await compareRecorded(
          recording,
          name.replace(/\.(sample_every|mean_std).*$/, ""),
          outputs.prediction!.data as Float32Array,
          allowedIn(options),
        )),
      );
    }
  } finally {
    await session.dispose();
  }
  return comparisons;
}

type Drawn = Tensor<"float32">;

/** An input that the recording names, made again from its formula. */
function drawn({ inputs }: Settings, name: string): Drawn {
  const input = inputs[name];
  if (!input) throw new Error(`the settings have no input "${name}"`);
  const data = formulaGaussian(input.gaussian, input.shape);
  const { clamp } = input;
  return { dtype: "float32", dims: input.shape, data: clamp ? data.map((value) => Math.min(clamp[1], Math.max(clamp[0], value))) : data };
}

function withMask(x: Drawn, { mask_ones: ones }: Settings): Drawn {
  const [, channels, height, width] = x.dims as [number, number, number, number];
  const data = new Float32Array((channels + 1) * height * width);
  data.set(x.data);
  if (ones)
    for (let row = ones.rows[0]; row < ones.rows[1]; row++)
      data.fill(1, channels * height * width + row * width + ones.columns[0], channels * height * width + row * width + ones.columns[1]);
  return { dtype: "float32", dims: [1, channels + 1, height, width], data };
}

function repeated({ dims, data }: Drawn, batch: number): Drawn {
  const out = new Float32Array(data.length * batch);
  for (let index = 0; index < batch; index++) out.set(data, index * data.length);
  return { dtype: "float32", dims: [batch, ...dims.slice(1)], data: out };
}

function formula({ salt }: Settings): Weights {
  const lookup: WeightLookup = { description: `formula weights "${salt}"`, keys: () => [], tensor: (key, dims) => formulaTensor(salt, key, dims) };
  return Weights.from(lookup);
}

function allowedIn({ precision = "fp32" }: Session): Tolerance {
  return precision === "fp32" ? tolerance : lowerTolerance;
}

async function runOnce(graph: Graph, options: Session, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  const session = await openSession(graph, { runtime: "auto", ...options });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

async function compareOutputs(
  recording: Recording<Settings>,
  outputs: Readonly<Record<string, Tensor>>,
  allowed: Tolerance = tolerance,
): Promise<Comparison[]> {
  const all = await Promise.all(
    Object.entries(outputs).map(([name, tensor]) => compareRecorded(recording, name, tensor.data as Float32Array, allowed)),
  );
  return all.flat();
}
