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
 * The known model that agrees best, if at least half of its keys are there: in its sizes, else (a smaller copy, say) in any.
 *
 * @param tensors sizes by key, as in `KnownModel`
 */
export function bestMatch(tensors: ReadonlyMap<string, string>): Match | undefined {
  const prefixes = prefixesOf([...tensors.keys()]);
  for (const agrees of [(found: string | undefined, dims: string) => found === dims, (found: string | undefined) => found !== undefined]) {
    const best = knownModels()
      .flatMap((model) => prefixes.map(({ prefix, below }) => ({ model, prefix, ...scored(model, prefix, below) })))
      .reduce((most, candidate) => (candidate.score > most.score ? candidate : most));
    if (best.score > 0) return compared(tensors, best.model, best.prefix);

    function scored(model: KnownModel, prefix: string, below: number): { readonly score: number } {
      let shared = 0;
      for (const [key, dims] of model.tensors) if (agrees(tensors.get(`${prefix}${key}`), dims)) shared++;
      // Of models that share keys, the one that explains most of the file.
      return { score: shared < model.tensors.size / 2 ? 0 : shared / Math.max(model.tensors.size, below) };
    }
  }
  return undefined;
}

/** What may stand before all keys of a model: nothing, or the beginnings of the first keys; with the number of keys that have it. */
function prefixesOf(keys: readonly string[]): { readonly prefix: string; readonly below: number }[] {
  const found = new Set([""]);
  for (const key of keys.slice(0, 400)) {
    const parts = key.split(".");
    for (let length = 1; length < parts.length; length++) found.add(`${parts.slice(0, length).join(".")}.`);
  }
  return [...found].map((prefix) => ({ prefix, below: keys.filter((key) => key.startsWith(prefix)).length })).filter(({ below }) => below >= 4);
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
