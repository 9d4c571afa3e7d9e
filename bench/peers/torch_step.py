"""diffusers on PyTorch: python torch_step.py {"dtype": "fp32" | "bf16", "unet": {…}, "height": 80, "width": 64, "threads": 2}"""
import json
import sys

import diffusers
import torch

from afm_unet import Step
from serve import serve

settings = json.loads(sys.argv[1])
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[settings["dtype"]]
torch.set_grad_enabled(False)
torch.set_num_threads(settings["threads"])
net = Step(settings["unet"], dtype)
inputs = net.inputs(settings["height"], settings["width"], dtype)
serve(lambda: net(*inputs), versions=f"torch {torch.__version__}, diffusers {diffusers.__version__}")
