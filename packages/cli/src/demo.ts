// `npm run demo`: the bundled product and three prompts through the whole pipeline, on the bundled miniature checkpoint.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Image, loadImage } from "@refadgen/image";
import { loadProduct, RefAdGenPipeline, type Stage } from "@refadgen/pipeline";
import { contactSheet, type Panel } from "./contact-sheet.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const assets = join(root, "assets");
const prompts = ["on a wooden table in warm morning light", "on wet black stone, studio lighting", "floating over the sea at sunset"];
const size = { width: 256, height: 320 };

const product = join(assets, "product.png");
const started = performance.now();
const pipeline = await RefAdGenPipeline.fromPretrained(
  { base: join(assets, "micro", "base"), checkpoint: join(assets, "micro", "refadgen", "mp_rank_00_model_states.pt") },
  { memory: "keep" },
);
const panels: Panel[] = [
  { image: await loadImage(product), title: "Product", caption: "as photographed" },
  { image: await maskPicture(product), title: "Mask", caption: "found from the plain background" },
];
const rows: string[] = [];
for (const [index, prompt] of prompts.entries()) {
  const { images, seconds } = await pipeline.generate({ product, prompt, seed: 42 + index, steps: 12, ...size });
  panels.push({ image: images[0]!, title: `Seed ${42 + index}`, caption: prompt });
  const cells = (["text", "product", "reference", "denoise", "decode"] as const).map((stage: Stage) => seconds[stage].toFixed(2).padStart(10));
  rows.push(`  ${prompt.padEnd(42)}${cells.join("")}`);
}
await pipeline.dispose();

const folder = join(root, "output", "demo");
await mkdir(folder, { recursive: true });
const sheet = join(folder, "contact-sheet.png");
const subtitle = `${size.width} × ${size.height}, 12 steps, untrained miniature weights: the chain is real, the pictures mean nothing`;
await writeFile(`${sheet}.partial`, await contactSheet("RefAdGen: one product, three scenes", subtitle, panels));
await rename(`${sheet}.partial`, sheet);

console.log(`
Seconds per stage${" ".repeat(32)}text   product reference   denoise    decode
${rows.join("\n")}

Three images in ${((performance.now() - started) / 1000).toFixed(1)} s. The contact sheet:

  ${sheet}

These weights are an untrained miniature of 12 MB, so the results are texture: they show that every part runs, not what RefAdGen paints.
With the published weights on disk, the same code makes the real images:

  Realistic_Vision_V5.1_noVAE   text_encoder/, tokenizer/, scheduler/      0.5 GB   (SG161222/Realistic_Vision_V5.1_noVAE)
  sd-vae-ft-mse                                                            0.3 GB   (stabilityai/sd-vae-ft-mse)
  IP-Adapter                    models/image_encoder/                      2.5 GB   (h94/IP-Adapter)
  mp_rank_00_model_states.pt    3.5 GB in half precision, 7.1 GB in single precision   (yiyun123/RefAdgen)

  node packages/cli/dist/main.js generate --base Realistic_Vision_V5.1_noVAE --vae sd-vae-ft-mse \\
    --image-encoder IP-Adapter/models/image_encoder --checkpoint mp_rank_00_model_states.pt \\
    --product assets/product.png --prompt "${prompts[0]}" --out ads
`);

async function maskPicture(path: string): Promise<Image> {
  const { mask } = await loadProduct(path, undefined);
  return { width: mask!.width, height: mask!.height, channels: 1, data: mask!.data.map((value) => value * 255) };
}
