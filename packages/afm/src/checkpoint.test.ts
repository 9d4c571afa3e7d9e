import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { formulaTensor, memoryWeights, openWeights, type StoredTensor, type WeightLookup, type WeightSource, WeightsError } from "@refadgen/graph";
import { beforeAll, describe, expect, it } from "vitest";
import { attentionLayers, initialRefAdGen, refAdGenCheckpoint } from "./checkpoint.js";

/** Names and sizes of the published checkpoint (`yiyun123/RefAdgen`, `mp_rank_00_model_states.pt`). */
const published: Readonly<Record<string, readonly number[]>> = JSON.parse(
  gunzipSync(readFileSync(new URL("../fixtures/refadgen.json.gz", import.meta.url))).toString("utf8"),
);

/** Recorded from diffusers 0.35.2: `[name for name in unet.attn_processors if name.endswith("attn1.processor")]` of an SD-1.5 U-Net. */
const order = [
  ...[0, 1, 2].flatMap((block) => [0, 1].map((layer) => `down_blocks.${block}.attentions.${layer}`)),
  ...[1, 2, 3].flatMap((block) => [0, 1, 2].map((layer) => `up_blocks.${block}.attentions.${layer}`)),
  "mid_block.attentions.0",
].map((path) => `${path}.transformer_blocks.0.attn1`);

/** The bundled files are float16; what is copied is compared byte by byte. */
const bytesOf = async (tensor: StoredTensor | undefined): Promise<Uint8Array> => Uint8Array.from(await tensor!.read());
const formulaSource = (sizes: Readonly<Record<string, readonly number[]>>): WeightSource => ({
  description: "a formula checkpoint",
  tensors: new Map(Object.entries(sizes).map(([key, dims]) => [key, formulaTensor("test", key, dims)])),
});
const changed = ({ description, tensors }: WeightSource, change: (tensors: Map<string, StoredTensor>) => void): WeightSource => {
  const copy = new Map(tensors);
  change(copy);
  return { description, tensors: copy };
};
const keys = (lookup: WeightLookup) => [...lookup.keys()];

async function mismatch(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(WeightsError.isInstance(error) && error.code).toBe("mismatch");
  return (error as Error).message;
}

describe("attentionLayers", () => {
  it("are in diffusers' order, from whatever order of keys", () => {
    const names = Object.keys(published).flatMap((key) => (key.startsWith("ref_unet.") ? [key.slice(9)] : []));
    expect(attentionLayers(names)).toEqual(order);
    expect(attentionLayers(names.toReversed())).toEqual(order);
    expect(attentionLayers(names.toSorted())).toEqual(order);
  });

  it("have the widths of the published adapter modules at the even places", () => {
    const widths = order.map((layer) => published[`unet.${layer}.to_q.weight`]![0]);
    expect(order.map((_, place) => published[`adapter_modules.${place * 2}.to_k_ref.weight`])).toEqual(widths.map((width) => [width, width]));
  });
});

describe("refAdGenCheckpoint on the published names", () => {
  it("finds every part and leaves nothing", async () => {
    const parts = await refAdGenCheckpoint(changed(formulaSource(published), (tensors) => dropCopies(tensors)));
    const count = (prefix: string, without = "\0") => Object.keys(published).filter((key) => key.startsWith(prefix) && !key.includes(without)).length;
    expect(keys(parts.unet)).toHaveLength(count("unet.", ".processor."));
    expect(keys(parts.referenceUnet)).toHaveLength(count("ref_unet."));
    expect(keys(parts.resampler)).toHaveLength(count("proj."));
    expect(keys(parts.fusion).sort()).toEqual(order.flatMap((layer) => [`${layer}.to_k_ref.weight`, `${layer}.to_v_ref.weight`]).sort());
    expect(parts.unet.tensor("conv_in.weight", [])!.dims).toEqual([320, 5, 3, 3]);
    expect(parts.referenceUnet.tensor("conv_in.weight", [])!.dims).toEqual([320, 4, 3, 3]);
  });

  it("takes the projections from the layers alone, from the modules alone, with and without the prefix module.", async () => {
    const whole = formulaSource(published);
    const onlyLayers = changed(whole, (tensors) => {
      for (const key of [...tensors.keys()]) if (key.startsWith("adapter_modules.")) tensors.delete(key);
    });
    const prefixed: WeightSource = {
      description: "prefixed",
      tensors: new Map([...onlyLayers.tensors].map(([key, tensor]) => [`module.${key}`, tensor])),
    };
    for (const source of [onlyLayers, prefixed, changed(whole, dropCopies)]) {
      const { fusion } = await refAdGenCheckpoint(source);
      expect(keys(fusion)).toHaveLength(order.length * 2);
      for (const layer of order) expect(fusion.tensor(`${layer}.to_v_ref.weight`, [])!.dims[0]).toBe(published[`unet.${layer}.to_q.weight`]![0]);
    }
  });
});

