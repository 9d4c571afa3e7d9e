import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { EvaluationError } from "./error.js";
import { temporaryFolder } from "./fixture-images.test-support.js";
import { readPrompts } from "./prompts.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

let count = 0;
async function file(extension: string, text: string): Promise<string> {
  const path = join(folder, `prompts-${count++}${extension}`);
  await writeFile(path, text);
  return path;
}

const two = new Map([
  ["a", "a red shoe, on sand"],
  ["sub/b", 'a "blue" cup'],
]);

describe("readPrompts", () => {
  it.each([
    [".jsonl", '{"name": "a.png", "prompt": "a red shoe, on sand"}\n\n{"file_name": "sub/b.jpg", "text": "a \\"blue\\" cup", "other": 1}\n'],
    [".ndjson", '{"image": "./a.png", "caption": "a red shoe, on sand"}\r\n{"id": "sub\\\\b", "caption": "a \\"blue\\" cup"}'],
    [".json", '{"a": "a red shoe, on sand", "sub/b.webp": "a \\"blue\\" cup"}'],
    [".json", '[{"generated": "a.png", "prompt": "a red shoe, on sand"}, {"key": "sub/b", "prompt": "a \\"blue\\" cup"}]'],
    [".csv", '\uFEFFfile,Prompt\na.png,"a red shoe, on sand"\nsub/b.png,"a ""blue"" cup"\n'],
    [".tsv", 'image\tcaption\na\ta red shoe, on sand\nsub/b.png\ta "blue" cup\n'],
    [".txt", 'a.png\ta red shoe, on sand\nsub/b\ta "blue" cup\n'],
  ])("reads %s by the pictures' stems", async (extension, text) => {
    const prompts = await readPrompts(await file(extension, text));
    expect([prompts.by, prompts.texts]).toEqual(["stem", two]);
  });

  it("reads a .txt by order, and a folder of .txt files", async () => {
    expect(await readPrompts(await file(".txt", "one\r\n two \nthree"))).toMatchObject({ by: "order", texts: ["one", "two", "three"] });
    const texts = join(folder, "texts");
    await mkdir(join(texts, "sub"), { recursive: true });
    await writeFile(join(texts, "a.txt"), "a red shoe, on sand\n");
    await writeFile(join(texts, "sub", "b.txt"), 'a "blue" cup');
    expect((await readPrompts(texts)).texts).toEqual(two);
  });

  it("takes numbers as names and keeps dots that are no extension", async () => {
    expect((await readPrompts(await file(".jsonl", '{"id": 17, "prompt": "x"}\n{"id": "v1.5", "prompt": "y"}'))).texts).toEqual(
      new Map([
        ["17", "x"],
        ["v1.5", "y"],
      ]),
    );
  });

  it.each([
    ["no JSON", ".jsonl", '{"name": "a", "prompt": "x"}\n{oops', /:2: not JSON/],
    ["no prompt", ".jsonl", '{"name": "a"}', /:1: expected a text under one of prompt, caption, text/],
    ["no picture", ".jsonl", '{"prompt": "a"}', /:1: expected a picture under one of/],
    ["an empty prompt", ".jsonl", '{"name": "a", "prompt": " "}', /:1: the prompt of "a" is empty/],
    ["two prompts", ".jsonl", '{"name": "a", "prompt": "x"}\n{"name": "a.png", "prompt": "y"}', /:2: "a.png" has a prompt already/],
    ["a list inside", ".jsonl", '["a", "b"]', /:1: expected an object/],
    ["a number as text", ".json", '{"a": 5}', /"a": expected a text, got 5/],
    ["a text as JSON", ".json", '"a"', /expected a list, or an object/],
    ["no header", ".csv", "a.png,x\n", /row 1: expected a header/],
    ["a short row", ".csv", "file,prompt\na.png\n", /Invalid Record Length/],
    ["open quotes", ".csv", 'file,prompt\na.png,"x\n', /Quote/],
    ["an empty line", ".txt", "one\n\nthree\n", /:2: expected a prompt, the line is empty/],
    ["tabs on some lines", ".txt", "a\tone\ntwo\n", /1 of 2 lines/],
    ["nothing", ".csv", " \n", /is empty/],
    ["another kind of file", ".yaml", "a: b", /expected a .jsonl/],
  ])("refuses %s", async (_, extension, text, message) => {
    const act = readPrompts(await file(extension, text));
    await expect(act).rejects.toThrow(EvaluationError);
    await expect(act).rejects.toThrow(message);
  });

  it("refuses a file that is not there, and a folder without texts", async () => {
    await expect(readPrompts(join(folder, "nowhere.csv"))).rejects.toThrow(/there is no file/);
    await mkdir(join(folder, "empty"));
    await expect(readPrompts(join(folder, "empty"))).rejects.toThrow(/no \.txt/);
  });
});
