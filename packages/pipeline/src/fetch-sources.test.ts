import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DownloadProgress } from "@refadgen/hub";
import { type HubServer, startHubServer } from "@refadgen/hub/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchSources, PipelineError, type PipelineOptions, RefAdGenPipeline } from "./index.js";

const micro = fileURLToPath(new URL("../../../assets/micro", import.meta.url));
const product = fileURLToPath(new URL("../../../assets/product.png", import.meta.url));
const call = { product, prompt: "a bottle on ice", steps: 1, width: 64, height: 72 } as const;

let folder: string;
let server: HubServer;
let options: PipelineOptions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-sources-"));
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(micro, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      files[
        join(entry.parentPath, entry.name)
          .slice(micro.length + 1)
          .replaceAll("\\", "/")
      ] = await readFile(join(entry.parentPath, entry.name));
  const base = Object.fromEntries(Object.entries(files).flatMap(([name, content]) => (name.startsWith("base/") ? [[name.slice(5), content]] : [])));
  const checkpoint = files["refadgen/mp_rank_00_model_states.pt"]!;
  const index = JSON.stringify({ weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } });
  const all: Record<string, Uint8Array | string> = {
    ...base,
    "refadgen/mp_rank_00_model_states.pt": checkpoint,
    "text_encoder/pytorch_model.bin": "not wanted",
    "text_encoder/model.fp16.safetensors": "not wanted",
    "vae/diffusion_pytorch_model.bin": "not wanted",
    "unet/diffusion_pytorch_model.safetensors": "not wanted",
    "README.md": "not wanted",
  };
  server = await startHubServer({
    "shop/everything": { files: all, large: Object.keys(all).filter((name) => name.endsWith("tensors") || name.endsWith(".pt")) },
    "shop/weights": { files: { "sub/file.pt": checkpoint }, large: ["sub/file.pt"] },
    "shop/encoder": {
      files: {
        "models/image_encoder/config.json": "{}",
        "models/image_encoder/model.safetensors": "s",
        "models/image_encoder/pytorch_model.bin": "b",
      },
    },
    "shop/sharded": {
      files: {
        "config.json": "{}",
        "model.safetensors.index.json": index,
        "model-00001-of-00002.safetensors": "1",
        "model-00002-of-00002.safetensors": "2",
        "x.bin": "x",
      },
    },
    "shop/half": { files: { "config.json": "{}", "model.fp16.safetensors": "h", "pytorch_model.bin": "b" } },
  });
  options = { hub: { cacheDirectory: join(folder, "hub"), endpoint: server.url, token: "" } };
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const snapshotNames = async (repo: string) => {
  const root = join(folder, "hub", `models--${repo.replace("/", "--")}`, "snapshots", "1".repeat(40));
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
};

describe("a pipeline from the hub", () => {
  it("fetches only what it reads, tells the bytes, and makes the same image as from the disk", async () => {
    const told: DownloadProgress[] = [];
    const pipeline = await RefAdGenPipeline.fromPretrained("shop/everything", { ...options, onDownload: (progress) => told.push(progress) });
    const { images } = await pipeline.generate(call);
    await pipeline.dispose();
    const names = await snapshotNames("shop/everything");
    expect(names).toContain("unet/config.json");
    expect(names).toContain("text_encoder/model.safetensors");
    expect(names.filter((name) => /bin$|fp16|unet\/diff|README/.test(name))).toEqual([]);
    const total = told[0]!.total!;
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(told.at(-1)).toMatchObject({ done: total, total });

    const local = await RefAdGenPipeline.fromPretrained({
      base: join(micro, "base"),
      checkpoint: join(micro, "refadgen", "mp_rank_00_model_states.pt"),
    });
    expect(images[0]!.data).toEqual((await local.generate(call)).images[0]!.data);
    await local.dispose();
  });

  it("works offline with what was fetched, parts from different places", async () => {
    const sources = { base: "shop/everything", checkpoint: "shop/weights/sub/file.pt@main" };
    await fetchSources(sources, options);
    const asked = server.requests.length;
    const pipeline = await RefAdGenPipeline.fromPretrained(sources, { ...options, hub: { ...options.hub, offline: true } });
    await pipeline.dispose();
    expect(server.requests).toHaveLength(asked);
  });

  it("takes a folder of a repository, shards with their index, and half precision where there is nothing else", async () => {
    const sources = {
      base: join(micro, "base"),
      imageEncoder: "shop/encoder/models/image_encoder",
      textEncoder: "shop/sharded",
      vae: "shop/half",
      checkpoint: "shop/weights/sub/file.pt",
    };
    const found = await fetchSources(sources, options);
    expect(found.imageEncoder).toMatch(/image_encoder$/);
    expect(await snapshotNames("shop/encoder")).toEqual(["models/image_encoder/config.json", "models/image_encoder/model.safetensors"]);
    expect(await snapshotNames("shop/sharded")).toEqual([
      "config.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
    ]);
    expect(await snapshotNames("shop/half")).toEqual(["config.json", "model.fp16.safetensors"]);
  });

  it("says what is not there", async () => {
    await expect(fetchSources({ base: join(micro, "base"), checkpoint: "shop/weights/none.pt" }, options)).rejects.toMatchObject({
      code: "not-found",
    });
    await expect(fetchSources({ base: "shop/nowhere", checkpoint: "x.pt" }, options)).rejects.toMatchObject({ code: "not-found" });
    await expect(fetchSources("shop/half", options)).rejects.toThrow(PipelineError);
    await expect(RefAdGenPipeline.fromPretrained({ base: "nowhere", checkpoint: "./x.pt" }, options)).rejects.toMatchObject({
      code: "missing-component",
    });
  });

  it("takes a folder that holds everything", async () => {
    expect(await fetchSources(micro, options)).toEqual({ base: micro, checkpoint: join(micro, "refadgen", "mp_rank_00_model_states.pt") });
  });
});
