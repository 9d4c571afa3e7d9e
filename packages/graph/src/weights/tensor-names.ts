import { WeightsError } from "./error.js";
import type { WeightLimits } from "./limits.js";
import { isList, PickleObject, type PickleValue } from "./pickle-value.js";
import { isForeignTensor, TorchTensor } from "./torch-object.js";

const deepest = 128;
const longestNames = 64 * 2 ** 20;
const mostSteps = 20_000_000;

type Container = Map<PickleValue, PickleValue> | readonly PickleValue[] | PickleObject;

/** What a container holds, by name. */
export type Children = (value: PickleValue) => Iterable<readonly [PickleValue, PickleValue]>;

/** Dicts by key, lists and tuples by index. Sets and foreign objects are not looked into. */
export function* dictChildren(value: PickleValue): Iterable<readonly [PickleValue, PickleValue]> {
  if (value instanceof Map) yield* value;
  else if (isList(value)) yield* value.entries();
}

/**
 * Every tensor in the tree under its dotted path (`module.unet.conv_in.weight`, `optimizer.state.0.exp_avg`); a tensor that hangs in two
 * places has two names. Keys other than texts and integers give no name. Iterative; only branches that end in a tensor are walked.
 * Throws a `WeightsError`: `malformed` when two tensors get the same name, `unsupported` for a sparse or quantized one, `limit`.
 */
export function nameTensors(root: PickleValue, children: Children, what: string, limits: WeightLimits): Map<string, TorchTensor> {
  const names = new Map<string, TorchTensor>();
  let nameLength = 0;
  const add = (name: string, tensor: TorchTensor | PickleObject): void => {
    if (tensor instanceof PickleObject) {
      throw new WeightsError(
        "unsupported",
        `${what}: ${JSON.stringify(name)} is made by ${tensor.type.name}: sparse, quantized and other special tensors are not read`,
      );
    }
    if (names.has(name)) throw new WeightsError("malformed", `${what}: two tensors are named ${JSON.stringify(name)}`);
    nameLength += name.length;
    if (names.size >= limits.tensors || nameLength > longestNames)
      throw new WeightsError("limit", `${what}: expected at most ${limits.tensors} tensors`);
    names.set(name, tensor);
  };
  if (isTensor(root)) add("", root);
  if (!isContainer(root)) return names;

  const holders = containersOfTensors(root, children);
  if (!holders.has(root)) return names;
  const path: { readonly container: Container; readonly prefix: string; readonly rest: Iterator<readonly [PickleValue, PickleValue]> }[] = [];
  const onPath = new Set<Container>();
  const enter = (container: Container, prefix: string): void => {
    if (path.length >= deepest) throw new WeightsError("limit", `${what}: tensors lie more than ${deepest} levels deep`);
    path.push({ container, prefix, rest: children(container)[Symbol.iterator]() });
    onPath.add(container);
  };
  enter(root, "");
  for (let steps = 0; path.length > 0; steps++) {
    if (steps > mostSteps) throw new WeightsError("limit", `${what}: the tree of objects has more than ${mostSteps} paths`);
    const { container, prefix, rest } = path.at(-1)!;
    const { done, value: entry } = rest.next();
    if (done) {
      path.pop();
      onPath.delete(container);
      continue;
    }
    const [key, value] = entry;
    if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") continue;
    const name = path.length === 1 ? String(key) : `${prefix}.${key}`;
    if (isTensor(value)) add(name, value);
    // A container on the path that holds itself has no further names.
    else if (isContainer(value) && holders.has(value) && !onPath.has(value)) enter(value, name);
  }
  return names;
}

/** The containers from which a tensor can be reached: found from the tensors upwards, so that shared and cyclic trees cost no more than their size. */
function containersOfTensors(root: Container, children: Children): Set<Container> {
  const parents = new Map<Container, Container[]>([[root, []]]);
  const holders = new Set<Container>();
  const rest: Container[] = [root];
  for (let container = rest.pop(); container; container = rest.pop()) {
    for (const [, value] of children(container)) {
      if (isTensor(value)) holders.add(container);
      else if (isContainer(value)) {
        const known = parents.get(value);
        if (known) known.push(container);
        else {
          parents.set(value, [container]);
          rest.push(value);
        }
      }
    }
  }
  rest.push(...holders);
  for (let container = rest.pop(); container; container = rest.pop()) {
    for (const parent of parents.get(container) ?? []) {
      if (holders.has(parent)) continue;
      holders.add(parent);
      rest.push(parent);
    }
  }
  return holders;
}

function isTensor(value: PickleValue): value is TorchTensor | PickleObject {
  return value instanceof TorchTensor || (value instanceof PickleObject && isForeignTensor(value));
}

function isContainer(value: PickleValue): value is Container {
  return value instanceof Map || isList(value) || value instanceof PickleObject;
}
