"""OpenVINO on the same diffusers U-Net, traced at static shapes.

python openvino_step.py {"dtype": "f32" | "bf16", "unet": {…}, "height": 80, "width": 64, "threads": 2, "model": "…/model.xml"}
With "convert": true only writes the model, so that the memory of PyTorch is gone when it is timed.
"""
import json
import os
import pathlib
import sys

import numpy as np
import openvino as ov

from serve import serve

settings = json.loads(sys.argv[1])
path = pathlib.Path(settings["model"])


def convert():
    import torch

    from afm_unet import Step
    torch.set_grad_enabled(False)
    net = Step(settings["unet"])
    inputs = net.inputs(settings["height"], settings["width"])
    model = ov.convert_model(net, example_input=inputs, input=[i.shape for i in inputs])
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{os.getpid()}.xml")
    ov.save_model(model, draft, compress_to_fp16=True)
    draft.with_suffix(".bin").rename(path.with_suffix(".bin"))
    draft.rename(path)  # last: the model is there when this file is


if settings.get("convert"):
    if not path.exists():
        convert()
    print(json.dumps({"ready": True}), flush=True)
else:
    hints = {"INFERENCE_PRECISION_HINT": settings["dtype"], "INFERENCE_NUM_THREADS": settings["threads"], "PERFORMANCE_HINT": "LATENCY"}
    compiled = ov.Core().compile_model(path, "CPU", hints)
    random = np.random.default_rng(0)
    feeds = [np.array([801, 801]) if i.element_type == ov.Type.i64 else random.standard_normal(tuple(i.shape), np.float32) for i in compiled.inputs]
    serve(lambda: compiled(feeds), versions=f"openvino {ov.__version__}")
