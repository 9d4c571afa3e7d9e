import { ArgumentError } from "@refadgen/errors";
import { expect, it } from "vitest";
import { memoryWeights } from "./memory.js";

it("gives back what it was given, as a copy", async () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const { tensors } = memoryWeights([{ name: "__proto__", dims: [2, 3], dtype: "float32", data }]);
  const tensor = tensors.get("__proto__")!;
  const bytes = await tensor.read();
  expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
  bytes.fill(0);
  expect(data[0]).toBe(1);
  expect([...new Float32Array((await tensor.readRange!(4, 6)).buffer)]).toEqual([5, 6]);
});

it("equal contents have equal keys, others not", async () => {
  const key = (...values: number[]) =>
    memoryWeights([{ name: "a", dims: [2], dtype: "float32", data: Float32Array.from(values) }])
      .tensors.get("a")!
      .contentKey();
  expect(await key(1, 2)).toBe(await key(1, 2));
  expect(await key(1, 2)).not.toBe(await key(2, 1));
});

it("refuses data of another size and a name that comes twice", () => {
  const tensor = { name: "a", dims: [2], dtype: "float32", data: Float32Array.of(1, 2) } as const;
  expect(() => memoryWeights([{ ...tensor, dims: [3] }])).toThrow(ArgumentError);
  expect(() => memoryWeights([tensor, tensor])).toThrow("a twice");
});
