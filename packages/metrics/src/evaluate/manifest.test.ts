import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { EvaluationError } from "./error.js";
import { temporaryFolder, writeImages } from "./fixture-images.test-support.js";
import { matchManifest } from "./manifest.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeImages(folder, { "ads/a-1.png": 1, "ads/a-2.png": 2, "ads/b.png": 3, "ref/a.png": 4, "ref/a2.png": 5, "masks/a.png": 6 });
});

let count = 0;
async function manifest(...lines: readonly (object | string)[]): Promise<string> {
  const path = join(folder, `manifest-${count++}.jsonl`);
  await writeFile(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

describe("matchManifest", () => {
  it("reads variants, several references, prompts and masks, relative to the manifest", async () => {
    const path = await manifest(
      {
        generated: ["ads/a-1.png", "./ads/a-2.png"],
        reference: ["ref/a.png", "ref/a2.png"],
        prompt: "a",
        mask: "masks/a.png",
        productMask: "masks/a.png",
      },
      "",
      { generated: "ads/b.png", name: "bee" },
    );
    const { items, unmatched, counts, real } = await matchManifest({ manifest: path });
    const at = (name: string) => join(folder, name);
    const shared = { references: [at("ref/a.png"), at("ref/a2.png")], prompt: "a", mask: at("masks/a.png"), productMasks: [at("masks/a.png")] };
    expect(items).toEqual([
      { name: "ads/a-1.png", generated: at("ads/a-1.png"), ...shared },
      { name: "ads/a-2.png", generated: at("ads/a-2.png"), ...shared },
      { name: "bee", generated: at("ads/b.png"), references: [] },
    ]);
    expect([unmatched, counts]).toEqual([[], { generated: 3, reference: 2, pairs: 4, prompts: 2, masks: 2 }]);
    expect(real).toEqual({
      files: [
        { name: "ref/a.png", path: at("ref/a.png") },
        { name: "ref/a2.png", path: at("ref/a2.png") },
      ],
    });
  });

  it("lists files that are not there, with their line, and keeps the rest", async () => {
    const path = await manifest({ generated: ["ads/gone.png", "ads/b.png"], reference: ["ref/a.png", "ref/gone.png"] });
    const { items, unmatched } = await matchManifest({ manifest: path });
    expect(items.map(({ name, references }) => [name, references.length])).toEqual([["ads/b.png", 1]]);
    expect(unmatched.map(({ role, name }) => `${role} ${name}`)).toContain("generated ads/gone.png");
    expect(unmatched.map(({ role, name }) => `${role} ${name}`)).toContain("reference ref/gone.png");
    expect(unmatched[0]!.reason).toMatch(/:1\)$/);
  });

  it("takes a list of entries instead of a file", async () => {
    const { items } = await matchManifest({ manifest: [{ generated: join(folder, "ads", "b.png"), prompt: "x" }] });
    expect(items[0]).toMatchObject({ generated: join(folder, "ads", "b.png"), prompt: "x" });
  });

  it.each([
    ["no JSON", ["{"], /:1: not JSON/],
    ["a list", ["[]"], /:1: expected an object/],
    ["an unknown field", [{ generated: "ads/b.png", promt: "x" }], /:1: expected the fields .* got "promt" too/],
    ["no generated", [{ reference: "ref/a.png" }], /:1: expected "generated"/],
    ["an empty list", [{ generated: [] }], /:1: expected "generated"/],
    ["a number", [{ generated: 5 }], /:1: expected "generated" to be a path/],
    ["a prompt that is no text", [{ generated: "ads/b.png", prompt: 1 }], /:1: expected "prompt" to be a text/],
    ["an empty prompt", [{ generated: "ads/b.png", prompt: "" }], /:1: the prompt is empty/],
    ["too many masks", [{ generated: "ads/b.png", mask: ["a", "b"] }], /:1: expected one mask, or one per generated picture \(1\), got 2/],
    [
      "too many product masks",
      [{ generated: "ads/b.png", reference: "ref/a.png", productMask: ["a", "b"] }],
      /:1: expected one product mask, or one per reference \(1\), got 2/,
    ],
    ["the same name twice", [{ generated: "ads/b.png" }, { generated: "./ads/b.png" }], /:2: "ads\/b.png" is there already, in .*:1/],
    ["nothing", [""], /no entries/],
    ["only files that are not there", [{ generated: "x.png" }], /none of the generated pictures .* is there; paths are relative to/],
  ])("refuses %s", async (_, lines, message) => {
    const act = matchManifest({ manifest: await manifest(...lines) });
    await expect(act).rejects.toThrow(EvaluationError);
    await expect(act).rejects.toThrow(message);
  });

  it("refuses a manifest that cannot be read", async () => {
    await expect(matchManifest({ manifest: join(folder, "nowhere.jsonl") })).rejects.toThrow(/cannot be read/);
    await mkdir(join(folder, "a-folder.jsonl"));
    await expect(matchManifest({ manifest: join(folder, "a-folder.jsonl") })).rejects.toThrow(EvaluationError);
  });
});
