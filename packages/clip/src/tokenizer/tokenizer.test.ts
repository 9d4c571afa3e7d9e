import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenizerError } from "../error.js";
import { mergePairs } from "./merge-pairs.js";
import { type ClipTokenizer, clipTokenizer, loadClipTokenizer } from "./tokenizer.js";
import { readClipVocabulary } from "./vocabulary.js";

const vocabularyFolder = fileURLToPath(new URL("../../../../assets/micro/base/tokenizer", import.meta.url));

interface RecordedString {
  readonly text: string;
  readonly ids: number[];
  readonly decoded: string;
}

interface RecordedPrompt {
  readonly prompt: string;
  readonly ids: number[];
  readonly longest: number;
  readonly removed: string;
}

interface RecordedVariant {
  readonly name: string;
  readonly config: object;
  readonly cases: readonly {
    readonly text: string;
    readonly ids: number[];
    readonly padded: number[];
    readonly length: number;
    readonly removed: string;
    readonly decoded: string;
    readonly without_special: string;
  }[];
}

async function fixture<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(new URL(`../../fixtures/${name}`, import.meta.url), "utf8"));
}

let tokenizer: ClipTokenizer;
let scratch: string;

beforeAll(async () => {
  tokenizer = await loadClipTokenizer(vocabularyFolder);
  scratch = await mkdtemp(join(tmpdir(), "refadgen-tokenizer-"));
});

afterAll(() => rm(scratch, { recursive: true }));

async function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const path = await mkdtemp(join(scratch, `${name}-`));
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

const read = (file: string) => readFile(join(vocabularyFolder, file), "utf8");

describe("against transformers' CLIPTokenizer without ftfy", () => {
  test("strings: ids, and the text of the padded ids", async () => {
    const rows = await fixture<RecordedString[]>("strings.json");
    expect(rows.length).toBeGreaterThan(100);
    for (const { text, ids, decoded } of rows) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(tokenizer.tokenize(text).ids, { skipSpecialTokens: true }), JSON.stringify(text)).toBe(decoded);
    }
  });

  test("prompts: padded ids, whole length, and what was cut off", async () => {
    const rows = await fixture<RecordedPrompt[]>("prompts.json");
    expect(rows.some(({ removed }) => removed !== "")).toBe(true);
    for (const { prompt, ids, longest, removed } of rows) {
      expect(tokenizer.tokenize(prompt), JSON.stringify(prompt)).toEqual({ ids, length: longest, removed });
    }
  });

  test("drawn strings, a pad token of its own, added tokens", async () => {
    const { variants } = await fixture<{ variants: RecordedVariant[] }>("tokenizer-cases.json");
    expect(variants.map(({ name }) => name)).toEqual(["plain", "pad !", "added token, spaces cleaned"]);
    for (const { config, cases } of variants) {
      const settings = JSON.stringify({ ...JSON.parse(await read("tokenizer_config.json")), ...config });
      const variant = await loadClipTokenizer(
        await folder("variant", {
          "vocab.json": await read("vocab.json"),
          "merges.txt": await read("merges.txt"),
          "tokenizer_config.json": settings,
        }),
      );
      for (const { text, ids, padded, length, removed, decoded, without_special } of cases) {
        const where = JSON.stringify(text);
        expect(variant.encode(text), where).toEqual(ids);
        expect(variant.tokenize(text, { maxLength: 20 }), where).toEqual({ ids: padded, length, removed });
        expect(variant.decode(ids), where).toBe(decoded);
        expect(variant.decode(ids, { skipSpecialTokens: true }), where).toBe(without_special);
      }
    }
  });

  test("a tokenizer.json, as a file or as a folder, gives the same ids", async () => {
    const merges = (await read("merges.txt")).trim().split("\n").slice(1);
    const model = { type: "BPE", end_of_word_suffix: "</w>", vocab: JSON.parse(await read("vocab.json")), merges };
    const added_tokens = [{ id: 49406, content: "<|startoftext|>", special: true }];
    const texts = await folder("json", { "tokenizer.json": JSON.stringify({ added_tokens, model }) });
    const pairs = await folder("json", { "tokenizer.json": JSON.stringify({ model: { ...model, merges: merges.map((pair) => pair.split(" ")) } }) });
    const rows = await fixture<RecordedString[]>("strings.json");
    for (const path of [texts, pairs, join(pairs, "tokenizer.json")]) {
      const fromJson = await loadClipTokenizer(path);
      for (const { text, ids } of rows) expect(fromJson.encode(text)).toEqual(ids);
    }
  });
});

describe("tokenize", () => {
  test("pads with what is asked for, as OpenAI's CLIP does with 0", () => {
    expect(tokenizer.tokenize("a cat", { padId: 0, maxLength: 7 })).toEqual({ ids: [49406, 320, 2368, 49407, 0, 0, 0], length: 4, removed: "" });
    expect(tokenizer).toMatchObject({ bosId: 49406, eosId: 49407, padId: 49407, maxLength: 77, size: 49408 });
  });

  test("refuses lengths and ids that cannot be", () => {
    expect(() => tokenizer.tokenize("a", { maxLength: 1 })).toThrow("tokenize: expected maxLength of at least 2, got 1");
    expect(() => tokenizer.tokenize("a", { padId: 49408 })).toThrow("tokenize: expected padId of the vocabulary, got 49408");
    expect(() => tokenizer.decode([320, -1])).toThrow("decode: expected ids of the vocabulary, got -1");
    expect(() => tokenizer.encode(undefined as unknown as string)).toThrow("encode: expected a string, got undefined");
  });

  test("lone surrogates are removed", () => {
    expect(tokenizer.encode("a \ud83d cat")).toEqual([320, 2368]);
  });
});

