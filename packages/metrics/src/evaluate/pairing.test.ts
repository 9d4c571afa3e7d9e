import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { EvaluationError } from "./error.js";
import { temporaryFolder, writeImages } from "./fixture-images.test-support.js";
import { matchFolders } from "./pairing.js";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});

let count = 0;
async function folderOf(files: Readonly<Record<string, number>>): Promise<string> {
  const folder = join(root, String(count++));
  await mkdir(folder);
  await writeImages(folder, files);
  return folder;
}

describe("matchFolders", () => {
  it("pairs by stem through subfolders and formats, and lists every file without a partner", async () => {
    const generated = await folderOf({ "b.png": 1, "a/x.png": 2, "a/y.webp": 3, "only.png": 4 });
    const reference = await folderOf({ "a/x.jpg": 5, "a/y.png": 6, "b.png": 7, "y.png": 8 });
    const masks = await folderOf({ "b.png": 9, "a/x.png": 10, "stray.png": 11 });
    await writeFile(join(generated, "notes.md"), "");
    await writeFile(join(generated, ".DS_Store"), "");
    const prompts = { "a/x": "one", "a/y.png": "two", b: "three", nobody: "four" };
    const { items, unmatched, counts, real } = await matchFolders({ generated, reference, masks, prompts });
    expect(items.map(({ name, references, prompt, mask }) => [name, references, prompt, mask])).toEqual([
      ["a/x.png", [join(reference, "a/x.jpg")], "one", join(masks, "a/x.png")],
      ["a/y.webp", [join(reference, "a/y.png")], "two", undefined],
      ["b.png", [join(reference, "b.png")], "three", join(masks, "b.png")],
      ["only.png", [], undefined, undefined],
    ]);
    expect(unmatched.map(({ role, name, reason }) => `${role} ${name}: ${reason}`).sort()).toEqual([
      "generated a/y.webp: no mask",
      "generated notes.md: not a picture by its extension",
      "generated only.png: no mask",
      "generated only.png: no prompt",
      "generated only.png: no reference with the stem only",
      "mask stray.png: no generated picture with that stem",
      "prompt nobody: no generated picture with that stem",
      "reference y.png: no generated picture with that stem",
    ]);
    expect(counts).toEqual({ generated: 4, reference: 4, pairs: 3, prompts: 4, masks: 3 });
    expect(real && "files" in real && real.files.length).toBe(4);
  });

  it("gives numbered variants the reference, prompt and mask of their stem only when asked to, and prefers exact names", async () => {
    const generated = await folderOf({ "shoe-1.png": 1, "shoe_02.png": 2, "cup-7.png": 3 });
    const reference = await folderOf({ "shoe.png": 4, "cup-7.png": 5 });
    const exact = await matchFolders({ generated, reference });
    expect(exact.items.map(({ references }) => references.length)).toEqual([1, 0, 0]);
    const { items, unmatched } = await matchFolders({ generated, reference, pairing: "variants", prompts: { shoe: "a shoe", cup: "a cup" } });
    expect(items.map(({ name, references, prompt }) => [name, references[0]?.slice(reference.length + 1), prompt])).toEqual([
      ["cup-7.png", "cup-7.png", "a cup"],
      ["shoe-1.png", "shoe.png", "a shoe"],
      ["shoe_02.png", "shoe.png", "a shoe"],
    ]);
    expect(unmatched).toEqual([]);
  });

  it("gives an ad all numbered views of its product, each with its mask", async () => {
    const generated = await folderOf({ "shoe.png": 1, "cup.png": 2 });
    const reference = await folderOf({ "shoe_00.png": 3, "shoe_01.png": 4, "cup.png": 5, "cup_00.png": 6 });
    const productMasks = await folderOf({ "shoe_00.png": 7, "shoe_01.png": 8, "cup.png": 9 });
    const { items, unmatched, counts } = await matchFolders({ generated, reference, productMasks, pairing: "variants" });
    expect(items.map(({ name, references, productMasks: masks }) => [name, references, masks])).toEqual([
      ["cup.png", [join(reference, "cup.png")], [join(productMasks, "cup.png")]],
      [
        "shoe.png",
        ["shoe_00.png", "shoe_01.png"].map((name) => join(reference, name)),
        ["shoe_00.png", "shoe_01.png"].map((name) => join(productMasks, name)),
      ],
    ]);
    expect(unmatched).toEqual([{ role: "reference", name: "cup_00.png", reason: "no generated picture with that stem" }]);
    expect(counts.pairs).toBe(3);
  });

  it("finds both kinds of masks in subfolders", async () => {
    const generated = await folderOf({ "a.png": 1 });
    const masks = await folderOf({ "generated/a.png": 2, "product/a.png": 3 });
    const [item] = (await matchFolders({ generated, reference: generated, masks })).items;
    expect([item!.mask, item!.productMasks]).toEqual([join(masks, "generated", "a.png"), [join(masks, "product", "a.png")]]);
  });

  it("takes prompts by order only when there is one per picture", async () => {
    const generated = await folderOf({ "b.png": 1, "a.png": 2 });
    const prompts = join(root, "order.txt");
    await writeFile(prompts, "first\nsecond\n");
    expect((await matchFolders({ generated, prompts })).items.map(({ name, prompt }) => [name, prompt])).toEqual([
      ["a.png", "first"],
      ["b.png", "second"],
    ]);
    await writeFile(prompts, "first\nsecond\nthird\n");
    await expect(matchFolders({ generated, prompts })).rejects.toThrow(/3 lines .* and 2 pictures/);
  });

  it("follows links to files", async () => {
    const generated = await folderOf({ "a.png": 1 });
    await symlink(join(generated, "a.png"), join(generated, "b.png"));
    await symlink(generated, join(generated, "circle"));
    expect((await matchFolders({ generated })).items.map(({ name }) => name)).toEqual(["a.png", "b.png"]);
  });

  it("refuses what cannot be meant", async () => {
    const generated = await folderOf({ "a.png": 1 });
    const other = await folderOf({ "z.png": 1 });
    const twice = await folderOf({ "a.png": 1, "a.jpg": 2 });
    const empty = join(root, "empty");
    await mkdir(empty);
    const texts = join(root, "texts");
    await mkdir(texts);
    await writeFile(join(texts, "a.txt"), "");
    for (const [input, message] of [
      [{ generated: join(root, "nowhere") }, /generated: there is no folder/],
      [{ generated: join(generated, "a.png") }, /is a file/],
      [{ generated: empty }, /there are no pictures in .*it is empty/],
      [{ generated: texts }, /1 other files, such as a\.txt/],
      [{ generated: twice }, /a\.jpg and a\.png in .* have the same stem/],
      [{ generated, reference: other }, /no file of .* has the stem .*a\.png and z\.png.*--pairing variants/],
      [{ generated, real: join(root, "nowhere.npz") }, /real: there is no file/],
    ] as const) {
      await expect(matchFolders(input)).rejects.toThrow(EvaluationError);
      await expect(matchFolders(input)).rejects.toThrow(message);
    }
  });
});
