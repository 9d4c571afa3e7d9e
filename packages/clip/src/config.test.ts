import { expect, test } from "vitest";
import { parseClipTextConfig, parseClipVisionConfig } from "./config.js";

test("fields left out take transformers' defaults", () => {
  const text = { hidden_size: 512, intermediate_size: 2048, num_hidden_layers: 12, num_attention_heads: 8, hidden_act: "quick_gelu" };
  expect(parseClipTextConfig({})).toMatchObject({
    ...text,
    vocab_size: 49408,
    max_position_embeddings: 77,
    eos_token_id: 49407,
    projection_dim: 512,
  });
  const vision = { hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12, image_size: 224, patch_size: 32 };
  expect(parseClipVisionConfig({ model_type: "clip_vision_model", hidden_act: "gelu" })).toMatchObject({ ...vision, hidden_act: "gelu" });
});

test("a whole CLIP nests both towers; its own projection_dim counts, and the older fields win", () => {
  const json = {
    model_type: "clip",
    projection_dim: 768,
    text_config: { hidden_size: 768, num_attention_heads: 12, eos_token_id: 2, projection_dim: 5 },
    vision_config: { hidden_size: 1024, num_attention_heads: 16, patch_size: 14, layer_norm_eps: 1e-6 },
    vision_config_dict: { hidden_size: 1024, num_attention_heads: 16, patch_size: 14 },
  };
  expect(parseClipTextConfig(json)).toMatchObject({ hidden_size: 768, eos_token_id: 2, projection_dim: 768 });
  expect(parseClipVisionConfig(json)).toMatchObject({ hidden_size: 1024, patch_size: 14, layer_norm_eps: 1e-5, projection_dim: 768 });
});

test.each([
  [[], "expected an object, got []"],
  [{ model_type: "siglip_text_model" }, 'expected model_type "clip_text_model", got "siglip_text_model"'],
  [{ hidden_act: "gelu_new" }, 'expected hidden_act like "quick_gelu", got "gelu_new"'],
  [{ hidden_size: 12.5 }, "expected hidden_size like 512, got 12.5"],
  [{ num_hidden_layers: 0 }, "expected num_hidden_layers like 12, got 0"],
  [{ eos_token_id: [1, 2] }, "expected eos_token_id like 49407, got [1,2]"],
  [{ layer_norm_eps: "1e-5" }, 'expected layer_norm_eps like 0.00001, got "1e-5"'],
  [{ num_attention_heads: 7 }, "expected num_attention_heads to divide hidden_size, got 7 and 512"],
])("parseClipTextConfig refuses %j", (json, message) => {
  expect(() => parseClipTextConfig(json)).toThrow(message);
});

test("parseClipVisionConfig refuses patches that do not fill the image", () => {
  expect(() => parseClipVisionConfig({ patch_size: 15 })).toThrow("expected patch_size to divide image_size, got 15 and 224");
});
