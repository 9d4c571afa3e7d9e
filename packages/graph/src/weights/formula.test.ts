import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formulaGaussian, formulaTensor, formulaValues, formulaWeights } from "./formula.js";

const floats = async (bytes: Promise<Uint8Array>) => [...new Float32Array((await bytes).buffer)];
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("values recorded from the kit's formula.py (numpy)", () => {
  it("first values", async () => {
    expect((await floats(formulaTensor("unet", "conv_in.weight", [4, 5, 3, 3]).read())).slice(0, 4)).toEqual([
      0.043107617646455765, -0.25070711970329285, 0.24824628233909607, 0.22866278886795044,
    ]);
    expect(await floats(formulaTensor("vae", "decoder.conv_norm_out.weight", [4]).read())).toEqual([
      1.0602608919143677, 1.0153974294662476, 1.009932041168213, 0.9029927849769592,
    ]);
    expect(await floats(formulaTensor("vae", "decoder.conv_norm_out.bias", [4]).read())).toEqual([
      -0.024111414328217506, -0.04784005135297775, 0.0025834133848547935, -0.019927771762013435,
    ]);
    expect(await floats(formulaTensor("fid", "Conv2d_1a_3x3.bn.running_var", [3]).read())).toEqual([
      1.3706239461898804, 1.1168302297592163, 1.1933133602142334,
    ]);
    expect([...formulaGaussian("input", [4])]).toEqual([1.0078001022338867, 1.0432133674621582, 1.3516732454299927, -0.7755834460258484]);
    expect([...formulaValues("t", 3)]).toEqual([0.6465284903533757, 0.4610193164553493, 0.9068630884867162]);
  });

  it.each([
    ["unet", "conv_in.weight", [4, 5, 3, 3], "float32", "6baab8c4eaa3a6def96e89399f7d3fd25a3b02ef22a3ba868aa067f08065fec0"],
    [
      "unet",
      "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight",
      [2, 8],
      "float32",
      "c0561de1083bdcaabe3f0571d6df3327131b10a0b176c481f97096a8a5fefd58",
    ],
    ["a", "x.key.weight", [3, 7], "float32", "8572bc301500010e9f2fb908f0471c4014a2d67e1e588b067f8c862492f608fb"],
    ["clip", "logit_scale", [], "float32", "3db3c898c72c83ee2b8a27b49a4c45517a4524f466e7a1b77afabf5ae77e8f78"],
    ["clip", "position_ids", [1, 77], "int64", "0c360bd8b8049d9e1e239e19ab46457f58685af5c4c2068a32b5c794a9e87d18"],
    ["fid", "bn.num_batches_tracked", [], "int64", "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"],
    ["fid", "bn.running_var", [33], "float32", "6a6c18d525ebbaaf6dc2e4da8cc2908baec7fce2c9b34cc7a5b774d080016002"],
    ["fid", "bn.running_mean", [33], "float32", "757bb351d7de8cf51e2c0b7edff5d0de6437bd2256a50b28e3f0623296a52bb1"],
    ["é", "重み.weight", [1031, 1049], "float32", "6b3a0addc0b871f2dae35b8d371c645503bd379429170d7ba0471c03e13a0e27"],
    ["vae", "norm.weight", [5], "float32", "cb9730aaa7a48079dafc0ea2f33872f3f4ef5ed27fcaafa79bb04d548f15a6d4"],
    ["vae", "norm.bias", [5], "float32", "de468af1aeef9ad1b1802d0e99f830838f6536b232dea1bb3fd4ebf888aafbcd"],
    ["vae", "empty.weight", [0, 4], "float32", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ] as const)("%s/%s %j: all bits", async (salt, name, dims, dtype, digest) => {
    const tensor = formulaTensor(salt, name, dims);
    expect([tensor.dtype, sha256(await tensor.read())]).toEqual([dtype, digest]);
  });
});

it("a range is a part of the whole, across the chunks in which it is made", async () => {
  const tensor = formulaTensor("s", "w.weight", [3, 2 ** 20]);
  const whole = new Float32Array((await tensor.read()).buffer);
  const part = new Float32Array((await tensor.readRange!(2 ** 20 - 3, 2 ** 21 + 5)).buffer);
  expect(Buffer.from(part.buffer).equals(Buffer.from(whole.slice(2 ** 20 - 3, 2 ** 21 + 5).buffer))).toBe(true);
  expect(formulaValues("t", 2, { start: 1 })).toEqual(formulaValues("t", 3).subarray(1));
});

it("any key is there, under the name that it was asked for by", async () => {
  const weights = formulaWeights("s", { rename: (key) => `published.${key}` });
  const tensor = weights.tensor("q.weight", [2, 3])!;
  expect([tensor.name, tensor.dims]).toEqual(["q.weight", [2, 3]]);
  expect(await tensor.read()).toEqual(await formulaTensor("s", "published.q.weight", [2, 3]).read());
  expect(await tensor.contentKey()).not.toBe(await weights.tensor("q.weight", [3, 2])!.contentKey());
  expect(weights.description).toBe('formula weights "s"');
});