/** Removes the projections that stand under the layers. */
function dropCopies(tensors: Map<string, StoredTensor>): void {
  for (const key of [...tensors.keys()]) if (key.includes(".processor.")) tensors.delete(key);
}

describe("refAdGenCheckpoint on the bundled checkpoint", () => {
  let source: WeightSource;
  let prefix: string;
  const k = (place: number) => `${prefix}adapter_modules.${place}.to_k_ref.weight`;
  const copy = (place: number) => `${prefix}unet.${order[place]}.processor.to_k_ref.weight`;
  beforeAll(async () => {
    source = await openWeights(fileURLToPath(new URL("../../../assets/micro/refadgen/mp_rank_00_model_states.pt", import.meta.url)));
    prefix = source.tensors.has("module.ref_unet.conv_in.weight") ? "module." : "";
  });

  it("maps places to layers: the value under a layer is the module's at twice its place", async () => {
    const { fusion } = await refAdGenCheckpoint(source);
    for (const [place, layer] of order.entries()) {
      const tensor = fusion.tensor(`${layer}.to_k_ref.weight`, [])!;
      expect(await bytesOf(tensor), layer).toEqual(await bytesOf(source.tensors.get(k(place * 2))));
      const other = source.tensors.get(copy(place));
      if (other) expect(await bytesOf(other), layer).toEqual(await bytesOf(tensor));
    }
  });

  it("accepts copies that are equal, at the same place in the file or another", async () => {
    const tensor = source.tensors.get(k(4))!;
    const { location: _, ...elsewhere } = tensor;
    const twice = changed(source, (tensors) => tensors.set(copy(2), elsewhere));
    expect(keys((await refAdGenCheckpoint(twice)).fusion)).toHaveLength(32);
  });

  it("refuses copies that differ in a bit, and of another size", async () => {
    const tensor = source.tensors.get(k(4))!;
    const bytes = await bytesOf(tensor);
    bytes[bytes.length - 2]! ^= 1;
    const other = memoryWeights([{ name: "x", dtype: tensor.dtype, dims: tensor.dims, data: bytes }]).tensors.get("x")!;
    const message = await mismatch(refAdGenCheckpoint(changed(source, (tensors) => tensors.set(copy(2), other))));
    expect(message).toContain(`${k(4)} and ${copy(2)} should be one tensor, but differ`);
    const { dims: _, ...rest } = other;
    await mismatch(
      refAdGenCheckpoint(changed(source, (tensors) => tensors.set(copy(2), { ...rest, dims: [tensor.dims[0]! * 2, tensor.dims[1]! / 2] }))),
    );
  });

  it("refuses modules at odd places, and beyond the last layer", async () => {
    for (const place of [3, 32]) {
      const message = await mismatch(refAdGenCheckpoint(changed(source, (tensors) => tensors.set(k(place), tensors.get(k(0))!))));
      expect(message).toContain(`expected adapter_modules at the even places below 32, found ${k(place)}`);
    }
  });

  it("leaves a missing projection to verify, which names it", async () => {
    const { fusion } = await refAdGenCheckpoint(
      changed(source, (tensors) => {
        tensors.delete(k(6));
        tensors.delete(copy(3));
      }),
    );
    expect(fusion.tensor(`${order[3]}.to_k_ref.weight`, [])).toBeUndefined();
    expect(keys(fusion)).toHaveLength(31);
  });

  it("extends a conv_in of four channels by one of zeros", async () => {
    const whole = (await refAdGenCheckpoint(source)).unet.tensor("conv_in.weight", [])!;
    const [out, channels, height, width] = whole.dims as [number, number, number, number];
    expect(channels).toBe(5);
    const bytes = await bytesOf(whole);
    const window = bytes.length / out / channels;
    const channel = (index: number) => Math.floor(index / window) % 5;
    const cut = bytes.filter((_, index) => channel(index) < 4);
    const four = memoryWeights([{ name: "conv_in", dtype: whole.dtype, dims: [out, 4, height, width], data: cut }]).tensors.get("conv_in")!;
    const { unet } = await refAdGenCheckpoint(changed(source, (tensors) => tensors.set(`${prefix}unet.conv_in.weight`, four)));
    const extended = unet.tensor("conv_in.weight", [])!;
    expect(extended.dims).toEqual([out, 5, height, width]);
    expect(extended.location).toBeUndefined();
    expect(await extended.contentKey()).not.toBe(await four.contentKey());
    expect(await bytesOf(extended)).toEqual(bytes.map((byte, index) => (channel(index) === 4 ? 0 : byte)));
  });

  it("refuses what is no RefAdGen checkpoint", async () => {
    const message = await mismatch(
      refAdGenCheckpoint({ description: "other.safetensors", tensors: new Map([["conv_in.weight", source.tensors.values().next().value!]]) }),
    );
    expect(message).toBe('other.safetensors: expected a RefAdGen checkpoint with keys "ref_unet.…", found 1 keys such as "conv_in.weight"');
    expect(await mismatch(refAdGenCheckpoint({ description: "empty", tensors: new Map() }))).toContain("found no tensors");
  });
});

