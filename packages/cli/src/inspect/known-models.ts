import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** A published model by the names and sizes of its tensors. */
export interface KnownModel {
  readonly name: string;
  /** Where it is published. */
  readonly file: string;
  /** Sizes by key, as `320x4x3x3`; empty for a scalar. */
  readonly tensors: ReadonlyMap<string, string>;
}

/** How a file agrees with a known model. */
export interface Match {
  readonly model: KnownModel;
  /** What stands before every key in the file, such as `module.`. */
  readonly prefix: string;
  readonly matching: number;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshapen: readonly { readonly key: string; readonly expected: string; readonly found: string }[];
}

let loaded: readonly KnownModel[] | undefined;

export function knownModels(): readonly KnownModel[] {
  loaded ??= (
    JSON.parse(gunzipSync(readFileSync(new URL("../../known-models.json.gz", import.meta.url))).toString("utf8")) as {
      readonly name: string;
      readonly file: string;
      readonly tensors: readonly (readonly [string, string])[];
    }[]
  ).map(({ name, file, tensors }) => ({ name, file, tensors: new Map(tensors) }));
  return loaded;
}

/** Keys that libraries write or leave out as they please, and no network needs. */
const ignored = /(^|\.)(position_ids|num_batches_tracked)$/;

/**
 * The known model that agrees best, if at least half of its keys are there.
 *
 * @param tensors sizes by key, as in `KnownModel`
 */
export function bestMatch(tensors: ReadonlyMap<string, string>): Match | undefined {
  const keys = [...tensors.keys()];
  const prefixes = new Set(
    ["", ...keys.slice(0, 400).flatMap((key) => key.split(".").map((_, index, parts) => `${parts.slice(0, index).join(".")}.`))].map((prefix) =>
      prefix === "." ? "" : prefix,
    ),
  );
  let best: { readonly model: KnownModel; readonly prefix: string; readonly score: number } | undefined;
  for (const model of knownModels()) {
    for (const prefix of prefixes) {
      let shared = 0;
      for (const [key, dims] of model.tensors) if (tensors.get(`${prefix}${key}`) === dims) shared++;
      // Of models that share keys, the one that explains most of the file.
      const below = prefix === "" ? keys.length : keys.filter((key) => key.startsWith(prefix)).length;
      const score = shared / Math.max(model.tensors.size, below);
      if (shared >= model.tensors.size / 2 && score > (best?.score ?? 0)) best = { model, prefix, score };
    }
  }
  return best && compared(tensors, best.model, best.prefix);
}

function compared(tensors: ReadonlyMap<string, string>, model: KnownModel, prefix: string): Match {
  const missing: string[] = [];
  const misshapen: { key: string; expected: string; found: string }[] = [];
  let matching = 0;
  for (const [key, expected] of model.tensors) {
    const found = tensors.get(`${prefix}${key}`);
    if (found === undefined) {
      if (!ignored.test(key)) missing.push(key);
    } else if (found !== expected) misshapen.push({ key, expected, found });
    else matching++;
  }
  const extra = [...tensors.keys()].filter((key) => !(key.startsWith(prefix) && model.tensors.has(key.slice(prefix.length))) && !ignored.test(key));
  return { model, prefix, matching, missing, extra, misshapen };
}
