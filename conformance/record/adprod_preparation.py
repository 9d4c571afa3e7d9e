"""Records how a row is prepared for training, with Pillow and NumPy doing what the reference's loader does: the short side to a
given length (bilinear), one crop for ad, product and mask, the mask through 8-bit grey and above 0.5, the image encoder's
square from the cropped product (bicubic). Usage: python adprod_preparation.py packages/dataset/fixtures/preparation
"""

import json
import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)

# width, height, short side, crop width, crop height, top, left, encoder's side
CASES = [(71, 96, 48, 32, 40, 17, 9, 24), (90, 53, 64, 31, 57, 3, 40, 28), (33, 33, 33, 33, 20, 13, 0, 17)]


def short_side(image: Image.Image, length: int) -> Image.Image:
    width, height = image.size
    size = (length, int(length * height / width)) if width <= height else (int(length * width / height), length)
    return image.resize(size, Image.Resampling.BILINEAR)


def planes(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255)


def encoder_square(image: Image.Image, side: int) -> np.ndarray:
    width, height = image.size
    size = (side, int(side * height / width)) if width <= height else (int(side * width / height), side)
    resized = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (resized.width - side) // 2, (resized.height - side) // 2
    square = resized.crop((left, top, left + side, top + side))
    values = np.asarray(square).astype(np.float64) * (1 / 255)
    return ((values.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1).astype(np.float32)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    cases = []
    for number, (width, height, length, crop_width, crop_height, top, left, side) in enumerate(CASES):
        coarse = lambda: Image.fromarray(random.integers(0, 256, (7, 6, 3), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        ad, product = coarse(), coarse()
        grey = Image.fromarray(random.integers(0, 256, (5, 6), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        mask = (np.asarray(grey) > 120).astype(np.uint8)
        ad.save(folder / f"{number}.ad.png")
        product.save(folder / f"{number}.product.png")
        np.save(folder / f"{number}.mask.npy", mask)
        box = (left, top, left + crop_width, top + crop_height)
        window = [short_side(image, length).crop(box) for image in (ad, product)]
        grey = short_side(Image.fromarray((mask * 255).astype(np.uint8), "L"), length).crop(box)
        np.save(folder / f"{number}.expected-ad.npy", (planes(window[0]) - np.float32(0.5)) / np.float32(0.5))
        np.save(folder / f"{number}.expected-product.npy", (planes(window[1]) - np.float32(0.5)) / np.float32(0.5))
        np.save(folder / f"{number}.expected-mask.npy", (np.asarray(grey, np.float32)[None] / np.float32(255) > 0.5).astype(np.float32))
        np.save(folder / f"{number}.expected-clip.npy", encoder_square(window[1], side))
        resized = short_side(ad, length).size
        cases.append({
            "shortSide": length, "crop": {"width": crop_width, "height": crop_height}, "clipSize": side,
            # the middle of the interval of draws that give this window
            "place": {"down": (top + 0.5) / (resized[1] - crop_height + 1), "right": (left + 0.5) / (resized[0] - crop_width + 1)},
            "window": {"top": top, "left": left},
        })
    (folder / "cases.json").write_text(json.dumps({"pillow": PIL.__version__, "numpy": np.__version__, "cases": cases}, indent=1) + "\n")


main(Path(sys.argv[1]))
