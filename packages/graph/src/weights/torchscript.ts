import { isList, PickleObject, type PickleValue } from "./pickle-value.js";
import { TorchTensor } from "./torch-object.js";

/**
 * What a TorchScript module holds for its state dict (pytorch/pytorch torch/csrc/jit/docs/serialization.md): parameters, buffers and
 * submodules are attributes of `__torch__…` objects. Lists, dicts and numbers are plain attributes, so tensors in them are no entries.
 */
export function* scriptChildren(value: PickleValue): Iterable<readonly [PickleValue, PickleValue]> {
  if (!isModule(value) || !(value.state instanceof Map)) return;
  for (const [key, child] of value.state) if (child instanceof TorchTensor || child instanceof PickleObject) yield [key, child];
}

function isModule(value: PickleValue): value is PickleObject {
  return !isList(value) && value instanceof PickleObject && (value.type.module === "__torch__" || value.type.module.startsWith("__torch__."));
}
