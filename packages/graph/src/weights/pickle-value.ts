import type { TorchStorage, TorchTensor } from "./torch-object.js";

/**
 * What a pickle holds, as data: lists are arrays, tuples frozen arrays, dicts `Map`s (so that no key can reach a prototype), bytes
 * `Uint8Array`s, integers numbers or, beyond 2⁵³, bigints. Everything of a class that is not known here is a `PickleObject`.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleObject
  | TorchStorage
  | TorchTensor;

/** The name of a Python class or function; only ever a name. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An object of a foreign class: what the pickle would have handed to Python, and nothing was done with. */
export class PickleObject {
  readonly type: PickleGlobal;
  /** Arguments of the constructor or function. */
  readonly arguments: readonly PickleValue[];
  /** What was to be restored into it (usually its attributes), if anything. */
  state: PickleValue | undefined;
  /** What was appended or added to it. */
  readonly items: PickleValue[] = [];
  /** What was set in it by key. */
  readonly entries: Map<PickleValue, PickleValue> = new Map();

  constructor(type: PickleGlobal, args: readonly PickleValue[]) {
    this.type = type;
    this.arguments = args;
  }
}

export function isList(value: PickleValue | undefined): value is readonly PickleValue[] {
  return Array.isArray(value);
}

/** Follows a dotted path of keys and list indices: `pickleAt(root, "ds_config.zero_optimization.stage")`. Undefined when it leads nowhere. */
export function pickleAt(root: PickleValue, path: string): PickleValue | undefined {
  let value: PickleValue | undefined = root;
  for (const key of path.split(".")) {
    if (value instanceof PickleObject) value = value.state;
    if (value instanceof Map) value = value.has(key) ? value.get(key) : value.get(Number(key));
    else if (isList(value)) value = value[Number(key)];
    else return undefined;
  }
  return value;
}
