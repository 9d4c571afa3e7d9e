import type { Schema } from "./schema-type.js";

/** What is wrong with a value, and where: `filter.thresholds[0].least`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Checks a value against a schema; every problem, in the order of the text. */
export function validate(value: unknown, schema: Schema, path = ""): Problem[] {
  const problem = (message: string): Problem[] => [{ path, message }];
  if (schema.anyOf) return validateAny(value, schema.anyOf, path);
  if (schema.const !== undefined) return value === schema.const ? [] : problem(`expected ${JSON.stringify(schema.const)}, got ${shown(value)}`);
  if (schema.enum && !schema.enum.some((allowed) => allowed === value))
    return problem(
      `expected ${schema.enum.map((allowed) => JSON.stringify(allowed)).join(", ")}, got ${shown(value)}${nearestOf(value, schema.enum)}`,
    );
  if (schema.type !== undefined && !isOfType(value, schema.type)) return problem(`expected ${expectation(schema)}, got ${shown(value)}`);
  if (typeof value === "number") return validateNumber(value, schema) ? [] : problem(`expected ${expectation(schema)}, got ${value}`);
  if (typeof value === "string") {
    const fits = value.length >= (schema.minLength ?? 0) && (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value));
    return fits ? [] : problem(`expected ${expectation(schema)}, got ${shown(value)}`);
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY))
      return problem(`expected ${expectation(schema)}, got ${value.length}`);
    if (schema.uniqueItems && new Set(value.map((item) => JSON.stringify(item))).size < value.length) return problem("expected each entry once");
    return schema.items ? value.flatMap((item, index) => validate(item, schema.items!, `${path}[${index}]`)) : [];
  }
  return typeof value === "object" && value !== null ? validateObject(value as Record<string, unknown>, schema, path) : [];
}

function validateObject(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties }: Schema,
  path: string,
): Problem[] {
  const at = (key: string) => (path === "" ? key : `${path}.${key}`);
  const missing = required
    .filter((key) => value[key] === undefined)
    .map((key): Problem => ({ path, message: `expected ${JSON.stringify(key)}, which is missing` }));
  const problems = Object.entries(value).flatMap(([key, inner]) => {
    if (Object.hasOwn(properties, key)) return validate(inner, properties[key]!, at(key));
    if (additionalProperties === false)
      return [
        {
          path: at(key),
          message: `there is no such setting${nearestOf(key, Object.keys(properties)) || `; known are ${Object.keys(properties).join(", ")}`}`,
        },
      ];
    return additionalProperties ? validate(inner, additionalProperties, at(key)) : [];
  });
  return [...missing, ...problems];
}

/** The problems with the alternative that was meant: the one whose constants fit, else the one of the value's type. */
function validateAny(value: unknown, alternatives: readonly Schema[], path: string): Problem[] {
  const results = alternatives.map((schema) => ({ schema, problems: validate(value, schema, path) }));
  if (results.some(({ problems }) => problems.length === 0)) return [];
  const tag = tagOf(alternatives);
  if (tag !== undefined && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const given: unknown = Reflect.get(value, tag);
    const meant = results.find(({ schema }) => schema.properties?.[tag]?.const === given);
    if (meant) return meant.problems;
    const names = alternatives.map(({ properties }) => properties?.[tag]?.const).filter((name) => name !== undefined);
    const where = path === "" ? tag : `${path}.${tag}`;
    return [
      { path: where, message: `expected ${names.map((name) => JSON.stringify(name)).join(", ")}, got ${shown(given)}${nearestOf(given, names)}` },
    ];
  }
  const sameType = results.find(({ schema }) => schema.type !== undefined && isOfType(value, schema.type));
  return sameType?.problems ?? [{ path, message: `expected ${alternatives.map(expectation).join(" or ")}, got ${shown(value)}` }];
}

/** The property by whose constant the alternatives are told apart. */
function tagOf(alternatives: readonly Schema[]): string | undefined {
  for (const { properties } of alternatives) {
    const tag = Object.entries(properties ?? {}).find(([, { const: constant }]) => constant !== undefined);
    if (tag) return tag[0];
  }
  return undefined;
}

function isOfType(value: unknown, type: NonNullable<Schema["type"]>): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  return typeof value === type;
}

function validateNumber(value: number, { minimum, maximum, exclusiveMinimum }: Schema): boolean {
  return (
    value >= (minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (maximum ?? Number.POSITIVE_INFINITY) &&
    value > (exclusiveMinimum ?? Number.NEGATIVE_INFINITY)
  );
}

function expectation({ type, const: constant, minimum, maximum, exclusiveMinimum, minItems, maxItems, minLength, pattern }: Schema): string {
  if (constant !== undefined) return JSON.stringify(constant);
  if (type === "number" || type === "integer") {
    const noun = type === "integer" ? "a whole number" : "a number";
    if (minimum !== undefined && maximum !== undefined) return `${noun} from ${minimum} to ${maximum}`;
    if (minimum !== undefined) return `${noun} of at least ${minimum}`;
    if (exclusiveMinimum !== undefined) return `${noun} above ${exclusiveMinimum}`;
    return maximum === undefined ? noun : `${noun} of at most ${maximum}`;
  }
  if (type === "array") {
    if (minItems !== undefined && maxItems !== undefined) return `a list of ${minItems} to ${maxItems}`;
    return minItems === undefined ? "a list" : `a list of at least ${minItems}`;
  }
  if (type === "string") {
    if (pattern !== undefined) return `a text like ${pattern}`;
    return minLength === undefined ? "a text" : "a text that is not empty";
  }
  if (type === "boolean") return "true or false";
  return "an object";
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** `; did you mean "…"?` for what is a slip away. */
function nearestOf(value: unknown, names: readonly unknown[]): string {
  if (typeof value !== "string") return "";
  const ranked = names
    .filter((name) => typeof name === "string")
    .map((name) => ({ name, distance: editDistance(value.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, Math.floor(value.length / 3)) ? `; did you mean ${JSON.stringify(best.name)}?` : "";
}

/** Letters to insert, take away or change. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
