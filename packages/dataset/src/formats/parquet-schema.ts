import type { SchemaElement } from "hyparquet";
import type { ColumnSource } from "hyparquet-writer";

const required = { repetition_type: "REQUIRED" } as const;
const optional = { repetition_type: "OPTIONAL" } as const;
const string = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;

/** Hugging Face's Image: the file's bytes, and a name that tells its kind. */
function image(name: string): SchemaElement[] {
  return [
    { name, num_children: 2, ...optional },
    { name: "bytes", type: "BYTE_ARRAY", ...optional },
    { name: "path", ...string, ...optional },
  ];
}

function list(name: string, element: readonly SchemaElement[]): SchemaElement[] {
  return [{ name, num_children: 1, converted_type: "LIST", ...optional }, { name: "list", num_children: 1, repetition_type: "REPEATED" }, ...element];
}

/**
 * Columns of a triplet. Lists and images are spelled out: columns without a type would become JSON texts.
 *
 * Source: apache/parquet-format LogicalTypes.md (lists of three levels); huggingface/datasets src/datasets/features/image.py.
 */
export const parquetSchema: SchemaElement[] = [
  { name: "root", num_children: 12 },
  { name: "key", ...string, ...required },
  { name: "category", ...string, ...required },
  { name: "split", ...string, ...optional },
  ...list("captions", [{ name: "element", ...string, ...optional }]),
  ...image("ad"),
  ...image("product"),
  ...image("mask"),
  ...list("variant_index", [{ name: "element", type: "INT32", ...optional }]),
  ...list("variant_kind", [{ name: "element", ...string, ...optional }]),
  ...list("variants", image("element")),
  ...list("variant_masks", image("element")),
  { name: "extra", ...string, ...optional },
];

const value = (dtype: string) => ({ dtype, _type: "Value" });
const picture = { _type: "Image" };
/** Known to every version of datasets; newer ones make it a List. */
const sequence = (feature: object) => ({ feature, _type: "Sequence" });

/** Under the key `huggingface`: what makes Python's datasets hand out pictures instead of bytes. */
export const huggingFaceFeatures: string = JSON.stringify({
  info: {
    features: {
      key: value("string"),
      category: value("string"),
      split: value("string"),
      captions: sequence(value("string")),
      ad: picture,
      product: picture,
      mask: picture,
      variant_index: sequence(value("int32")),
      variant_kind: sequence(value("string")),
      variants: sequence(picture),
      variant_masks: sequence(picture),
      extra: value("string"),
    },
  },
});

/** How columns are stored: pictures are compressed already, and have neither bounds nor repetitions worth looking for. */
export function columnSettings(name: string): Pick<ColumnSource, "codec" | "encoding" | "statistics"> {
  const pictures = ["ad", "product", "mask", "variants", "variant_masks"].includes(name);
  return pictures ? { codec: "UNCOMPRESSED", encoding: "PLAIN", statistics: false } : {};
}

export const parquetColumns: readonly string[] = Object.keys(JSON.parse(huggingFaceFeatures).info.features);
