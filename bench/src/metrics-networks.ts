import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formulaTensor, formulaWeights, type WeightLookup } from "@refadgen/graph";
import { type Image, saveImage } from "@refadgen/image";
import { loadClip, loadInception, loadLpips, type Picture, readImages } from "@refadgen/metrics";
import { Conversation } from "./peer.js";
import { median } from "./statistics.js";

const script = fileURLToPath(new URL("../peers/metrics_rate.py", import.meta.url));

export const networkCases = ["fid", "lpips", "clip-vit-b-32", "clip-vit-l-14"] as const;
export type NetworkCase = (typeof networkCases)[number];

/** Pictures (pairs for LPIPS) per second. */
export interface RateFigures {
  readonly name: NetworkCase;
  readonly items: number;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  /** Median over rounds of ours / peer. */
  readonly ratio: number | undefined;
}

export interface RateOptions {
  readonly cases: readonly NetworkCase[];
  /** PNG files of 256 × 256, half as many for L/14. */
  readonly pictures: number;
  readonly rounds: number;
  readonly threads: number;
  readonly python: string | undefined;
  readonly log: (line: string) => void;
}

/** Pictures per second from files to features, with the peers in the same rounds: both decode, both run batches of 8. */
export async function measureRates({ cases, pictures, rounds, threads, python, log }: RateOptions): Promise<readonly RateFigures[]> {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-bench-metrics-"));
  try {
    const files = await writePictures(folder, pictures);
    const figures: RateFigures[] = [];
    for (const name of cases) {
      const used = name === "clip-vit-l-14" ? files.slice(0, Math.max(2, pictures / 4)) : files;
      figures.push(await measureCase(name, used, { rounds, threads, python, log }));
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureCase(name: NetworkCase, files: readonly string[], options: Omit<RateOptions, "cases" | "pictures">): Promise<RateFigures> {
  const { rounds, threads, python, log } = options;
  const items = name === "lpips" ? files.length / 2 : files.length;
  const ours = await openOurs(name, threads);
  const peer = python === undefined ? undefined : new Conversation(name, python, [script, JSON.stringify({ case: name, files, threads })]);
  try {
    await ours.run(files);
    await peer?.next();
    const rates: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] };
    const turnOurs = async () => {
      const started = performance.now();
      await ours.run(files);
      rates.ours.push(items / ((performance.now() - started) / 1000));
    };
    const turnPeer = async () => {
      if (!peer) return;
      peer.ask();
      rates.peer.push(items / Number((await peer.next()).seconds));
    };
    for (let round = 0; round < rounds; round++) {
      const turns = round % 2 === 0 ? [turnOurs, turnPeer] : [turnPeer, turnOurs];
      for (const turn of turns) await turn();
      log(`${name}: ours ${rates.ours.at(-1)!.toFixed(2)}/s${peer ? `, peer ${rates.peer.at(-1)!.toFixed(2)}/s` : ""}`);
    }
    const ratio = peer ? median(rates.ours.map((rate, round) => rate / rates.peer[round]!)) : undefined;
    return { name, items, ...rates, ratio };
  } finally {
    await peer?.end();
    await ours.dispose();
  }
}

interface Ours {
  run(files: readonly string[]): Promise<void>;
  dispose(): Promise<void>;
}

async function openOurs(name: NetworkCase, threads: number): Promise<Ours> {
  if (name === "fid") {
    const network = await loadInception(formulaWeights("fid"), { threads });
    return { run: (files) => inBatches(files, 8, (batch) => network.features(batch, { input: "pytorch-fid" })), dispose: () => network.dispose() };
  }
  if (name === "lpips") {
    const network = await loadLpips(formulaWeights("alexnet"), { backbone: "alex", threads });
    const even = (_: Picture, index: number) => index % 2 === 0;
    const odd = (_: Picture, index: number) => index % 2 === 1;
    return {
      run: (files) => inBatches(files, 16, (batch) => network.distances(batch.filter(even), batch.filter(odd), { recipe: "lpips" })),
      dispose: () => network.dispose(),
    };
  }
  const network = await loadClip(openaiWeights(name), { threads });
  return { run: (files) => inBatches(files, 8, (batch) => network.images(batch, { preprocessing: "openai" })), dispose: () => network.dispose() };
}

/** Files are decoded while the network runs, as a data loader does for the peers. */
async function inBatches(files: readonly string[], size: number, run: (batch: readonly Picture[]) => Promise<unknown>): Promise<void> {
  const running: Promise<unknown>[] = [];
  let batch: Picture[] = [];
  for await (const image of await readImages("bench", files)) {
    if (!("picture" in image)) throw new Error(`${image.name} was skipped`);
    batch.push(image.picture);
    if (batch.length < size) continue;
    running.push(run(batch));
    batch = [];
    if (running.length === 2) await running.shift();
  }
  if (batch.length > 0) running.push(run(batch));
  await Promise.all(running);
}

async function writePictures(folder: string, count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const path = join(folder, `${String(number).padStart(4, "0")}.png`);
      const data = new Uint8Array(256 * 256 * 3);
      for (let at = 0; at < data.length; at++) {
        const [x, y, c] = [Math.floor(at / 3) % 256, Math.floor(at / 768), at % 3];
        data[at] = Math.round(127.5 + 100 * Math.sin(x * 0.05 + number) * Math.cos(y * 0.03 + c) + ((at * 31) % 17));
      }
      const image: Image = { width: 256, height: 256, channels: 3, data };
      await saveImage(image, path);
      return path;
    }),
  );
}