describe("initialRefAdGen", () => {
  it("is the plain U-Net twice, its own keys and values as the reference's, and a mask channel of zeros", async () => {
    const file = fileURLToPath(new URL("../../../assets/micro/base/unet/diffusion_pytorch_model.safetensors", import.meta.url));
    const plain = await openWeights(file);
    const resampler: WeightLookup = { description: "resampler", tensor: () => undefined, keys: () => [] };
    const parts = initialRefAdGen(plain, resampler);
    expect(parts.resampler).toBe(resampler);
    expect(keys(parts.referenceUnet)).toEqual([...plain.tensors.keys()]);
    expect(keys(parts.unet)).toEqual([...plain.tensors.keys()]);
    expect(keys(parts.fusion)).toHaveLength(32);
    for (const layer of order) {
      expect(parts.fusion.tensor(`${layer}.to_k_ref.weight`, [])).toBe(plain.tensors.get(`${layer}.to_k.weight`));
      expect(parts.fusion.tensor(`${layer}.to_v_ref.weight`, [])).toBe(plain.tensors.get(`${layer}.to_v.weight`));
    }
    const [before, after] = [plain.tensors.get("conv_in.weight")!, parts.unet.tensor("conv_in.weight", [])!];
    expect([before.dims[1], after.dims[1]]).toEqual([4, 5]);
    const [bytes, extended] = [await bytesOf(before), await bytesOf(after)];
    const window = bytes.length / before.dims[0]! / before.dims[1]!;
    const channel = (index: number) => Math.floor(index / window) % 5;
    expect(extended.filter((_, index) => channel(index) < 4)).toEqual(bytes);
    expect(extended.filter((_, index) => channel(index) === 4).every((value) => value === 0)).toBe(true);
    expect(parts.referenceUnet.tensor("conv_in.weight", [])).toBe(before);
  });
});
