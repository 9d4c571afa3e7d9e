import { bytesText, countText } from "../amounts.js";
import type { InspectedWeights, Inspection } from "./inspect.js";

const shown = 8;

/** Lines for a person; `all`: every tensor. */
export function inspectionText({ path, weights, unreadable }: Inspection, { all = false }: { readonly all?: boolean } = {}): string {
  const sections = weights.map((one) => [one.path === "" ? path : one.path, ...weightLines(one, all).map((line) => `  ${line}`)].join("\n"));
  const problems = unreadable.map(({ path: file, reason }) => `${file}\n  cannot be read: ${reason}`);
  return [...sections, ...problems].join("\n\n");
}

function weightLines({ tensors, parameters, bytes, dtypes, match }: InspectedWeights, all: boolean): string[] {
  const types = Object.entries(dtypes)
    .sort(([, a], [, b]) => b - a)
    .map(([dtype, count]) => (Object.keys(dtypes).length === 1 ? dtype : `${count} ${dtype}`));
  const lines = [`${tensors.length} tensors, ${countText(parameters)} parameters, ${bytesText(bytes)}, ${types.join(", ")}`];
  if (match) {
    const { model, prefix, matching, missing, extra, misshapen } = match;
    const whole = missing.length + misshapen.length === 0;
    const resized = !whole && misshapen.length > model.tensors.size / 2;
    lines.push(
      `${whole ? "is" : resized ? "has the layout, not the sizes, of" : "looks like"} ${model.name} (${model.file})${prefix === "" ? "" : `, its keys after "${prefix}"`}`,
    );
    if (!whole && !resized) lines.push(`${matching} of ${model.tensors.size} tensors agree`);
    lines.push(
      ...listed("missing", resized ? [] : missing),
      ...listed(
        "of another size",
        (resized ? [] : misshapen).map(({ key, expected, found }) => `${key}: expected ${sized(expected)}, got ${sized(found)}`),
      ),
      ...listed("extra", extra),
    );
  } else {
    lines.push("is no model that refadgen knows by its tensors");
  }
  const wanted = all ? tensors : match ? [] : tensors.slice(0, shown);
  lines.push(...wanted.map(({ name, dtype, dims }) => `${name}  ${dtype} ${sized(dims.join("x"))}`));
  if (!all && !match && tensors.length > shown) lines.push(`… and ${tensors.length - shown} more; --all lists every tensor`);
  return lines;
}

function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [
    `${title}: ${items.length}`,
    ...items.slice(0, shown).map((item) => `  ${item}`),
    ...(items.length > shown ? [`  … and ${items.length - shown} more; --json lists all`] : []),
  ];
}

function sized(dims: string): string {
  return `[${dims.replaceAll("x", ", ")}]`;
}

/** The same for programs. */
export function inspectionJson({ path, weights, unreadable }: Inspection): unknown {
  return {
    path,
    weights: weights.map(({ match, ...rest }) => ({
      ...rest,
      model: match
        ? {
            name: match.model.name,
            file: match.model.file,
            prefix: match.prefix,
            matching: match.matching,
            missing: match.missing,
            misshapen: match.misshapen,
            extra: match.extra,
          }
        : null,
    })),
    unreadable,
  };
}
