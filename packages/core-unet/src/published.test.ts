import { Graph, Weights, WeightsError } from "@refadgen/graph";
import { describe, expect, it } from "vitest";
import { decodeLatents, encodeLatents } from "./autoencoder.js";
import { parseAutoencoderConfig, parseUNetConfig, type UNetConfig } from "./config.js";
import { manifest, type Sizes, sizesOnly } from "./manifest.test.support.js";
import { unet } from "./unet.js";

/** The fields of the published `config.json` files that differ from diffusers' defaults. */
const sd15 = parseUNetConfig({ _class_name: "UNet2DConditionModel", cross_attention_dim: 768, attention_head_dim: 8 });
const sd21 = parseUNetConfig({
  _class_name: "UNet2DConditionModel",
  cross_attention_dim: 1024,
  attention_head_dim: [5, 10, 20, 20],
  use_linear_projection: true,
  upcast_attention: true,
  sample_size: 96,
});
const mse = parseAutoencoderConfig({
  _class_name: "AutoencoderKL",
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array(4).fill("DownEncoderBlock2D"),
  up_block_types: Array(4).fill("UpDecoderBlock2D"),
  layers_per_block: 2,
});

function unetWeights(sizes: Sizes, config: UNetConfig, { height = 8, width = 16, batch = 1 } = {}): Weights {
  const graph = new Graph("unet");
  const weights = Weights.from(sizesOnly(sizes));
  const inputs = {
    sample: graph.input("sample", "float32", [batch, config.in_channels, height, width]),
    timestep: graph.input("timestep", "float32", [batch]),
    context: graph.input("context", "float32", [batch, 77, config.cross_attention_dim]),
  };
  expect(unet(inputs, weights, config).dims).toEqual([batch, 4, height, width]);
  return weights;
}

function autoencoderWeights(sizes: Sizes): Weights {
  const graph = new Graph("autoencoder");
  const weights = Weights.from(sizesOnly(sizes));
  const { mean, logvar } = encodeLatents(graph.input("image", "float32", [2, 3, 40, 24]), weights, mse);
  expect([mean.dims, logvar.dims]).toEqual([
    [2, 4, 5, 3],
    [2, 4, 5, 3],
  ]);
  expect(decodeLatents(graph.input("latents", "float32", [2, 4, 5, 3]), weights, mse).dims).toEqual([2, 3, 40, 24]);
  return weights;
}

const published: [string, Sizes, (sizes: Sizes) => Weights][] = [
  ["sd15-unet", manifest("sd15-unet"), (sizes) => unetWeights(sizes, sd15)],
  ["sd21-unet", manifest("sd21-unet"), (sizes) => unetWeights(sizes, sd21)],
  ["refadgen-unet", manifest("refadgen-unet"), (sizes) => unetWeights(sizes, { ...sd15, in_channels: 5 })],
  ["sd-vae-ft-mse", manifest("sd-vae-ft-mse"), autoencoderWeights],
];

function complaint(weights: Weights): string[] {
  try {
    weights.verify();
    return [];
  } catch (error) {
    expect(WeightsError.isInstance(error) && error.code).toBe("mismatch");
    return (error as Error).message.split("\n").slice(1);
  }
}

describe.each(published)("%s", (_, sizes, build) => {
  it("is asked for key by key, with its sizes, and nothing is left", () => {
    expect(Object.keys(sizes).length).toBeGreaterThan(240);
    expect(complaint(build(sizes))).toEqual([]);
  });

  it("a key that is removed, added or of another size is the one that is named", () => {
    for (const key of Object.keys(sizes).filter((_, index) => index % 97 === 3)) {
      const { [key]: dims, ...others } = sizes;
      expect(complaint(build(others))).toEqual([`  missing     ${key} [${dims!.join(", ")}]`]);
      expect(complaint(build({ ...sizes, [`${key}.more`]: [1] }))).toEqual([`  unexpected  ${key}.more`]);
      const changed = [dims![0]! + 1, ...dims!.slice(1)];
      expect(complaint(build({ ...sizes, [key]: changed }))).toEqual([
        `  wrong size  ${key}: expected [${dims!.join(", ")}], got [${changed.join(", ")}]`,
      ]);
    }
  });
});

