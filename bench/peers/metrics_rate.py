"""A peer of the metrics' networks: argv[1] is JSON {case, files, threads}. Decodes the files and runs the network, as the packages do; random weights."""
import json
import sys

import torch
from PIL import Image

from serve import serve

settings = json.loads(sys.argv[1])
files, batch = settings["files"], 8
torch.set_num_threads(settings["threads"])
torch.set_grad_enabled(False)
case = settings["case"]

if case == "fid":
    import pytorch_fid.fid_score as fid_score
    import pytorch_fid.inception as inception
    from torch import nn
    inception.load_state_dict_from_url = lambda *_, **__: None
    original, nn.Module.load_state_dict = nn.Module.load_state_dict, lambda *_, **__: None
    net = inception.InceptionV3([3]).eval()
    nn.Module.load_state_dict = original
    fid_score.tqdm = lambda x: x
    step = lambda: fid_score.get_activations(files, net, batch_size=batch, device="cpu", num_workers=min(8, settings["threads"]))
elif case == "lpips":
    import lpips
    import numpy as np
    net = lpips.LPIPS(pretrained=False, pnet_rand=True, net="alex", verbose=False).eval()
    load = lambda f: lpips.im2tensor(np.asarray(Image.open(f).convert("RGB")))

    def step():
        for i in range(0, len(files), 2 * batch):
            part = [load(f) for f in files[i : i + 2 * batch]]
            net(torch.cat(part[0::2]), torch.cat(part[1::2]))
else:
    import open_clip
    name = {"clip-vit-b-32": "ViT-B-32-quickgelu", "clip-vit-l-14": "ViT-L-14-quickgelu"}[case]
    net, _, transform = open_clip.create_model_and_transforms(name, pretrained=None)
    net.eval()

    def step():
        for i in range(0, len(files), batch):
            net.encode_image(torch.stack([transform(Image.open(f)) for f in files[i : i + batch]]))

serve(step, versions=f"torch {torch.__version__}")
