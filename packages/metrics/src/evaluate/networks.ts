import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionProvider } from "@refadgen/graph";
import { loadClip } from "../networks/clip/load.js";
import type {
  Clip,
  DenseFeatures,
  Dino,
  ImageReward,
  Inception,
  LoadedNetwork,
  LoadOptions,
  LoadProgress,
  Lpips,
  WeightInput,
} from "../networks/contract.js";
import { type LoadDiftOptions, loadDift } from "../networks/dift/load.js";
import { loadDino } from "../networks/dino/load.js";
import { loadImageReward } from "../networks/image-reward/load.js";
import { loadInception } from "../networks/inception/load.js";
import { loadLpips } from "../networks/lpips/load.js";
import { type WeightFile, type WeightId, weightFile } from "../weights/catalogue.js";
import { MetricWeightsError } from "../weights/error.js";
import { locateWeights } from "../weights/locate.js";
import { cachedClip, cachedDino, cachedInception, type FeatureStore } from "./cached-networks.js";
import { type NetworkId, weightIdsOf } from "./plan.js";

/** A dense feature provider that owns a network. */
export type DenseNetwork = DenseFeatures & LoadedNetwork;

/** Networks by what they are; those that are given are used and not disposed of. */
export interface GivenNetworks {
  readonly inception?: Inception;
  readonly lpips?: Lpips;
  readonly clip?: Clip;
  readonly dino?: Dino;
  readonly imageReward?: ImageReward;
  /** Matches points for MP-LPIPS. */
  readonly dense?: DenseNetwork;
}

/** Where weights come from, and how networks run. */
export interface NetworkOptions extends Pick<LoadOptions, "offline" | "cacheDirectory" | "token" | "provider" | "threads" | "optimization"> {
  /** Where to read a file instead of its published place. */
  readonly weights?: Readonly<Partial<Record<WeightId, WeightInput>>>;
  /** A folder in which files lie under their published names. */
  readonly weightsDirectory?: string;
  readonly networks?: GivenNetworks;
  readonly provider?: ExecutionProvider;
}

/** A file that is needed, and where it is. */
export interface NeededFile {
  readonly file: WeightFile;
  readonly networks: readonly NetworkId[];
  /** What a loader is given; absent when it ships with this package. */
  readonly source?: WeightInput;
  /** Where it lies; absent when it is not on this machine. */
  readonly path?: string;
  readonly state: "shipped" | "present" | "given" | "absent";
}

/** Finds out which files the networks need, and which of them are there. Downloads nothing. */
export async function neededFiles(networks: readonly NetworkId[], options: NetworkOptions): Promise<readonly NeededFile[]> {
  const ids = [...new Set(networks.flatMap(weightIdsOf))];
  return Promise.all(
    ids.map(async (id): Promise<NeededFile> => {
      const file = weightFile(id);
      const users = networks.filter((network) => weightIdsOf(network).includes(id));
      const given = options.weights?.[id];
      if (given !== undefined && typeof given !== "string") return { file, networks: users, source: given, state: "given" };
      // Stable Diffusion is a folder of files.
      const isFolder = id === "stable-diffusion-2-1";
      const inFolder = options.weightsDirectory === undefined ? undefined : join(options.weightsDirectory, isFolder ? id : file.file);
      if (given === undefined && inFolder !== undefined && (await stat(inFolder).catch(() => undefined))) {
        return { file, networks: users, source: inFolder, path: inFolder, state: "present" };
      }
      const source = given ?? file.source;
      if (source === undefined) return { file, networks: users, state: "shipped" };
      const [first] = isFolder && given === undefined ? [`${source}/unet/config.json`] : [source];
      const path = await locateWeights(first, {
        offline: true,
        ...(options.cacheDirectory !== undefined && { cacheDirectory: options.cacheDirectory }),
      }).catch(() => undefined);
      return { file, networks: users, source, ...(path === undefined ? { state: "absent" as const } : { path, state: "present" as const }) };
    }),
  );
}

/**
 * Refuses to begin without weights that cannot be had.
 *
 * @throws MetricWeightsError `missing`, naming every file
 */
export async function expectWeights(networks: readonly NetworkId[], options: NetworkOptions): Promise<void> {
  const absent = (await neededFiles(networks, options)).filter(({ state }) => state === "absent");
  const lost = absent.filter((file) => options.offline || !isRemote(file));
  if (lost.length === 0) return;
  const list = lost.map(
    ({ file, source, networks: users }) => `${file.file} for ${users.join(", ")} (${typeof source === "string" ? source : file.id})`,
  );
  const why = options.offline ? ", and offline forbids fetching them" : "";
  throw new MetricWeightsError(
    "missing",
    `${lost.length === 1 ? "a weight file is" : `${lost.length} weight files are`} not on this machine${why}: ${list.join("; ")}. ` +
      "Give a folder that holds them (weightsDirectory, --weights-dir), or each its path (weights, --weights ID=PATH); " +
      "`refadgen-metrics weights` says where they come from and `refadgen-metrics weights fetch` gets them",
  );
}

