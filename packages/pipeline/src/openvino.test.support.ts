import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOpenVino } from "@refadgen/graph/openvino";
import { expect, type TestContext } from "vitest";
import { RefAdGenPipeline } from "./index.js";

const micro = fileURLToPath(new URL("../../../assets/micro", import.meta.url));
const sources = { base: join(micro, "base"), checkpoint: join(micro, "refadgen", "mp_rank_00_model_states.pt") };
const call = { product: fileURLToPath(new URL("../../../assets/product.png", import.meta.url)), prompt: "on ice", steps: 1, width: 64, height: 72 };

/** So many pipelines on OpenVINO at once give what one on ONNX Runtime gives, within one level of 255. Left out where OpenVINO cannot be had, but not in CI. */
export async function openVinoAgrees(count: number, test: TestContext): Promise<void> {
  const library = process.env.REFADGEN_OPENVINO ?? (await installOpenVino().catch((error: Error) => error));
  if (library instanceof Error) {
    if (process.env.CI) throw library;
    return test.skip(library.message);
  }
  const one = await RefAdGenPipeline.fromPretrained(sources, { runtime: "onnxruntime" });
  const { images: expected } = await one.generate(call);
  await one.dispose();
  const all = await Promise.all(Array.from({ length: count }, () => RefAdGenPipeline.fromPretrained(sources, { runtime: "openvino", library })));
  for (const { images } of await Promise.all(all.map((pipeline) => pipeline.generate(call)))) {
    const differences = Array.from(images[0]!.data, (value, index) => Math.abs(value - expected[0]!.data[index]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  }
  await Promise.all(all.map((pipeline) => pipeline.dispose()));
}
