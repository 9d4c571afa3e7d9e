import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { usualWeightNames } from "@refadgen/graph";
import { HubError, type HubOptions, listFiles, locate, parseSource, type RepositoryFile, snapshot } from "@refadgen/hub";
import { PipelineError } from "./error.js";
import type { PipelineOptions } from "./options.js";
import type { PipelineSources } from "./sources.js";

/** What a checkpoint is called in a folder or repository that holds everything, in the order in which it is looked for. */
const checkpointNames: readonly string[] = ["refadgen.safetensors", "mp_rank_00_model_states.pt"];
const weightFile = /\.(?:safetensors|bin|pt|pth|ckpt|json)$/i;
const tokenizerFiles: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
  "special_tokens_map.json",
  "added_tokens.json",
];

/**
 * Sources with everything on this disk: what is on the hub has been fetched into the cache, and of each repository only what a pipeline reads:
 * configurations, and the one weight file (or its shards) that `openWeights` would take, so safetensors before .bin and full before half precision.
 *
 * @param sources one text names a folder or repository that holds all parts, with the checkpoint as `refadgen.safetensors` or
 * `mp_rank_00_model_states.pt` in it or in a folder of it
 * @throws HubError, ArgumentError, PipelineError; the signal's reason
 */
export async function fetchSources(sources: PipelineSources | string, options: PipelineOptions = {}): Promise<PipelineSources> {
  const fetching = new Fetching(options);
  const given = typeof sources === "string" ? { base: sources, checkpoint: await fetching.checkpointIn(sources) } : sources;
  const planned = {
    base: await fetching.plan(given.base, (files) => chosenInBase(files, given)),
    vae: await fetching.plan(given.vae, network),
    imageEncoder: await fetching.plan(given.imageEncoder ?? undefined, network),
    checkpoint: await fetching.plan(given.checkpoint, network),
    textEncoder: await fetching.plan(given.textEncoder, network),
    tokenizer: await fetching.plan(given.tokenizer, (files) => files.filter(({ name }) => tokenizerFiles.includes(name))),
    unetConfig: await fetching.plan(given.unetConfig, (files) => files.filter(({ name }) => name === "config.json")),
  };
  const found: Record<string, string | null> = given.imageEncoder === null ? { imageEncoder: null } : {};
  for (const [part, work] of Object.entries(planned)) if (work) found[part] = await work();
  return found as unknown as PipelineSources;
}

/** A file as seen from the folder that is asked for. */
interface Listed {
  readonly name: string;
  readonly file: RepositoryFile;
}

type Choose = (files: readonly Listed[]) => readonly Listed[];

function chosenInBase(files: readonly Listed[], given: Partial<PipelineSources>): readonly Listed[] {
  const inside = (folder: string, choose: Choose) =>
    choose(files.filter(({ name }) => name.startsWith(`${folder}/`)).map(({ name, file }) => ({ name: name.slice(folder.length + 1), file }))).map(
      ({ name, file }) => ({
        name: `${folder}/${name}`,
        file,
      }),
    );
  const only =
    (...names: readonly string[]) =>
    (all: readonly Listed[]) =>
      all.filter(({ name }) => names.includes(name));
  return [
    ...(given.textEncoder === undefined ? inside("text_encoder", network) : []),
    ...(given.vae === undefined ? inside("vae", network) : []),
    ...(given.imageEncoder === undefined ? inside("image_encoder", network) : []),
    ...(given.tokenizer === undefined ? inside("tokenizer", only(...tokenizerFiles)) : []),
    ...(given.unetConfig === undefined ? inside("unet", only("config.json")) : []),
    ...inside("scheduler", only("scheduler_config.json")),
    ...inside("feature_extractor", only("preprocessor_config.json")),
  ];
}

/** A network's folder: its configuration and the weights that would be read. Of shards, the index; they follow it. */
function network(files: readonly Listed[]): readonly Listed[] {
  const names = new Set(files.map(({ name }) => name));
  const weights = usualWeightNames.find((name) => names.has(name));
  return files.filter(({ name }) => name === "config.json" || name === weights);
}

/** Collects what has to be fetched from everywhere first, so that progress has a total. */
class Fetching {
  readonly #hub: HubOptions;
  readonly #endpoint: string;
  readonly #onDownload: PipelineOptions["onDownload"];
  #total = 0;
  #before = 0;

  constructor({ hub = {}, signal, onDownload }: PipelineOptions) {
    this.#hub = { ...hub, ...(signal && { signal }) };
    this.#endpoint = hub.endpoint ?? (process.env.HF_ENDPOINT || "https://huggingface.co");
    this.#onDownload = onDownload;
  }