/** Whether a file has a place to be fetched from; else it can only be a path that leads nowhere. */
function isRemote({ source }: NeededFile): boolean {
  return typeof source === "string" && (/^https?:/.test(source) || (source.split("/").length >= 2 && !/^[./\\]/.test(source)));
}

export interface PoolOptions extends NetworkOptions {
  readonly store: FeatureStore;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** Loads every network once, when it is first needed, and frees it when nothing that is left to do needs it. */
export class NetworkPool {
  readonly #options: PoolOptions;
  readonly #files = new Map<WeightId, NeededFile>();
  readonly #loaded = new Map<NetworkId, { readonly network: LoadedNetwork; free(): Promise<void> }>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  inception(): Promise<Inception> {
    return this.#get(
      "inception",
      this.#options.networks?.inception,
      (options) => loadInception(...this.#input("inception-fid", options)),
      cachedInception,
    );
  }

  clip(id: "clip-vit-b-32" | "clip-vit-b-16" | "clip-vit-l-14"): Promise<Clip> {
    return this.#get(id, this.#options.networks?.clip, (options) => loadClip(...this.#input(id, options)), cachedClip);
  }

  dino(id: "dino-vit-s-16" | "dino-vit-b-16"): Promise<Dino> {
    return this.#get(id, this.#options.networks?.dino, (options) => loadDino(...this.#input(id, options)), cachedDino);
  }

  imageReward(): Promise<ImageReward> {
    const vocabulary = this.#files.get("bert-vocabulary");
    const words = vocabulary?.path ?? this.#options.weights?.["bert-vocabulary"];
    return this.#get(
      "image-reward",
      this.#options.networks?.imageReward,
      (options) => loadImageReward(...this.#input("image-reward", { ...options, ...(typeof words === "string" && { vocabulary: words }) })),
      (network) => network,
    );
  }

  /** What matches points for MP-LPIPS: diffusion features, with the options of `loadDift`. */
  dift(settings: Pick<LoadDiftOptions, "prompt" | "ensemble" | "timestep" | "upBlock" | "seed">): Promise<DenseNetwork> {
    return this.#get<DenseNetwork>(
      "dift",
      this.#options.networks?.dense,
      (options) => {
        const source = this.#files.get("stable-diffusion-2-1")?.source;
        return loadDift(typeof source === "string" ? source : undefined, { ...options, ...settings });
      },
      (network) => network,
    );
  }

  lpips(backbone: "alex" | "vgg" | "squeeze"): Promise<Lpips> {
    const given = this.#options.networks?.lpips;
    const weights = { alex: "alexnet", vgg: "vgg16", squeeze: "squeezenet1_1" } as const;
    return this.#get(
      `lpips-${backbone}`,
      given?.backbone === backbone ? given : undefined,
      (options) => {
        const lin = this.#options.weights?.[`lpips-lin-${backbone}`];
        return loadLpips(...this.#input(weights[backbone], { ...options, backbone, ...(lin !== undefined && { lin }) }));
      },
      (network) => network,
    );
  }

  /** Frees what is in none of these. */
  async keepOnly(needed: readonly NetworkId[]): Promise<void> {
    for (const [id, { free }] of this.#loaded) {
      if (needed.includes(id)) continue;
      this.#loaded.delete(id);
      await free();
    }
  }

  dispose(): Promise<void> {
    return this.keepOnly([]);
  }

  /** The networks' names and digests, for reports and keys. */
  async describe(networks: readonly LoadedNetwork[]): Promise<readonly { readonly name: string; readonly key: string }[]> {
    return Promise.all(networks.map(async (network) => ({ name: network.name, key: await network.contentKey() })));
  }

  async #get<T extends LoadedNetwork>(
    id: NetworkId,
    given: T | undefined,
    load: (options: LoadOptions) => Promise<T>,
    cached: (network: T, store: FeatureStore) => T,
  ): Promise<T> {
    const there = this.#loaded.get(id);
    if (there) return there.network as T;
    const { signal, onProgress, offline, cacheDirectory, token, provider, threads, optimization } = this.#options;
    const network =
      given ??
      (await load({
        ...(offline !== undefined && { offline }),
        ...(cacheDirectory !== undefined && { cacheDirectory }),
        ...(token !== undefined && { token }),
        ...(provider !== undefined && { provider }),
        ...(threads !== undefined && { threads }),
        ...(optimization !== undefined && { optimization }),
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      }));
    const wrapped = cached(network, this.#options.store);
    const free = async () => {
      if (wrapped !== network) await wrapped.dispose();
      if (!given) await network.dispose();
    };
    this.#loaded.set(id, { network: wrapped, free });
    return wrapped;
  }

  /** Looks for the files of networks; call it before anything is loaded. */
  async locate(networks: readonly NetworkId[]): Promise<void> {
    for (const needed of await neededFiles(networks, this.#options)) this.#files.set(needed.file.id, needed);
  }

  /** What a loader reads, and the digest it has to have: a file under its published name must be the published one. */
  #input<T extends LoadOptions>(id: WeightId, options: T): [WeightInput | undefined, T] {
    const needed = this.#files.get(id);
    const published = this.#options.weights?.[id] === undefined;
    const { sha256 } = weightFile(id);
    return [needed?.source, published && sha256 !== undefined ? { ...options, sha256 } : options];
  }
}
