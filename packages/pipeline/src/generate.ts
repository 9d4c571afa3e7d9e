import { denoise, type Schedule } from "@refadgen/core-unet";
import { type ActivationRanges, gatherRanges, type Session, type Tensor, watchRanges } from "@refadgen/graph";
import { type Image, resizeImage, type Size, tensorToImage } from "@refadgen/image";
import type { Components } from "./components.js";
import { EventQueue, stageClock } from "./events.js";
import { type GuidancePart, guidedDenoiser } from "./guidance.js";
import { generationConfig, type Models } from "./models.js";
import { type GenerationSize, generationGraph } from "./networks.js";
import { drawNoise, joined } from "./noise.js";
import type { GenerateEvent, GenerateOptions, GenerateResult, Stage, StepEvent } from "./options.js";
import { previewLatents } from "./preview.js";
import { latentMask, loadProduct, publishedResize } from "./product.js";
import type { ReferenceMemory } from "./reference-memory.js";
import { productTokensOnly } from "./reference-tokens.js";
import type { Request } from "./request.js";
import { decode, encodeProduct, encodeTexts, holdAll, productTokens, projectTexts, referenceFeatures, type Workplace } from "./stages.js";

type Floats = Tensor<"float32">;

export interface Studio {
  readonly models: Models;
  readonly components: Components;
  readonly memory: ReferenceMemory;
  /** Where set, the generation U-Net is computed in float32 and shows the ranges of its convolutions. */
  readonly onRanges?: (ranges: (earlier: ActivationRanges) => ActivationRanges) => void;
}

/**
 * One call of the published pipeline, as a stream of events.
 *
 * Images of a batch are denoised one after another: each is what it would be in a batch, and memory does not grow with their number.
 */
