import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TokenizerError } from "../error.js";

/** What a CLIP tokenizer is made of. */
export interface ClipVocabulary {
  /** Token to id; tokens are written in byte symbols, those that end a word with `</w>`. */
  readonly tokens: ReadonlyMap<string, number>;
  /** The pairs to join, first the most urgent, each with a space between its parts. */
  readonly merges: readonly string[];
  /** Tokens that stand for themselves wherever they occur in a text, with their ids (textual inversion adds such). */
  readonly added: ReadonlyMap<string, number>;
  readonly special: {
    readonly bos: string;
    readonly eos: string;
    readonly unknown: string;
    readonly pad: string;
    readonly additional: readonly string[];
  };
  /** Length to which texts are padded and cut: 77. */
  readonly maxLength: number;
  /** Whether decoding takes away the spaces before punctuation (`clean_up_tokenization_spaces`). */
  readonly cleansSpaces: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** CLIP has 49152 - 256 - 2 pairs; longer lists (OpenAI's file has 262 144) are cut there. */
const mergeCount = 49152 - 256 - 2;
const mostBytes = 64 * 2 ** 20;

/**
 * Reads a tokenizer: a folder with `vocab.json` and `merges.txt`, or with `tokenizer.json`; or the path of such a `tokenizer.json`.
 * `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` beside them say what the special tokens are.
 *
 * @throws TokenizerError `missing` or `malformed`, naming the file.
 */
export async function readClipVocabulary(path: string): Promise<ClipVocabulary> {
  const folder = (await isFolder(path)) ? path : dirname(path);
  const separate = folder === path && (await exists(join(folder, "vocab.json")));
  const model = separate ? await readSeparate(folder) : await readTokenizerJson(folder === path ? join(folder, "tokenizer.json") : path);
  const optional = async (name: string): Promise<Json> => ((await exists(join(folder, name))) ? readJson(join(folder, name)) : {});
  const config = await optional("tokenizer_config.json");
  const settings = config.added_tokens_decoder === undefined ? { ...config, ...(await optional("special_tokens_map.json")) } : config;
  const added = new Map(
    config.added_tokens_decoder === undefined
      ? entries(await optional("added_tokens.json"), `${folder}/added_tokens.json`)
      : decoderEntries(config.added_tokens_decoder, `${folder}/tokenizer_config.json`),
  );
  const eos = content(settings.eos_token, "<|endoftext|>", folder);
  const special = {
    bos: content(settings.bos_token, "<|startoftext|>", folder),
    eos,
    unknown: content(settings.unk_token, "<|endoftext|>", folder),
    pad: content(settings.pad_token, "<|endoftext|>", folder),
    additional: list(settings.additional_special_tokens).map((token) => content(token, undefined, folder)),
  };
  if (settings.padding_side === "left") throw new TokenizerError("malformed", `${folder}: padding_side "left" is not supported; expected "right"`);
  const length = settings.model_max_length;
  // Files written without a limit hold 10³⁰.
  const maxLength = typeof length === "number" && length < 1e6 ? length : 77;
  if (!Number.isInteger(maxLength) || maxLength < 2)
    throw new TokenizerError("malformed", `${folder}: expected model_max_length of at least 2, got ${maxLength}`);
  return { ...model, added: new Map([...model.added, ...added]), special, maxLength, cleansSpaces: settings.clean_up_tokenization_spaces === true };
}

type Model = Pick<ClipVocabulary, "tokens" | "merges" | "added">;

async function readSeparate(folder: string): Promise<Model> {
  const tokens = new Map(entries(await readJson(join(folder, "vocab.json")), join(folder, "vocab.json")));
  const file = join(folder, "merges.txt");
  const [header, ...lines] = (await readText(file)).trim().split("\n");
  if (!header?.includes("#version"))
    throw new TokenizerError("malformed", `${file}: expected a first line with "#version", got "${header?.slice(0, 40)}"`);
  return { tokens, merges: pairs(lines.slice(0, mergeCount), file), added: new Map() };
}

async function readTokenizerJson(file: string): Promise<Model> {
  const { model, added_tokens } = await readJson(file);
  if (!isObject(model) || !isObject(model.vocab) || !Array.isArray(model.merges) || (model.type !== undefined && model.type !== "BPE")) {
    throw new TokenizerError("malformed", `${file}: expected a model of type BPE with vocab and merges`);
  }
  if (model.end_of_word_suffix !== "</w>")
    throw new TokenizerError("malformed", `${file}: expected end_of_word_suffix "</w>", got ${JSON.stringify(model.end_of_word_suffix)}`);
  const merges = model.merges.map((pair: unknown) => (Array.isArray(pair) ? pair.join(" ") : pair));
  return {
    tokens: new Map(entries(model.vocab, file)),
    merges: pairs(merges, file),
    added: new Map(list(added_tokens).map((token) => addedEntry(token, isObject(token) ? token.id : undefined, file))),
  };
}

function pairs(lines: readonly unknown[], file: string): string[] {
  return lines.map((line, index) => {
    const parts = typeof line === "string" ? line.split(/\s+/).filter((part) => part !== "") : [];
    if (parts.length !== 2) throw new TokenizerError("malformed", `${file}: expected two parts in pair ${index + 1}, got ${JSON.stringify(line)}`);
    return parts.join(" ");
  });
}

function entries(json: Json, file: string): [string, number][] {
  return Object.entries(json).map(([token, id]) => entry(token, id, file));
}

function decoderEntries(json: unknown, file: string): [string, number][] {
  if (!isObject(json)) throw new TokenizerError("malformed", `${file}: expected added_tokens_decoder to be an object`);
  return Object.entries(json).map(([id, token]) => addedEntry(token, Number(id), file));
}

/** `lstrip` and `rstrip` need no care: spaces around tokens never count. */
function addedEntry(token: unknown, id: unknown, file: string): [string, number] {
  if (isObject(token) && token.single_word === true) {
    throw new TokenizerError("malformed", `${file}: single_word is not supported, but ${JSON.stringify(token.content)} asks for it`);
  }
  return entry(isObject(token) ? token.content : undefined, id, file);
}

function entry(token: unknown, id: unknown, file: string): [string, number] {
  if (typeof token !== "string" || token === "" || typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
    throw new TokenizerError("malformed", `${file}: expected tokens with whole ids, got ${JSON.stringify(token)}: ${JSON.stringify(id)}`);
  }
  return [token, id];
}

/** A special token is written as text, or as an object with its `content`. */
function content(token: unknown, standard: string | undefined, folder: string): string {
  const text = isObject(token) ? token.content : (token ?? standard);
  if (typeof text !== "string" || text === "")
    throw new TokenizerError("malformed", `${folder}: expected special tokens as text, got ${JSON.stringify(token)}`);
  return text;
}

async function readJson(file: string): Promise<Json> {
  const text = await readText(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError("malformed", `${file}: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(json)) throw new TokenizerError("malformed", `${file}: expected a JSON object`);
  return json;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > mostBytes) throw new TokenizerError("malformed", `${file}: expected at most ${mostBytes} bytes, got ${size}`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    if (TokenizerError.isInstance(cause)) throw cause;
    if (cause instanceof TypeError) throw new TokenizerError("malformed", `${file}: expected UTF-8`, { cause });
    throw new TokenizerError("missing", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new TokenizerError("missing", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
