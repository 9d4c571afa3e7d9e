// Tiny models with the inputs and outputs of the published exports, in folders as transformers.js reads them. They are not random but
// computed by hand: red is what they detect and segment, so what comes out proves sizes and coordinates on the way in and out.
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  concat,
  conv2d,
  divide,
  expand,
  Graph,
  matMul,
  multiply,
  relu,
  reshape,
  scalar,
  serialize,
  slice,
  sqrt,
  subtract,
  type Value,
} from "@refadgen/graph";

async function folder(files: Readonly<Record<string, unknown>>, models: readonly Graph[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "refadgen-extract-"));
  await mkdir(join(path, "onnx"));
  for (const [name, json] of Object.entries(files)) await writeFile(join(path, name), JSON.stringify(json));
  const place = () => {
    throw new Error("expected constants only");
  };
  for (const graph of models) await writeFile(join(path, "onnx", `${graph.name}.onnx`), serialize(graph, { place }));
  return path;
}

const plainNormalization = { do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: [0, 0, 0], image_std: [1, 1, 1] };

function floats(graph: Graph, dims: readonly number[], value: (index: number) => number): Value {
  return graph.constant(
    "float32",
    dims,
    Float32Array.from({ length: dims.reduce((all, size) => all * size, 1) }, (_, index) => value(index)),
  );
}

/** How much more red than green, `[1, 3, H, W]` in 0 to 1 → `[1, 1, H, W]`. */
function redness(pixels: Value): Value {
  return relu(subtract(slice(pixels, 1, 0, 1), slice(pixels, 1, 1, 2)));
}

const logit = (probability: number) => Math.log(probability / (1 - probability));

/**
 * Grounding DINO: 900 queries, of which the first is the whole picture with score 0.4, the second what is red with 0.8, the third the same,
 * a little larger, with 0.6. The others score nothing.
 *
 * @param input the size that pictures have after preprocessing: transformers.js makes 180 × 120 into 107 × 71 for the sizes below
 */
export function tinyGroundingDino({ height, width }: { readonly height: number; readonly width: number }, tokens: number): Promise<string> {
  const graph = new Graph("model");
  const pixels = graph.input("pixel_values", "float32", [1, 3, height, width]);
  for (const name of ["input_ids", "token_type_ids", "attention_mask"]) graph.input(name, "int64", [1, tokens]);
  graph.input("pixel_mask", "int64", [1, height, width]);
  const [x, y] = [(index: number) => ((index % width) + 0.5) / width, (index: number) => (Math.floor(index / width) + 0.5) / height];
  const powers = [() => 1, x, y, (index: number) => x(index) ** 2, (index: number) => y(index) ** 2];
  const area = height * width;
  const moments = matMul(
    reshape(redness(pixels), [1, area]),
    floats(graph, [area, 5], (index) => powers[index % 5]!(Math.floor(index / 5))),
  );
  const means = divide(slice(moments, 1, 1, 5), slice(moments, 1, 0, 1));
  const [center, squares] = [slice(means, 1, 0, 2), slice(means, 1, 2, 4)];
  // A box of length L spreads by L / √12.
  const size = sqrt(multiply(subtract(squares, multiply(center, center)), scalar(graph, 12)));
  const red = concat([center, size], 1);
  const boxes = concat(
    [
      floats(graph, [1, 4], (index) => (index < 2 ? 0.5 : 1)),
      red,
      multiply(
        red,
        floats(graph, [1, 4], (index) => (index < 2 ? 1 : 1.05)),
      ),
      floats(graph, [897, 4], () => 0.5),
    ],
    0,
  );
  graph.output("pred_boxes", reshape(boxes, [1, 900, 4]));
  const scores = [0.4, 0.8, 0.6];
  const words = (token: number) => token >= 1 && token < tokens - 2;
  // Added to a zero of the picture's, since outputs that depend on no input are folded away by some exporters' checks.
  const zero = multiply(slice(moments, 1, 0, 1), scalar(graph, 0));
  const table = floats(graph, [900, 256], (index) => {
    const [query, token] = [Math.floor(index / 256), index % 256];
    if (token >= tokens) return Number.NEGATIVE_INFINITY;
    return scores[query] !== undefined && words(token) ? logit(scores[query]) : -9;
  });
  graph.output("logits", reshape(add(table, expand(zero, graph, [900, 256])), [1, 900, 256]));
  return folder(
    {
      "config.json": { model_type: "grounding-dino" },
      "preprocessor_config.json": {
        ...plainNormalization,
        image_processor_type: "GroundingDinoImageProcessor",
        do_resize: true,
        size: { shortest_edge: 64, longest_edge: 107 },
        do_pad: false,
      },
      "processor_config.json": { processor_class: "GroundingDinoProcessor" },
      "tokenizer.json": tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", "red", "box", "pen"]),
      "tokenizer_config.json": {
        tokenizer_class: "BertTokenizer",
        do_lower_case: true,
        model_max_length: 512,
        pad_token: "[PAD]",
        unk_token: "[UNK]",
        cls_token: "[CLS]",
        sep_token: "[SEP]",
      },
    },
    [graph],
  );
}

