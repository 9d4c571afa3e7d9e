import { describe, expect, it } from "vitest";
import { ArgumentError, RefAdGenError } from "./index.js";

class OtherError extends RefAdGenError {}

describe("RefAdGenError.isInstance", () => {
  it("recognises the class it is called on and its subclasses only", () => {
    const error = new ArgumentError("steps: expected 1 to 1000, got 0");
    expect(RefAdGenError.isInstance(error)).toBe(true);
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect(OtherError.isInstance(error)).toBe(false);
    expect(ArgumentError.isInstance(new Error("x"))).toBe(false);
    expect(ArgumentError.isInstance({ name: "ArgumentError" })).toBe(false);
    expect(RefAdGenError.isInstance(undefined)).toBe(false);
  });

  it("recognises an error made by another copy of the package", async () => {
    const url = new URL("./index.js?copy", import.meta.url).href;
    const copy = (await import(/* @vite-ignore */ url)) as typeof import("./index.js");
    const error = new copy.ArgumentError("x");
    expect(error instanceof ArgumentError).toBe(false);
    expect(ArgumentError.isInstance(error)).toBe(true);
  });

  it("carries code, name and cause", () => {
    const cause = new Error("below");
    const error = new ArgumentError("x", { cause });
    expect([error.code, error.name, error.cause]).toEqual(["invalid-argument", "ArgumentError", cause]);
  });
});