describe("sizes of the U-Net", () => {
  it.each([
    [1, 64, 80],
    [2, 65, 67],
    [1, 8, 9],
    [3, 10, 15],
  ])("follow the skips: batch %d, %d × %d", (batch, height, width) => {
    unetWeights(manifest("sd15-unet"), sd15, { batch, height, width });
  });

  it.each([
    ["mid_block", [1, 1280, 8, 9]],
    ["up_blocks.0", [1, 1280, 15, 18]],
    ["up_blocks.1", [1, 1280, 30, 35]],
    ["up_blocks.2", [1, 640, 60, 70]],
    ["up_blocks.3", [1, 320, 60, 70]],
  ])("ends after %s when told", (exitAfter, dims) => {
    const graph = new Graph("unet");
    const inputs = {
      sample: graph.input("sample", "float32", [1, 4, 60, 70]),
      timestep: graph.input("timestep", "float32", [1]),
      context: graph.input("context", "float32", [1, 77, 768]),
    };
    const weights = Weights.from(sizesOnly(manifest("sd15-unet")));
    expect(unet(inputs, weights, sd15, { exitAfter }).dims).toEqual(dims);
    expect(() => unet(inputs, weights, sd15, { exitAfter: "up_blocks.4" })).toThrow(
      /unet: expected exitAfter mid_block or up_blocks.0 .* got "up_blocks.4"/,
    );
    expect(() => unet({ ...inputs, context: graph.input(`c ${exitAfter}`, "float32", [1, 77, 1024]) }, weights, sd15)).toThrow(
      "expected a context of 768 channels, got 1024",
    );
    expect(() => unet({ ...inputs, sample: graph.input(`s ${exitAfter}`, "float32", [1, 5, 60, 70]) }, weights, sd15)).toThrow(
      /conv2d: expected x \[B, 4, H, W\]/,
    );
  });
});

describe("configurations", () => {
  it("take diffusers' defaults, and keep a list of heads", () => {
    expect(sd15).toMatchObject({
      in_channels: 4,
      block_out_channels: [320, 640, 1280, 1280],
      norm_eps: 1e-5,
      flip_sin_to_cos: true,
      use_linear_projection: false,
    });
    expect(sd21.attention_head_dim).toEqual([5, 10, 20, 20]);
    expect(mse.scaling_factor).toBe(0.18215);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["no object", () => parseUNetConfig("x"), /parseUNetConfig: expected an object, got string/],
    ["a list", () => parseAutoencoderConfig([]), /parseAutoencoderConfig: expected an object/],
    [
      "another block",
      () => parseUNetConfig({ down_block_types: ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"] }),
      /down_block_types "AttnDownBlock2D" is not supported/,
    ],
    [
      "SD-XL's conditions",
      () => parseUNetConfig({ addition_embed_type: "text_time" }),
      /addition_embed_type "text_time" is not supported; expected null/,
    ],
    [
      "deeper transformers",
      () => parseUNetConfig({ transformer_layers_per_block: [1, 2, 10, 1] }),
      /transformer_layers_per_block \[1,2,10,1\] is not supported/,
    ],
    ["too few heads", () => parseUNetConfig({ attention_head_dim: [5, 10] }), /expected attention_head_dim for 4 blocks, got 2/],
    ["a number that is a text", () => parseUNetConfig({ in_channels: "4" }), /expected in_channels like 4, got "4"/],
    ["types for other blocks", () => parseAutoencoderConfig({ block_out_channels: [8, 16] }), /expected 2 down_block_types/],
    ["a shift", () => parseAutoencoderConfig({ shift_factor: 0.1 }), /shift_factor 0.1 is not supported/],
  ])("refuse %s", (_, parse, message) => {
    expect(parse).toThrow(message);
  });
});