  /** How a source gets onto this disk; undefined where none was given. A text that can only be a path is handed on as it is. */
  async plan(source: string | undefined, choose: Choose): Promise<(() => Promise<string>) | undefined> {
    if (source === undefined) return undefined;
    const remote = await this.#remote(source);
    if (!remote) return async () => source;
    if (remote.kind === "address") return () => this.#fetch(0, (onProgress) => locate(source, { ...this.#hub, onProgress }));
    const { repo, path, revision } = remote;
    const options = { ...this.#hub, ...(revision !== undefined && { revision }) };
    if (weightFile.test(path)) {
      const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
      const { commit, files } = await this.#list(source, folder === "" ? repo : `${repo}/${folder}`, options);
      const wanted = files.filter(
        (file) => file.path === path || (file.path === (folder === "" ? "config.json" : `${folder}/config.json`) && !path.endsWith(".json")),
      );
      // Without it in the listing, the hub's own message.
      if (!wanted.some((file) => file.path === path)) return () => locate(source, this.#hub);
      return this.#files(repo, commit, wanted, (root) => join(root, path));
    }
    const { commit, files } = await this.#list(source, path === "" ? repo : `${repo}/${path}`, options);
    const listed = files.map((file) => ({ name: path === "" ? file.path : file.path.slice(path.length + 1), file }));
    const chosen = choose(listed).map(({ file }) => file);
    const fetched = this.#files(repo, commit, chosen, (root) => join(root, path));
    return async () => {
      const folder = await fetched();
      for (const { path: index } of chosen.filter((file) => file.path.endsWith(".safetensors.index.json") || file.path.endsWith(".bin.index.json"))) {
        const shards = await shardsOf(join(folder, path === "" ? index : index.slice(path.length + 1)), index, files);
        await this.#files(repo, commit, shards, (root) => root)();
      }
      return folder;
    };
  }

  /** The checkpoint of a folder or repository that holds everything. */
  async checkpointIn(source: string): Promise<string> {
    const remote = await this.#remote(source);
    if (remote?.kind === "address")
      throw new PipelineError("unsupported-component", `fromPretrained: expected a folder or a repository, got the file ${source}`);
    const names = remote
      ? (await listFiles(source, this.#hub)).files.map(({ path }) => (remote.path === "" ? path : path.slice(remote.path.length + 1)))
      : (await readdir(source, { recursive: true }).catch(() => [])).map((name) => name.replaceAll("\\", "/"));
    const found = checkpointNames.flatMap((wanted) =>
      names.filter((name) => name === wanted || name.endsWith(`/${wanted}`)).sort((a, b) => a.length - b.length),
    )[0];
    if (found === undefined)
      throw new PipelineError(
        "missing-component",
        `checkpoint: expected ${checkpointNames.join(" or ")} in ${source}; or say where each part is: { base, checkpoint }`,
      );
    if (!remote) return join(source, found);
    const revision = remote.revision === undefined ? "" : `@${remote.revision}`;
    return [remote.repo, remote.path, found].filter((part) => part !== "").join("/") + revision;
  }

  async #remote(source: string): Promise<Exclude<ReturnType<typeof parseSource>, { kind: "local" }> | undefined> {
    if (typeof source !== "string" || (await stat(source).catch(() => undefined))) return undefined;
    // A bare name is a path that leads nowhere, which is said where paths are looked at.
    if (!source.includes("/")) return undefined;
    const parsed = parseSource(source, { endpoint: this.#endpoint });
    return parsed.kind === "local" ? undefined : parsed;
  }

  /** A text with a slash may be meant as a path, so what the hub says of it says that too. */
  async #list(source: string, place: string, options: HubOptions): ReturnType<typeof listFiles> {
    return listFiles(place, options).catch((error: unknown) => {
      if (!HubError.isInstance(error)) throw error;
      throw new HubError(error.code, `"${source}" is no file or folder here, and on the hub: ${error.message}`, { cause: error });
    });
  }

  #files(repo: string, commit: string, files: readonly RepositoryFile[], result: (root: string) => string): () => Promise<string> {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    this.#total += bytes;
    const names = files.map(({ path }) => path);
    return async () => {
      if (names.length === 0) throw new PipelineError("missing-component", `${repo} holds nothing of what is needed`);
      return result(await this.#fetch(bytes, (onProgress) => snapshot(repo, { ...this.#hub, revision: commit, files: names, onProgress })));
    };
  }

  async #fetch<T>(bytes: number, work: (onProgress: NonNullable<HubOptions["onProgress"]>) => Promise<T>): Promise<T> {
    const result = await work(({ file, done }) => this.#onDownload?.({ file, done: this.#before + done, total: this.#total }));
    this.#before += bytes;
    return result;
  }
}

/** The files that an index of shards names. */
async function shardsOf(path: string, index: string, files: readonly RepositoryFile[]): Promise<readonly RepositoryFile[]> {
  const { weight_map: map } = JSON.parse(await readFile(path, "utf8")) as { readonly weight_map?: Readonly<Record<string, string>> };
  if (typeof map !== "object" || map === null) throw new PipelineError("unsupported-component", `${index}: expected a weight_map`);
  const folder = index.slice(0, index.lastIndexOf("/") + 1);
  const names = new Set(Object.values(map).map((name) => `${folder}${name}`));
  const found = files.filter((file) => names.has(file.path));
  const missing = [...names].filter((name) => !found.some((file) => file.path === name));
  if (missing.length > 0) throw new PipelineError("missing-component", `${index} names ${missing.join(", ")}, which the repository does not hold`);
  return found;
}
