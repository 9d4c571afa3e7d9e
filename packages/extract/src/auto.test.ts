import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { autoExtractor } from "./auto.js";
import type { Extractor } from "./contract.js";
import { ExtractError } from "./error.js";
import { judged } from "./judge.js";
import { scene, scenes } from "./scene.test.support.js";

const image: Image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) };

function driver(name: string, score: number, calls: string[] = []): Extractor {
  return {
    name,
    async extract() {
      calls.push(name);
      const doubts = score < 1 ? [{ code: "low-contrast", message: `${name} is not sure.`, factor: score } as const] : [];
      return judged(name, { width: 2, height: 1, data: Uint8Array.of(1, 0) }, Uint8Array.of(255, 0), 1, doubts);
    },
    async dispose() {
      calls.push(`${name} disposed`);
    },
  };
}

const broken: Extractor = {
  name: "broken",
  async extract() {
    throw new ExtractError("remote", "the service is down");
  },
};

describe("autoExtractor", () => {
  it("takes the first confident driver and asks no further one", async () => {
    const calls: string[] = [];
    const auto = autoExtractor({ drivers: [driver("a", 0.3, calls), driver("b", 0.7, calls), driver("c", 1, calls)] });
    expect((await auto.extract(image)).driver).toBe("b");
    expect(calls).toEqual(["a", "b"]);
  });

  it("says why nobody is confident", async () => {
    const auto = autoExtractor({ drivers: [broken, driver("a", 0.3)] });
    await expect(auto.extract(image)).rejects.toMatchObject({ code: "not-found" });
    await expect(auto.extract(image)).rejects.toThrow("broken (score 0.00): the service is down a (score 0.30): a is not sure.");
  });

  it("gives the best when told", async () => {
    const auto = autoExtractor({ drivers: [driver("a", 0.3), driver("b", 0.5), broken], otherwise: "best" });
    expect(await auto.extract(image)).toMatchObject({ driver: "b", score: 0.5 });
  });

  it("does not hide what is not a driver's failure", async () => {
    const mistaken: Extractor = { name: "mistaken", extract: () => Promise.reject(new ArgumentError("no category")) };
    await expect(autoExtractor({ drivers: [mistaken, driver("a", 1)] }).extract(image)).rejects.toThrow(ArgumentError);
  });

  it("stops when aborted in a driver", async () => {
    const stop = new AbortController();
    const slow: Extractor = {
      name: "slow",
      async extract() {
        stop.abort(new Error("enough"));
        throw new ExtractError("failed", "the thread ended");
      },
    };
    await expect(autoExtractor({ drivers: [slow, driver("a", 1)] }).extract(image, { signal: stop.signal })).rejects.toThrow("enough");
  });

  it("disposes of all drivers", async () => {
    const calls: string[] = [];
    await autoExtractor({ drivers: [driver("a", 1, calls), broken, driver("b", 1, calls)] }).dispose!();
    expect(calls).toEqual(["a disposed", "b disposed"]);
  });

  it("by itself looks for transparency, then for a plain background", async () => {
    const { image: photo } = await scene(scenes["bottle on white"]!);
    expect((await autoExtractor().extract(photo)).driver).toBe("plain-background");
  });

  it.each([{ drivers: [] }, { confidence: 1.1 }, { confidence: Number.NaN }])("refuses %o", (options) => {
    expect(() => autoExtractor(options)).toThrow(ArgumentError);
  });
});
