"""A diffusers U-Net with RefAdGen's attention fusion (arXiv 2508.11695, Eq. 1), and the inputs of one guided step.

The values are random: what a step costs does not depend on them. Reference features are projected to keys and values at
every step, as plain diffusers code does.
"""
import math

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import nn


class Attention:
    """The attention that diffusers runs by default; with `fusion` a second one over the reference's features is added."""

    def __init__(self, name, fusion=None):
        self.name, self.fusion = name, fusion

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, reference=None, **_):
        def split(x):
            return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        def attend(query, key, value):
            return F.scaled_dot_product_attention(query, split(key), split(value)).transpose(1, 2).flatten(2)

        seen = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = split(attn.to_q(hidden_states))
        out = attend(query, attn.to_k(seen), attn.to_v(seen))
        if self.fusion is not None:
            features = reference[self.name]
            out = out + attend(query, self.fusion["key"](features), self.fusion["value"](features))
        return attn.to_out[0](out)


class Step(nn.Module):
    """One call of the U-Net on a guided batch of two: sample [2, 5, h, w], timesteps [2], text [2, 77, D], reference features."""

    def __init__(self, config, dtype=torch.float32):
        super().__init__()
        with torch.device("meta"):
            self.unet = UNet2DConditionModel(**{**config, "in_channels": config["in_channels"] + 1})
            layers = {n: self.unet.get_submodule(n.removesuffix(".processor")) for n in self.unet.attn_processors}
            self.names = [n for n in layers if n.endswith("attn1.processor")]
            sizes = {n: layers[n].to_q.in_features for n in self.names}
            self.fusion = nn.ModuleList(
                nn.ModuleDict({part: nn.Linear(sizes[n], sizes[n], bias=False) for part in ("key", "value")}) for n in self.names)
        self.to(dtype).to_empty(device="cpu")
        for name, tensor in self.state_dict().items():
            if tensor.dim() >= 2:
                bound = math.sqrt(3 / math.prod(tensor.shape[1:]))
                tensor.uniform_(-bound, bound)
            else:
                tensor.fill_(1 if name.endswith("weight") else 0)
        fusion = dict(zip(self.names, self.fusion))
        self.unet.set_attn_processor({n: Attention(n, fusion.get(n)) for n in layers})
        self.eval()

    def forward(self, sample, timesteps, text, *features):
        reference = dict(zip(self.names, features))
        return self.unet(sample, timesteps, text, cross_attention_kwargs={"reference": reference}).sample

    def inputs(self, height, width, dtype=torch.float32):
        """What `forward` takes, at latents of this size."""
        config = self.unet.config
        levels = len(config.block_out_channels) - 1

        def feature(name, channels):
            block = 0 if name.startswith("mid_block") else int(name.split(".")[1])
            depth = levels if name.startswith("mid_block") else block if name.startswith("down") else levels - block
            tokens = math.ceil(height / 2**depth) * math.ceil(width / 2**depth)
            return torch.randn(2, tokens, channels, dtype=dtype)

        features = [feature(n, f["key"].in_features) for n, f in zip(self.names, self.fusion)]
        return (torch.randn(2, 5, height, width, dtype=dtype), torch.tensor([801, 801]),
                torch.randn(2, 77, config.cross_attention_dim, dtype=dtype), *features)
