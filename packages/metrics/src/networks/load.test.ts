import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeightsError } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MetricWeightsError } from "../weights/error.js";
import { loadClip } from "./clip/load.js";
import { loadDift } from "./dift/load.js";
import { loadDino } from "./dino/load.js";
import { loadImageReward } from "./image-reward/load.js";
import { loadInception } from "./inception/load.js";
import { openInput } from "./load.js";
import { loadLpips } from "./lpips/load.js";
import { fixture, useOwnCache } from "./recorded.test-support.js";

useOwnCache();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

const loaders = {
  inception: loadInception,
  lpips: loadLpips,
  clip: loadClip,
  "image-reward": loadImageReward,
  dino: loadDino,
  dift: loadDift,
} as const;

describe.each(Object.entries(loaders))("%s", (_, load) => {
  test("a path that leads nowhere", async () => {
    const attempt = load(join(folder, "no-such-file.pth"));
    await expect(attempt).rejects.toThrow(/no-such-file/);
    await expect(attempt).rejects.toSatisfy((error) => MetricWeightsError.isInstance(error) && error.code === "missing");
  });

  test("an abort before anything was opened", async () => {
    const reason = new Error("stopped");
    await expect(load(fixture("lpips-alex-33x33.safetensors"), { signal: AbortSignal.abort(reason) })).rejects.toThrow(/stopped|missing|expected/);
  });
});

const files = { inception: loadInception, lpips: loadLpips, clip: loadClip, "image-reward": loadImageReward, dino: loadDino } as const;
test.each(Object.entries(files))("%s refuses a file of other tensors, and one that holds none", async (name, load) => {
  await expect(load(fixture("lpips-alex-33x33.safetensors"))).rejects.toSatisfy(
    (error) => MetricWeightsError.isInstance(error) && error.code === "wrong-file",
  );
  const empty = join(folder, `${name}-empty.pth`);
  await writeFile(empty, "");
  await expect(load(empty)).rejects.toSatisfy((error) => WeightsError.isInstance(error));
  const text = join(folder, `${name}-text.pth`);
  await writeFile(text, "<html>404</html>");
  await expect(load(text)).rejects.toSatisfy((error) => WeightsError.isInstance(error));
});

describe("checksums", () => {
  const digest = async (file: string) =>
    createHash("sha256")
      .update(await (await import("node:fs/promises")).readFile(file))
      .digest("hex");

  test("the whole digest, its beginning, in capitals", async () => {
    const file = fixture("lpips-alex-33x33.safetensors");
    const whole = await digest(file);
    for (const sha256 of [whole, whole.slice(0, 8), whole.toUpperCase()]) expect((await openInput("test", file, { sha256 })).files).toEqual([file]);
  });

  test.each(["0".repeat(64), "00000000"])("%s is not that of the file", async (sha256) => {
    const attempt = openInput("test", fixture("lpips-alex-33x33.safetensors"), { sha256 });
    await expect(attempt).rejects.toThrow(/expected sha256 0+…?, got [0-9a-f]{64}/);
    await expect(attempt).rejects.toSatisfy((error) => MetricWeightsError.isInstance(error) && error.code === "checksum");
  });
});