describe("files", () => {
  const vocabulary = JSON.stringify({ a: 0, "a</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3 });
  const good = { "vocab.json": vocabulary, "merges.txt": "#version: 0.2\na a</w>\n" };

  test("symbols that are not in the vocabulary become the unknown token", async () => {
    const small = await loadClipTokenizer(await folder("small", { ...good, "tokenizer_config.json": JSON.stringify({ model_max_length: 1e30 }) }));
    expect(small.tokenize("aa b a", { maxLength: 5 })).toEqual({ ids: [2, 3, 3, 1, 3], length: 5, removed: "" });
    expect(small.maxLength).toBe(77);
  });

  test.each([
    ["no vocabulary", {}, "missing", /tokenizer\.json cannot be read/],
    ["no merges", { "vocab.json": vocabulary }, "missing", /merges\.txt cannot be read/],
    ["not JSON", { ...good, "vocab.json": "{" }, "malformed", /vocab\.json: /],
    ["not UTF-8", { ...good, "vocab.json": Uint8Array.of(0xff, 0xfe) }, "malformed", /expected UTF-8/],
    ["a list", { ...good, "vocab.json": "[]" }, "malformed", /expected a JSON object/],
    ["ids that are no numbers", { ...good, "vocab.json": '{"a":"0"}' }, "malformed", /expected tokens with whole ids, got "a": "0"/],
    ["merges without header", { ...good, "merges.txt": "a a</w>\n" }, "malformed", /expected a first line with "#version", got "a a<\/w>"/],
    ["merges of three parts", { ...good, "merges.txt": "#version: 0.2\na b c" }, "malformed", /expected two parts in pair 1, got "a b c"/],
    ["no end token", { ...good, "vocab.json": '{"<|startoftext|>":0}' }, "malformed", /the special token "<\|endoftext\|>" is not in the vocabulary/],
    ["padding on the left", { ...good, "tokenizer_config.json": '{"padding_side":"left"}' }, "malformed", /padding_side "left" is not supported/],
    ["another model", { "tokenizer.json": '{"model":{"type":"WordPiece","vocab":{},"merges":[]}}' }, "malformed", /expected a model of type BPE/],
    ["a token that is no text", { ...good, "tokenizer_config.json": '{"pad_token":5}' }, "malformed", /expected special tokens as text, got 5/],
    [
      "whole words only",
      { ...good, "tokenizer_config.json": '{"added_tokens_decoder":{"9":{"content":"b","single_word":true}}}' },
      "malformed",
      /single_word is not supported/,
    ],
    [
      "no room for two tokens",
      { ...good, "tokenizer_config.json": '{"model_max_length":1}' },
      "malformed",
      /expected model_max_length of at least 2, got 1/,
    ],
  ] as const)("%s", async (_, files, code, message) => {
    const failure = await loadClipTokenizer(await folder("bad", files)).catch((error: unknown) => error);
    expect(TokenizerError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("a path where nothing is", async () => {
    await expect(loadClipTokenizer(join(scratch, "nowhere"))).rejects.toMatchObject({ code: "missing" });
  });

  test("a vocabulary made in memory", async () => {
    const { special, ...rest } = await readClipVocabulary(await folder("memory", good));
    // A padding token stands for itself in texts too, as "!" does in SD-2.x.
    expect(clipTokenizer({ ...rest, special: { ...special, pad: "a" } }).tokenize("a", { maxLength: 4 }).ids).toEqual([2, 0, 3, 0]);
    const spelled = clipTokenizer({ ...rest, special }, { clean: (text) => text.replaceAll("!", "a") });
    expect(spelled.encode("!")).toEqual(spelled.encode("a"));
  });
});

describe("mergePairs", () => {
  /** The rule as it is told: join the pair of lowest rank everywhere, from left to right, and look again. */
  function slowly(symbols: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
    const pairs = symbols.slice(1).map((right, index) => `${symbols[index]} ${right}`);
    const best = pairs.filter((pair) => ranks.has(pair)).sort((a, b) => ranks.get(a)! - ranks.get(b)!)[0];
    if (best === undefined) return [...symbols];
    const joined: string[] = [];
    for (let index = 0; index < symbols.length; index++) {
      if (`${symbols[index]} ${symbols[index + 1]}` === best) joined.push(`${symbols[index]}${symbols[++index]}`);
      else joined.push(symbols[index]!);
    }
    return slowly(joined, ranks);
  }

  test("agrees with the rule on drawn words and pairs", () => {
    let state = 1;
    const draw = (n: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % n;
    };
    for (let round = 0; round < 500; round++) {
      const parts = ["a", "b"];
      const ranks = new Map<string, number>();
      for (let rank = 0; rank < 12; rank++) {
        const [left, right] = [parts[draw(parts.length)]!, parts[draw(parts.length)]!];
        if (!ranks.has(`${left} ${right}`)) ranks.set(`${left} ${right}`, draw(100));
        parts.push(left + right);
      }
      const unique = new Map([...ranks.keys()].map((pair, index) => [pair, (index * 7) % 101]));
      const word = Array.from({ length: 1 + draw(30) }, () => parts[draw(2)]!);
      expect(mergePairs(word, unique)).toEqual(slowly(word, unique));
    }
  });

  test("a word of 100 000 letters takes no time to speak of", () => {
    const started = performance.now();
    expect(tokenizer.encode("ab".repeat(50_000)).length).toBeGreaterThan(1000);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
