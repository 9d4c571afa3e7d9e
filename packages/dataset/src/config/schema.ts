import { captionProblemCodes } from "../caption/check/problem.js";
import { scoreNames } from "../score/names.js";
import type { Schema } from "./schema-type.js";

const text = (description: string, more: Partial<Schema> = {}): Schema => ({ type: "string", minLength: 1, description, ...more });
const number = (description: string, minimum?: number, maximum?: number): Schema => ({
  type: "number",
  description,
  ...(minimum !== undefined && { minimum }),
  ...(maximum !== undefined && { maximum }),
});
const whole = (description: string, minimum: number, maximum?: number): Schema => ({ ...number(description, minimum, maximum), type: "integer" });
const above = (description: string): Schema => ({ type: "number", exclusiveMinimum: 0, description });
const flag = (description: string): Schema => ({ type: "boolean", description });
const oneOf = (description: string, ...values: readonly string[]): Schema => ({ type: "string", enum: values, description });
const list = (description: string, items: Schema, more: Partial<Schema> = {}): Schema => ({ type: "array", description, items, ...more });
const object = (description: string, properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema => ({
  type: "object",
  description,
  properties,
  ...(required.length > 0 && { required }),
  additionalProperties: false,
});

const model: Readonly<Record<string, Schema>> = {
  model: text("Hub id, or folder with onnx/."),
  dtype: text("Which of the model's files; default fp32."),
  device: text("Where it runs; default cpu."),
  revision: text("Revision on the hub."),
  cacheDirectory: text("Where downloads are kept."),
  offline: flag("Never use the network. Default false."),
};

const driver = (name: string, description: string, properties: Readonly<Record<string, Schema>> = {}, ...required: readonly string[]): Schema =>
  object(description, { name: { const: name }, ...properties }, "name", ...required);

const drivers: readonly Schema[] = [
  driver("given", "The mask that the source has."),
  driver("alpha", "The picture's own transparency."),
  driver("plain-background", "One thing on a background of one colour.", {
    tolerance: number("How far a pixel may be from the background's colour, ΔE.", 0),
    shadows: oneOf("Default remove.", "remove", "keep"),
    holes: oneOf("Default open.", "open", "fill"),
  }),
  driver("grabcut", "Colours inside against colours at the border; needs @techstark/opencv-js.", {
    iterations: whole("Default 5.", 1, 100),
    longestSide: whole("Of the copy that is looked at. Default 640.", 32, 4096),
  }),
  driver("background-removal", "A model without boxes; needs @huggingface/transformers.", model),
  driver("grounded", "Grounding DINO finds the category, SAM 2 its outline; needs @huggingface/transformers.", {
    detector: object("Of Grounding DINO.", {
      ...model,
      boxThreshold: number("Default 0.35.", 0, 1),
      textThreshold: number("Default 0.25.", 0, 1),
    }),
    segmenter: object("Of SAM 2.", model),
    choice: oneOf("Which box. Default best.", "best", "first", "largest", "all"),
    duplicateIoU: number("Default 0.7.", 0, 1),
    feather: number("Pixels. Default 1.", 0),
  }),
  driver(
    "remote",
    "A service that takes a picture and answers a cut-out.",
    {
      endpoint: text("http or https."),
      headers: { type: "object", description: "Headers to send.", additionalProperties: { type: "string" } },
      field: text("Form field of the picture. Default file."),
      timeout: above("Milliseconds of one attempt. Default 60 000."),
      attempts: whole("Default 3.", 1, 100),
      maxBytes: whole("Of an answer. Default 64 MiB.", 1),
      score: number("Of an answer that states none. Default 0.9.", 0, 1),
    },
    "endpoint",
  ),
];

const endpoint = object(
  "A server that speaks OpenAI's chat completions and takes pictures.",
  {
    url: text("Up to /v1, or the whole address."),
    model: text("As the server names it."),
    keyEnvironment: text("Environment variable that holds the key."),
    keyHeader: text("Header that carries the key. Default authorization."),
    parameters: { type: "object", description: "Further fields of the request." },
    timeout: above("Seconds for one answer. Default 120."),
    concurrent: whole("Requests at the same time. Default 4.", 1),
    perMinute: above("Requests in any minute. Default no limit."),
    format: oneOf("How it is told to answer in JSON. Default json-schema.", "json-schema", "json-object", "text"),
    prices: object("Of a million tokens.", { input: number("", 0), output: number("", 0) }, "input", "output"),
  },
  "url",
  "model",
);

const caption = object("Who writes captions, and what they must keep to.", {
  writers: list(
    "Whose captions are taken, in this order. Default endpoint with endpoints, else source, template.",
    oneOf("", "source", "endpoint", "template"),
    {
      minItems: 1,
      uniqueItems: true,
    },
  ),
  count: whole("Of each ad. Default 4.", 1, 16),
  language: text("ISO 639-1. Default en."),
  endpoints: list("Asked for captions.", endpoint),
  spread: oneOf("Which endpoint is asked. Default in-order.", "in-order", "least-busy"),
  style: text("How to write."),
  showSource: flag("Show the source's captions to the model. Default false."),
  temperature: number("Default 0.7.", 0, 2),
  maxPixels: whole("Of the picture that is sent. Default 1 003 520.", 784, 64_000_000),
  jpegQuality: whole("Of the picture that is sent. Default 85.", 1, 100),
  rounds: whole("Answers for one ad. Default 3.", 1, 20),
  retry: object("Of requests.", {
    attempts: whole("Default 6.", 1),
    firstWait: number("Seconds. Default 0.5.", 0),
    longestWait: number("Seconds. Default 60.", 0),
  }),
  budget: object("What may be spent in all; the run stops there.", {
    calls: whole("", 0),
    tokens: whole("", 0),
    money: number("", 0),
  }),
  maxTokens: whole("Of CLIP. Default 77.", 8, 4096),
  allowedNames: list("Brands that captions may say.", text("")),
  trustVisibleText: flag("Whether text that the model read counts as printed there. Default false."),
  categoryIn: oneOf("Default every.", "every", "any"),
  ignore: list("Checks that are not made.", oneOf("", ...captionProblemCodes)),
});

/** Of a config's file; published as `@refadgen/dataset/config.schema.json`. */
export const configSchema: Schema = object(
  "A run of refadgen dataset.",
  {
    $schema: { type: "string", description: "For editors." },
    sources: list(
      "Where pictures come from.",
      object(
        "",
        {
          kind: oneOf("", "folder", "url-list", "tar", "webdataset", "parquet", "image-folder", "authors"),
          path: text("File or folder, relative to this file."),
          name: text("Begins the keys of its items.", { pattern: "^[A-Za-z0-9_-]{1,32}$" }),
          category: text("Of items that have none of their own."),
          licence: text("Kept with each item."),
        },
        "kind",
        "path",
      ),
      { minItems: 1 },
    ),
    output: text("Folder of the run, relative to this file."),
    seed: { anyOf: [{ type: "integer" }, { type: "string" }], description: "Of everything that is drawn. Default 0." },
    taxonomy: text("File with categories of your own. Default: the 30 of Table 1."),
    withoutCategory: text('"reject" (default), or the category that items without one get.'),
    workers: whole("Threads. Default: the processors.", 1, 256),
    deadline: above("Seconds that a stage may take for one item. Default 600."),
    failuresInARow: whole("Failures of one kind in a row at which the run stops. Default 50.", 1),
    ingest: object("What may come in.", {
      maxBytes: whole("Of a file. Default 30 MB.", 1),
      maxPixels: whole("Of a picture. Default 64 000 000.", 1),
      maxSide: whole("Larger pictures of folders are made smaller, to this longer side. Default: they stay.", 64),
      timeout: above("Seconds for one address. Default 20."),
      maxEntries: whole("Of an archive. Default 1 000 000.", 1),
      allowPrivate: flag("Whether addresses of private networks may be asked. Default false."),
    }),
    filter: object("What a picture must keep to.", {
      thresholds: list(
        "In place of the default ones.",
        object(
          "",
          {
            score: oneOf("", ...scoreNames.map(({ name }) => name)),
            least: number("The least value that passes."),
            most: number("The largest value that passes."),
            code: text("Of the rejection. Default the score's name.", { pattern: "^[A-Za-z0-9-]+$" }),
          },
          "score",
        ),
      ),
    }),
    dedup: object("Duplicates.", {
      drop: flag("Default true: one of each group stays."),
      radius: whole("Bits in which perceptual hashes may differ. Default 3.", 0, 16),
      wideRadius: whole("The same, where small copies prove the pictures alike. Default 10.", 0, 16),
    }),
    extract: object("How the product is found.", {
      drivers: list("Asked in turn. Default given, alpha, plain-background, grabcut.", { anyOf: drivers }, { minItems: 1 }),
      confidence: number("The first result with this score is taken. Default 0.6.", 0, 1),
      least: number("Below, a picture is rejected. Default: confidence.", 0, 1),
    }),
    caption,
    augment: object("Variants of the product.", {
      variants: whole("Default 5.", 0, 100),
      views: whole("How many of them are seen from nearby. Default two fifths.", 0, 100),
      strength: { type: "integer", enum: [1, 2, 3, 4, 5], description: "How bad the others are at most. Default 2." },
    }),
    split: object("Training and test.", {
      test: number("Share of tests. Default 0.1.", 0, 1),
      keep: flag("Whether items keep the side that an earlier run gave them. Default true."),
    }),
    shard: object("What comes out.", {
      formats: list('Default ["webdataset"].', oneOf("", "webdataset", "parquet", "image-folder", "authors"), { minItems: 1, uniqueItems: true }),
      maxTriplets: whole("Of a shard. Default 1000.", 1),
      maxBytes: whole("Of a shard. Default 1 GiB.", 1),
      masks: oneOf("In WebDataset. Default png.", "png", "npy"),
    }),
    report: object("The page about the run.", {
      title: text(""),
      thumbnail: whole("Pixels. Default 224.", 32, 640),
      picturesEach: whole("Of each reason. Default 8.", 0, 100),
      samples: whole("Triplets and groups of duplicates. Default 12.", 0, 200),
    }),
  },
  "sources",
  "output",
);

/** The file that is published. */
export function schemaFile(): string {
  return `${JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", title: "refadgen dataset", ...configSchema }, undefined, 2)}\n`;
}
