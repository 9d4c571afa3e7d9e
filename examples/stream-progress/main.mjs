// Progress, previews and a time limit: `node main.mjs`.
import { fileURLToPath } from "node:url";
import { RefAdGenPipeline } from "@refadgen/pipeline";

const asset = (path) => fileURLToPath(new URL(`../../assets/${path}`, import.meta.url));
const pipeline = await RefAdGenPipeline.fromPretrained(
  { base: asset("micro/base"), checkpoint: asset("micro/refadgen/mp_rank_00_model_states.pt") },
  { memory: "keep" },
);
const call = { product: asset("product.png"), prompt: "floating over the sea", steps: 6, width: 128, height: 160 };

for await (const event of pipeline.stream(call)) {
  if (event.type === "stage" && event.status === "end") console.log(`${event.stage}: ${event.seconds.toFixed(2)} s`);
  if (event.type === "step") {
    const { width, height } = event.preview(); // pixels, cheap enough to send to a browser at every step
    console.log(`step ${event.step} of ${event.steps}, preview ${width} × ${height}`);
  }
  if (event.type === "image") console.log(`image ${event.image.width} × ${event.image.height}, seed ${event.seed}`);
}

const limit = new AbortController();
try {
  await pipeline.generate({ ...call, steps: 500, signal: limit.signal, onStep: ({ step }) => step === 3 && limit.abort(new Error("long enough")) });
} catch (error) {
  console.log(`stopped: ${error.message}`);
}
await pipeline.dispose();