/** OpenAI's layout of CLIP at full size, on formula weights. */
function openaiWeights(name: "clip-vit-b-32" | "clip-vit-l-14"): WeightLookup {
  const large = name === "clip-vit-l-14";
  const [vision, text, layers, patch, shared] = large ? [1024, 768, 24, 14, 768] : [768, 512, 12, 32, 512];
  const shapes = new Map<string, readonly number[]>([
    ["positional_embedding", [77, text]],
    ["text_projection", [text, shared]],
    ["logit_scale", []],
    ["token_embedding.weight", [49408, text]],
    ["visual.class_embedding", [vision]],
    ["visual.positional_embedding", [(224 / patch) ** 2 + 1, vision]],
    ["visual.proj", [vision, shared]],
    ["visual.conv1.weight", [vision, 3, patch, patch]],
  ]);
  const norm = (key: string, width: number) => shapes.set(`${key}.weight`, [width]).set(`${key}.bias`, [width]);
  for (const [key, width] of [["visual.ln_pre", vision], ["visual.ln_post", vision], ["ln_final", text]] as const) norm(key, width); // biome-ignore format: norms
  for (const [tower, width, depth] of [
    ["visual.transformer", vision, layers],
    ["transformer", text, 12],
  ] as const) {
    // biome-ignore format: towers
    for (let layer = 0; layer < depth; layer++) {
      const block = `${tower}.resblocks.${layer}`;
      norm(`${block}.ln_1`, width);
      norm(`${block}.ln_2`, width);
      shapes.set(`${block}.attn.in_proj_weight`, [3 * width, width]).set(`${block}.attn.in_proj_bias`, [3 * width]);
      for (const [linear, out, within] of [
        ["attn.out_proj", width, width],
        ["mlp.c_fc", 4 * width, width],
        ["mlp.c_proj", width, 4 * width],
      ] as const)
        shapes.set(`${block}.${linear}.weight`, [out, within]).set(`${block}.${linear}.bias`, [out]);
    }
  }
  return {
    description: `formula weights "${name}"`,
    keys: () => shapes.keys(),
    tensor: (key) => (shapes.has(key) ? formulaTensor(name, key, shapes.get(key)!) : undefined),
  };
}