function tokenizer(words: readonly string[]): unknown {
  const special = (content: string) => ({
    id: words.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const piece = (name: "SpecialToken" | "Sequence", id: string) => ({ [name]: { id, type_id: 0 } });
  return {
    version: "1.0",
    added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(special),
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [piece("SpecialToken", "[CLS]"), piece("Sequence", "A"), piece("SpecialToken", "[SEP]")],
      pair: [],
      special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map((token) => [token, { id: token, ids: [words.indexOf(token)], tokens: [token] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, index) => [word, index])),
    },
  };
}

/**
 * SAM 2.1 in its two files. Of the three masks the first is the whole box (quality 0.5), the second what is red in it (0.9), the third
 * nothing (0.1).
 */
export function tinySam2(boxes: number): Promise<string> {
  const encoder = new Graph("vision_encoder");
  const pixels = encoder.input("pixel_values", "float32", [1, 3, 1024, 1024]);
  const pooled = (channels: number, stride: number) => {
    // Red minus green, averaged over a square; every channel alike.
    const weight = floats(encoder, [channels, 3, stride, stride], (index) => ([1, -1, 0][Math.floor(index / stride ** 2) % 3]! * 1) / stride ** 2);
    return conv2d(pixels, weight, undefined, { stride });
  };
  encoder.output("image_embeddings.0", pooled(32, 4));
  encoder.output("image_embeddings.1", pooled(64, 8));
  encoder.output("image_embeddings.2", pooled(256, 16));

  const decoder = new Graph("prompt_encoder_mask_decoder");
  const corners = decoder.input("input_boxes", "float32", [1, boxes, 4]);
  const features = decoder.input("image_embeddings.0", "float32", [1, 32, 256, 256]);
  const red = reshape(slice(features, 1, 0, 1), [1, 256, 256]);
  const coordinate = (axis: "x" | "y") =>
    floats(decoder, [1, 256, 256], (index) => ((axis === "x" ? index % 256 : Math.floor(index / 256)) + 0.5) * 4);
  const corner = (index: number) => reshape(slice(corners, 2, index, index + 1), [boxes, 1, 1]);
  const outside = [
    subtract(corner(0), coordinate("x")),
    subtract(coordinate("x"), corner(2)),
    subtract(corner(1), coordinate("y")),
    subtract(coordinate("y"), corner(3)),
  ]
    .map(relu)
    .reduce(add);
  const whole = subtract(scalar(decoder, 4), multiply(outside, scalar(decoder, 100)));
  const redInside = subtract(multiply(subtract(red, scalar(decoder, 0.25)), scalar(decoder, 40)), multiply(outside, scalar(decoder, 100)));
  const none = subtract(multiply(outside, scalar(decoder, 0)), scalar(decoder, 20));
  const masks = concat(
    [whole, redInside, none].map((mask) => reshape(mask, [1, boxes, 1, 256, 256])),
    2,
  );
  decoder.output("pred_masks", masks);
  const zero = multiply(reshape(slice(corners, 2, 0, 1), [1, boxes, 1]), scalar(decoder, 0));
  decoder.output(
    "iou_scores",
    add(
      zero,
      floats(decoder, [1, 1, 3], (index) => [0.5, 0.9, 0.1][index]!),
    ),
  );
  decoder.output("object_score_logits", zero);
  return folder(
    {
      "config.json": { model_type: "sam2", vision_config: { num_feature_levels: 3 } },
      "preprocessor_config.json": {
        ...plainNormalization,
        image_processor_type: "Sam2ImageProcessorFast",
        do_resize: true,
        size: { height: 1024, width: 1024 },
        resample: 2,
      },
      "processor_config.json": { processor_class: "Sam2Processor" },
    },
    [encoder, decoder],
  );
}

/** A background removal model, MODNet's or BiRefNet's: what is red, as a matte (`"matte"`) or as logits. */
export function tinyBackgroundRemoval(output: "matte" | "logits"): Promise<string> {
  const graph = new Graph("model");
  const [input, result] = output === "matte" ? ["input", "output"] : ["input_image", "output_image"];
  const red = redness(graph.input(input, "float32", [1, 3, 64, 96]));
  const twice = multiply(red, scalar(graph, 2));
  graph.output(
    result,
    output === "matte" ? subtract(twice, relu(subtract(twice, scalar(graph, 1)))) : multiply(subtract(red, scalar(graph, 0.3)), scalar(graph, 60)),
  );
  return folder(
    {
      "config.json": { model_type: output === "matte" ? "modnet" : "birefnet" },
      "preprocessor_config.json": {
        ...plainNormalization,
        do_resize: true,
        size: { width: 96, height: 64 },
        resample: 2,
        image_processor_type: "ImageFeatureExtractor",
      },
    },
    [graph],
  );
}
