import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../error.js";
import { newConfig } from "./new-config.js";
import { parseConfig, readConfig } from "./read-config.js";
import { schemaFile } from "./schema.js";

const folder = resolve("/somewhere");
const valid = { sources: [{ kind: "folder", path: "pictures" }], output: "out" };

function problem(config: unknown): string {
  try {
    parseConfig(config, { folder, name: "dataset.json" });
  } catch (error) {
    if (DatasetError.isInstance(error) && error.code === "invalid-config") return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("parseConfig", () => {
  it("takes paths relative to the file, and what init writes", () => {
    expect(parseConfig(valid, { folder })).toEqual({
      sources: [{ kind: "folder", path: resolve(folder, "pictures") }],
      output: resolve(folder, "out"),
    });
    const config = parseConfig(JSON.parse(newConfig({ pictures: "photos", output: "set", category: "cup" })), { folder });
    expect(config.sources).toEqual([{ kind: "folder", path: resolve(folder, "photos"), category: "cup" }]);
  });

  it.each([
    [{ ...valid, filtre: {} }, /^dataset\.json: filtre: there is no such setting; did you mean "filter"\?$/],
    [{ output: "x" }, /expected "sources", which is missing/],
    [{ ...valid, sources: [] }, /sources: expected a list of at least 1, got 0/],
    [{ ...valid, sources: [{ kind: "foldr", path: "x" }] }, /sources\[0\]\.kind: expected "folder", .*got "foldr"; did you mean "folder"\?/],
    [{ ...valid, split: { test: 2 } }, /split\.test: expected a number from 0 to 1, got 2/],
    [{ ...valid, augment: { variants: 2.5 } }, /augment\.variants: expected a whole number from 0 to 100, got 2\.5/],
    [{ ...valid, shard: { formats: ["webdataset", "webdataset"] } }, /shard\.formats: expected each entry once/],
    [{ ...valid, extract: { drivers: [{ name: "grabcat" }] } }, /extract\.drivers\[0\]\.name: .*did you mean "grabcut"\?/],
    [{ ...valid, extract: { drivers: [{ name: "remote" }] } }, /extract\.drivers\[0\]: expected "endpoint", which is missing/],
    [{ ...valid, filter: { thresholds: [{ score: "blurr", most: 1 }] } }, /filter\.thresholds\[0\]\.score: .*did you mean "blur"\?/],
    [{ ...valid, filter: { thresholds: [{ score: "blur" }] } }, /expected least or most for blur, got neither/],
    [{ ...valid, seed: true }, /seed: expected a whole number or a text, got true/],
    [[], /expected an object, got \[\]/],
  ])("refuses %j", (config, message) => {
    expect(problem(config)).toMatch(message);
  });

  it("says everything that is wrong at once", () => {
    expect(problem({ ...valid, workers: 0, deadline: "long" })).toMatch(
      /workers: expected .* from 1 to 256, got 0; deadline: expected a number above 0, got "long"/,
    );
  });

  it("says that a file is missing and how to get one", async () => {
    await expect(readConfig("no/such.json")).rejects.toMatchObject({ code: "invalid-config", message: expect.stringMatching(/dataset init/) });
  });
});

describe("config.schema.json", () => {
  it("is what configs are checked against", async () => {
    const published = await readFile(new URL("../../config.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(JSON.parse(schemaFile()));
  });
});
