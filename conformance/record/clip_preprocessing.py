"""What transformers' slow CLIPImageProcessor answers for drawn pictures: packages/clip/fixtures/preprocessing.json

python clip_preprocessing.py OUT --generate KIT/generate
Recorded with transformers 4.57.1 and Pillow. Pixel i of a case is floor(256 u_i), u from the case's name by the kit's formula.py.
"""
import argparse
import json
import sys

import numpy as np
from PIL import Image
from transformers import CLIPImageProcessor

CASES = {  # name: (height, width, settings, every)
    "short side": (37, 23, {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}, 1),
    "wide, odd rest": (19, 50, {"size": 15, "crop_size": 14}, 1),
    "both sides, padded": (21, 34, {"size": {"height": 10, "width": 17}, "crop_size": {"height": 13, "width": 8}, "resample": 2}, 1),
    "neither crop nor scale": (12, 9, {"size": {"shortest_edge": 7}, "do_center_crop": False, "do_rescale": False, "resample": 1}, 1),
    "no normalisation": (8, 11, {"do_resize": False, "crop_size": {"height": 5, "width": 6}, "do_normalize": False}, 1),
    "own mean": (8, 11, {"size": {"shortest_edge": 9}, "resample": 4, "crop_size": 9, "image_mean": [0.5, 0.25, 0], "image_std": [0.5, 2, 1], "rescale_factor": 0.01}, 1),
    "defaults": (50, 31, {}, 211),
    "defaults, smaller picture": (300, 1000, {}, 211),
}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--generate", required=True)
    args = ap.parse_args()
    sys.path.insert(0, args.generate)
    import formula

    cases = []
    for name, (height, width, settings, every) in CASES.items():
        pixels = np.floor(formula.uniform(name, height * width * 3) * 256).astype(np.uint8).reshape(height, width, 3)
        x = CLIPImageProcessor(**settings)(Image.fromarray(pixels), return_tensors="np").pixel_values[0]
        assert x.dtype == np.float32
        cases.append({"name": name, "height": height, "width": width, "settings": settings, "length": x.size, "every": every, "values": [float(f"{v:.9g}") for v in x.flatten()[::every]]})
    with open(args.out, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
