"""What transformers answers for small CLIP towers and the Resampler on formula weights: packages/clip/fixtures/networks.json

python clip_networks.py OUT --generate KIT/generate
Recorded with PyTorch 2.15.0 and transformers 4.57.1. The kit's formula.py gives weights and inputs, its reference.py the Resampler.
"""
import argparse
import json
import sys

import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

TEXTS = {
    # eos_token_id 2: pooled where the largest id comes first; row 0 has it twice
    "text-old": (dict(vocab_size=50, hidden_size=12, intermediate_size=20, num_hidden_layers=3, num_attention_heads=3, max_position_embeddings=9, projection_dim=5, hidden_act="quick_gelu", eos_token_id=2),
                 [[48, 7, 3, 49, 11, 49, 2, 1, 0], [48, 2, 2, 9, 30, 31, 32, 33, 49]]),
    # another one: its first position, whatever is larger; row 1 has none
    "text-new": (dict(vocab_size=50, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=9, projection_dim=5, hidden_act="gelu", eos_token_id=30, layer_norm_eps=1e-3),
                 [[48, 5, 45, 30, 49, 30], [48, 1, 2, 3, 4, 49], [0, 0, 30, 0, 0, 0]]),
}
VISIONS = {
    "vision-gelu": dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4, projection_dim=5, hidden_act="gelu"),
    "vision-quick": dict(hidden_size=8, intermediate_size=12, num_hidden_layers=3, num_attention_heads=1, image_size=10, patch_size=5, projection_dim=3, hidden_act="quick_gelu", layer_norm_eps=1e-3),
}
RESAMPLER = dict(dim=8, depth=2, dim_head=4, heads=3, num_queries=5, embedding_dim=12, output_dim=6, ff_mult=3)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--generate", required=True)
    args = ap.parse_args()
    sys.path.insert(0, args.generate)
    import formula
    import reference

    torch.set_grad_enabled(False)
    tensor = lambda t: {"dims": list(t.shape), "data": [float(f"{x:.9g}") for x in t.flatten().tolist()]}
    cases = {}
    for name, (config, ids) in TEXTS.items():
        net = formula.fill(CLIPTextModelWithProjection(CLIPTextConfig(**config)), name)
        out = net(torch.tensor(ids), output_hidden_states=True)
        pooled = net.text_model(torch.tensor(ids)).pooler_output
        skipped = net.text_model.final_layer_norm(out.hidden_states[-2])
        cases[name] = {"config": config, "ids": ids, "first": tensor(out.hidden_states[0]), "penultimate": tensor(out.hidden_states[-2]), "skipped": tensor(skipped),
                       "last": tensor(out.last_hidden_state), "pooled": tensor(pooled), "embeds": tensor(out.text_embeds)}
    for name, config in VISIONS.items():
        net = formula.fill(CLIPVisionModelWithProjection(CLIPVisionConfig(**config)), name)
        pixels = torch.from_numpy(formula.gaussian(name, (2, 3, config["image_size"], config["image_size"])))
        out = net(pixels, output_hidden_states=True)
        cases[name] = {"config": config, "first": tensor(out.hidden_states[0]), "penultimate": tensor(out.hidden_states[-2]), "last": tensor(out.last_hidden_state),
                       "pooled": tensor(net.vision_model(pixels).pooler_output), "embeds": tensor(out.image_embeds)}
    net = formula.fill(reference.Resampler(**RESAMPLER), "resampler-small")
    states = torch.from_numpy(formula.gaussian("resampler-small", (2, 7, RESAMPLER["embedding_dim"])))
    cases["resampler-small"] = {"config": RESAMPLER, "tokens": tensor(net(states))}
    with open(args.out, "w") as f:
        json.dump(cases, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
