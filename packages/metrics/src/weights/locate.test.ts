import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RefAdGenError } from "@refadgen/errors";
import { expect, test } from "vitest";
import { weightCatalogue, weightFile, weightsOf } from "./catalogue.js";
import { MetricWeightsError } from "./error.js";
import { locateWeights, weightsErrorOf } from "./locate.js";

test("what lies on the disk is where it is, whatever its name looks like", async () => {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-locate-"));
  try {
    const file = join(folder, "weights.pt");
    await writeFile(file, "x");
    expect(await locateWeights(file)).toBe(file);
    expect(await locateWeights(folder)).toBe(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each(["./nowhere.pt", "/nowhere/at/all.pt", "weights.pt", "models/weights.pt", "C:\\models\\weights.pt"])(
  "%s is a path, and there is nothing",
  async (path) => {
    const attempt = locateWeights(path);
    await expect(attempt).rejects.toThrow(path);
    await expect(attempt).rejects.toSatisfy((error) => MetricWeightsError.isInstance(error) && error.code === "missing");
  },
);

test.each(["https://example.invalid/weights.pt", "org/name/folder/weights.pt"])("%s is not fetched offline: the error names it", async (source) => {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-locate-"));
  try {
    const attempt = locateWeights(source, { offline: true, cacheDirectory: folder });
    await expect(attempt).rejects.toThrow(source.slice(-10));
    await expect(attempt).rejects.toSatisfy((error) => RefAdGenError.isInstance(error));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  ["offline", "missing"],
  ["not-found", "missing"],
  ["mismatch", "checksum"],
  ["rate-limited", "unavailable"],
  ["disk-full", "unavailable"],
])("the hub's %s is %s here, with its words", (code, expected) => {
  class HubError extends RefAdGenError {}
  const cause = new HubError(code, "what to do next");
  const error = weightsErrorOf("org/name/file.pt", cause);
  expect(error).toMatchObject({ code: expected, message: "org/name/file.pt: what to do next", cause });
  const other = new TypeError("else");
  expect(weightsErrorOf("org/name/file.pt", other)).toBe(other);
});

test("the catalogue says of every file where it comes from, its licence, and a digest where one is published", () => {
  expect(new Set(weightCatalogue.map(({ id }) => id)).size).toBe(weightCatalogue.length);
  for (const { id, source, sha256, bytes, licence, note } of weightCatalogue) {
    expect(bytes, id).toBeGreaterThan(1000);
    expect(licence, id).not.toBe("");
    expect(note, id).not.toBe("");
    if (sha256 !== undefined) expect(sha256, id).toMatch(/^([0-9a-f]{8}|[0-9a-f]{64})$/);
    // What ships with the package comes from nowhere else.
    if (source === undefined) expect(id).toMatch(/^lpips-lin-/);
    else expect(source, id).toMatch(/^https:\/\/|^[\w-]+\/[\w.-]+(\/[\w./-]+)?$/);
  }
});

test("each metric lists what it needs with its settings", () => {
  const ids = (...args: Parameters<typeof weightsOf>) => weightsOf(...args).map(({ id }) => id);
  expect(ids("fid")).toEqual(["inception-fid"]);
  expect(ids("lpips", { backbone: "vgg" })).toEqual(["vgg16", "lpips-lin-vgg"]);
  expect(ids("clip-score", { clip: "clip-vit-l-14" })).toEqual(["clip-vit-l-14"]);
  expect(ids("mp-lpips")).toEqual(["alexnet", "lpips-lin-alex", "stable-diffusion-2-1"]);
  expect(ids("mp-lpips", { matching: "dino" })).toEqual(["alexnet", "lpips-lin-alex", "dino-vit-s-16"]);
  expect(ids("image-reward")).toEqual(["image-reward", "bert-vocabulary"]);
  expect(ids("ssim")).toEqual([]);
  expect(weightFile("image-reward")).toMatchObject({ bytes: 1_786_880_927, exactBytes: true });
});
