// An advertising image from a back end: `node main.mjs`. With the published weights, give their places instead of the bundled miniature's.
import { fileURLToPath } from "node:url";
import { saveImage } from "@refadgen/image";
import { RefAdGenPipeline } from "@refadgen/pipeline";

const asset = (path) => fileURLToPath(new URL(`../../assets/${path}`, import.meta.url));

const pipeline = await RefAdGenPipeline.fromPretrained({
  base: asset("micro/base"),
  checkpoint: asset("micro/refadgen/mp_rank_00_model_states.pt"),
});
const { images, seconds } = await pipeline.generate({
  product: asset("product.png"), // the mask is found from its plain background
  prompt: "on a wooden table in warm morning light",
  seed: 42,
  steps: 4, // the published 30 is the default
  width: 128,
  height: 160,
});
const out = fileURLToPath(new URL("../../output/example.png", import.meta.url));
await saveImage(images[0], out);
await pipeline.dispose();
console.log(`${out}: ${images[0].width} × ${images[0].height}, ${seconds.denoise.toFixed(1)} s of denoising`);
