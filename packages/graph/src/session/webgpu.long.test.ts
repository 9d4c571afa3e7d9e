import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { attention } from "../ops/attention.js";
import { conv2d } from "../ops/convolution.js";
import { gaussian, parameter } from "../ops/evaluate.test.support.js";
import { reshape, transpose } from "../ops/layout.js";
import { bindInputs } from "../rewrite.js";
import { openSession } from "./session.js";

/** A Vulkan device in software, which Debian's `chromium` brings along. Its small subgroups lead ONNX Runtime's attention kernel astray. */
const softwareDevice = "/usr/lib/chromium/vk_swiftshader_icd.json";

describe.runIf(process.platform === "linux" && existsSync(softwareDevice))("WebGPU", () => {
  it("gives what the CPU gives, with inputs bound and attention written out", async () => {
    process.env.VK_ICD_FILENAMES = softwareDevice;
    process.env.XDG_RUNTIME_DIR ??= "/tmp";
    const graph = new Graph("network");
    const x = graph.input("x", "float32", [2, 5, 9, 8]);
    const key = graph.input("key", "float32", [2, 80, 40]);
    const weight = parameter("weight", gaussian("weight", [40, 5, 3, 3]));
    const tokens = transpose(reshape(conv2d(x, weight, undefined, { padding: 1 }), [2, 40, 72]), [0, 2, 1]);
    graph.output("y", attention(tokens, key, key, { heads: 1 }));
    const feeds = { x: gaussian("x", [2, 5, 9, 8]), key: gaussian("key", [2, 80, 40]) };
    const run = async (provider: "cpu" | "webgpu", network: Graph, given: Parameters<typeof bindInputs>[1]) => {
      const session = await openSession(network, { provider });
      try {
        return (await session.run(given)).y!.data as Float32Array;
      } finally {
        await session.dispose();
      }
    };
    const expected = await run("cpu", graph, feeds);
    const found = await run("webgpu", bindInputs(graph, { key: feeds.key }), { x: feeds.x });
    // Scores are sums of some hundred products, summed in another order there.
    for (const [index, value] of found.entries()) expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-4);
  }, 60_000);
});
