import { describe, expect, it } from "vitest";
import { WeightsError } from "./error.js";
import { memoryWeights } from "./memory.js";
import { type WeightLookup, Weights } from "./weights.js";

function checkpoint(sizes: Readonly<Record<string, readonly number[]>>): WeightLookup {
  const tensors = Object.entries(sizes).map(([name, dims]) => ({
    name,
    dims,
    dtype: "float32" as const,
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
  }));
  const source = memoryWeights(tensors, { description: "a checkpoint" });
  return { description: source.description, tensor: (key) => source.tensors.get(key), keys: () => source.tensors.keys() };
}

function complaint(weights: Weights, options?: Parameters<Weights["verify"]>[0]): string | undefined {
  try {
    weights.verify(options);
    return undefined;
  } catch (error) {
    expect(WeightsError.isInstance(error) && error.code).toBe("mismatch");
    return (error as Error).message;
  }
}

describe("verify", () => {
  it("is silent when everything was asked for, under its prefix", () => {
    const weights = Weights.from(checkpoint({ "a.w": [2, 3], "a.b": [2], "other.w": [1] }));
    const a = weights.at("a");
    a.get("w", [2, 3]);
    a.get("b", [2]);
    expect(complaint(a)).toBeUndefined();
  });

  it("lists missing, misshapen and unexpected keys in one error", () => {
    const weights = Weights.from(checkpoint({ "a.w": [2, 3], "a.extra": [1], position_ids: [4] }));
    weights.at("a").get("w", [3, 2]);
    weights.at("a").at("deeper.0").get("b", [5, 1]);
    expect(complaint(weights, { ignore: (key) => key === "position_ids" })).toBe(
      "a checkpoint: 3 keys do not fit the network\n  missing     a.deeper.0.b [5, 1]\n  wrong size  a.w: expected [3, 2], got [2, 3]\n  unexpected  a.extra",
    );
  });

  it("names keys as the file does when they are renamed", () => {
    const weights = Weights.from(checkpoint({ "model.w": [2] }), { rename: (key) => `model.${key}` });
    expect(weights.get("w", [2])).toMatchObject({ name: "model.w", dims: [2], start: 0 });
    weights.get("v", [3]);
    expect(complaint(weights)).toContain("missing     model.v [3]");
  });
});

describe("get", () => {
  it("gives the same parameter when it is asked twice, and goes on with the expected sizes when there is none", async () => {
    const weights = Weights.from(checkpoint({ w: [2] }));
    expect(weights.get("w", [2])).toBe(weights.get("w", [2]));
    const absent = weights.get("absent", [7, 7]);
    expect(absent.dims).toEqual([7, 7]);
    await expect(absent.stored.read()).rejects.toThrow("absent [7, 7] is not in the checkpoint");
  });

  it("has tells without asking", () => {
    const weights = Weights.from(checkpoint({ "a.w": [2] }));
    expect([weights.at("a").has("w"), weights.has("w")]).toEqual([true, false]);
    expect(complaint(weights)).toContain("unexpected  a.w");
  });
});
