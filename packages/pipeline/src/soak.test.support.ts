import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "@refadgen/image";
import { expect } from "vitest";
import { RefAdGenPipeline } from "./pipeline.js";

const micro = fileURLToPath(new URL("../../../assets/micro", import.meta.url));

/**
 * Makes so many images, a fresh pipeline every 25, and compares what the process holds in the second half with what it held at the end
 * of the first.
 *
 * @param growth bytes of resident memory that the second half may add: allocators keep what they once had
 */
export async function soak(images: number, growth: number): Promise<void> {
  const product: Image = { width: 40, height: 50, channels: 3, data: Uint8Array.from({ length: 6000 }, (_, index) => (index * 7919) % 256) };
  const held = { bytes: 0, handles: 0 };
  for (let made = 0; made < images; ) {
    const memory = (made / 25) % 2 === 0 ? "keep" : "low";
    const pipeline = await RefAdGenPipeline.fromPretrained(
      { base: join(micro, "base"), checkpoint: join(micro, "refadgen", "mp_rank_00_model_states.pt") },
      { memory },
    );
    for (let image = 0; image < 25 && made < images; image++, made++) {
      await pipeline.generate({ product, mask: null, prompt: `scene ${made}`, steps: 2, width: 64, height: 72, seed: made });
      if (made === Math.floor(images / 2)) Object.assign(held, measured());
    }
    await pipeline.dispose();
  }
  const { bytes, handles } = measured();
  expect(handles, "open handles").toBeLessThanOrEqual(held.handles);
  expect(bytes - held.bytes, "growth of resident memory").toBeLessThan(growth);
}

function measured(): { readonly bytes: number; readonly handles: number } {
  globalThis.gc?.();
  return {
    bytes: process.memoryUsage.rss(),
    handles: process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate").length,
  };
}