export async function* generateEvents(
  studio: Studio,
  request: Request,
  schedule: Schedule,
  options: GenerateOptions,
): AsyncGenerator<GenerateEvent, GenerateResult> {
  const { models, components, onRanges } = studio;
  const { signal, onTensor: show = () => {} } = options;
  const place: Workplace = { models, components, show, signal };
  const size: Size = { width: request.width / 8, height: request.height / 8 };
  const guided = request.guidanceScale > 1;
  const seconds: Record<Stage, number> = { text: 0, product: 0, reference: 0, denoise: 0, decode: 0 };
  const clock = stageClock(seconds);

  const product = await loadProduct(options.product, options.mask, { extractor: options.extractor, category: options.category, signal });
  const resized = request.publishedSize ? publishedResize(product.image) : product.image;

  yield clock.start("text");
  const text = await encodeTexts(place, request);
  for (const message of text.warnings) yield { type: "warning", message };
  // Where guidance is off at times, both halves are run one after the other, so that one can be left out.
  const apart = guided && request.guidanceInterval !== undefined;
  const halves = guided ? [text.negative, text.prompt] : [text.prompt];
  const states = apart ? halves : [joined(halves)];
  const [batch, tokens] = states[0]!.dims as [number, number, number];
  const textKeyValues = await projectTexts(place, states);
  yield clock.end("text");

  yield clock.start("product");
  const noise = drawNoise(request, models.vae.config.latent_channels, size);
  show("initial_latents", joined(noise.initial));
  const mask = latentMask(product.mask, size);
  show("latent_mask", { dtype: "float32", dims: [1, 1, size.height, size.width], data: mask });
  const known = studio.memory.recall(resized, request);
  const inputs = known ? undefined : await referenceInputs(place, resized, request, text, noise.posterior);
  yield clock.end("product");

  yield clock.start("reference");
  const references = known ?? (await referenceFeatures(place, inputs!.latents, inputs!.contexts));
  if (!known) studio.memory.remember(resized, request, references);
  yield clock.end("reference");

  yield clock.start("denoise");
  show("timesteps", { dtype: "float32", dims: [schedule.timesteps.length], data: Float32Array.from(schedule.timesteps) });
  const selection = request.referenceTokens === "product" ? productTokensOnly(mask, size) : undefined;
  const graphSize: GenerationSize = { batch, tokens, ...size, ...(selection && { referenceTokens: selection.count }) };
  const cached = request.cacheInterval > 1;
  const graphOf = (part: "whole" | "recording" | "shallow") => {
    const graph = generationGraph(models.unet.generation, generationConfig(models.unet.config), graphSize, { part });
    if (onRanges) watchRanges(graph);
    return graph;
  };
  const shallowGraph = cached ? graphOf("shallow") : undefined;
  const key = `${batch} × ${size.height} × ${size.width}${selection ? `, reference ${selection.key}` : ""}${cached ? ", recording" : ""}${onRanges ? ", watched" : ""}`;
  const queue = new EventQueue<StepEvent>();
  const finished: Floats[] = [];
  const run = async (session: Session, shallow: Session | undefined) => {
    for (let image = 0; image < request.images; image++) {
      const reference = references[image] ?? references[0]!;
      const parts: GuidancePart[] = [];
      try {
        for (const [half, ofText] of textKeyValues.entries()) {
          const ofReference = Object.fromEntries(
            Object.entries(reference).map(([name, tensor]) => {
              const mine = apart ? halfOf(tensor, half) : tensor;
              return [name, selection ? selection.pick(mine) : mine] as const;
            }),
          );
          const seen = { ...ofReference, ...ofText };
          const outer =
            shallowGraph && Object.fromEntries(shallowGraph.inputs.flatMap(({ name }) => (seen[name] ? [[name, seen[name]] as const] : [])));
          parts.push({
            batch,
            ...(shallow && outer && { shallowKeyValues: await holdAll(shallow, outer, { copy: true }) }),
            keyValues: {
              ...(await holdAll(session, ofReference, { copy: !apart && !selection && references.length === 1 })),
              ...(await holdAll(session, ofText, { copy: true })),
            },
          });
        }
        const denoiser = guidedDenoiser({
          ...request,
          session,
          shallow,
          parts,
          mask,
          onPrediction: (prediction) => show("prediction", prediction, { image }),
          onOutputs: onRanges && ((outputs) => onRanges((earlier) => gatherRanges(outputs, earlier))),
        });
        let started = performance.now();
        const latents = noise.initial[image]!;
        for await (const state of denoise({ denoiser, schedule, latents, noise: (step) => noise.later(step)[image]!, ...(signal && { signal }) })) {
          show("latents", state.latents, { image, step: state.step });
          const event: StepEvent = {
            type: "step",
            image,
            images: request.images,
            step: state.step + 1,
            steps: state.steps,
            timestep: state.timestep,
            seconds: (performance.now() - started) / 1000,
            preview: () => previewLatents(state.latents.data, size),
          };
          started = performance.now();
          finished[image] = state.latents;
          options.onStep?.(event);
          queue.push(event);
        }
      } finally {
        const held = parts.flatMap((part) => [...Object.values(part.keyValues), ...Object.values(part.shallowKeyValues ?? {})]);
        for (const tensor of held) if ("release" in tensor) await tensor.release();
      }
    }
  };
  const work = components.use(
    "generation-unet",
    key,
    () => graphOf(cached ? "recording" : "whole"),
    (session) =>
      shallowGraph
        ? components.use(
            "generation-unet-shallow",
            key,
            () => shallowGraph,
            (shallow) => run(session, shallow),
            signal,
          )
        : run(session, undefined),
    signal,
    { exact: onRanges !== undefined },
  );
  yield* queue.until(work);
  yield clock.end("denoise");

  yield clock.start("decode");
  const images: Image[] = [];
  for (const [index, latents] of finished.entries()) {
    const pixels = await decode(place, latents, request.decodeTile);
    show("image", pixels, { image: index });
    const picture = tensorToImage(pixels.data, { width: request.width, height: request.height, channels: 3, range: [0, 1] });
    const image = request.publishedSize ? resizeImage(picture, product.image, { filter: "bicubic" }) : picture;
    images.push(image);
    yield { type: "image", index, image, seed: BigInt(request.seeds[index] ?? request.seeds[0]!) };
  }
  yield clock.end("decode");
  return { images, seed: options.seed ?? request.seeds[0]!, seconds };
}

/** One image of a batch of two. */
function halfOf({ dtype, dims, data }: Floats, half: number): Floats {
  const length = data.length / 2;
  return { dtype, dims: [1, ...dims.slice(1)], data: data.slice(half * length, (half + 1) * length) };
}

async function referenceInputs(
  place: Workplace,
  image: Image,
  request: Request,
  text: { readonly negative: Floats; readonly nothing: Floats },
  noise: readonly Floats[],
): Promise<{ readonly contexts: Floats; readonly latents: readonly Floats[] }> {
  // Without an image encoder the published code lets the reference see the texts' states: the empty text's, and the negative prompt's.
  const { cond, uncond } = request.referenceContext === "image" ? await productTokens(place, image) : { cond: text.nothing, uncond: text.negative };
  const contexts = request.guidanceScale > 1 ? joined([uncond, cond]) : cond;
  place.show("reference_context", contexts);
  return { contexts, latents: await encodeProduct(place, image, request, noise) };
}
