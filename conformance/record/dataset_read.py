"""Reads the data sets that the part `dataset` wrote, with Python's webdataset, wids and datasets and with what the authors' loader does, and prints
what is in them as JSON. Usage: python dataset_read.py FOLDER, which has webdataset/ parquet/ image-folder/ authors/
"""

import hashlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["WDS_SECURE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp()

import datasets
import numpy as np
import webdataset
from PIL import Image

datasets.disable_progress_bars()


def digest(image: Image.Image) -> dict:
    rgb = image.convert("RGB")
    return {"width": rgb.width, "height": rgb.height, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}


def mask_digest(values) -> dict:
    """As the authors' loader: 8-bit grey, above 0.5."""
    grey = values.convert("L") if isinstance(values, Image.Image) else values
    mask = (np.asarray(grey, np.float32) / 255 > 0.5).astype(np.uint8)
    return {"width": mask.shape[1], "height": mask.shape[0], "sha256": hashlib.sha256(mask.tobytes()).hexdigest()}


def row(key, category, captions, extra, ad, product, mask, variants) -> dict:
    return {"key": key, "category": category, "captions": list(captions), "extra": extra, "ad": digest(ad), "product": digest(product), "mask": mask_digest(mask), "variants": variants}


def variant(index, kind, product, mask) -> dict:
    return {"index": index, "kind": kind, "product": digest(product), **({} if mask is None else {"mask": mask_digest(mask)})}


def sample(key, values) -> dict:
    about = values["json"]
    variants = [
        variant(one["index"], one["kind"], values[f"product_{one['index']:02d}.png"], values[f"{one['mask']}.png"] if one.get("mask") else None)
        for one in about["variants"]
    ]
    return row(key, about["category"], about["captions"], about.get("extra"), values["ad.png"], values["product.png"], values["mask.png"], variants)


def shards(folder: Path) -> list:
    return sorted(str(path) for path in folder.glob("*.tar"))


def by_webdataset(folder: Path) -> list:
    return [sample(values["__key__"], values) for values in webdataset.WebDataset(shards(folder), shardshuffle=False).decode("pil")]


def by_wids(folder: Path) -> list:
    import wids

    loaded = wids.ShardListDataset(str(folder / "index.json"), cache_dir=tempfile.mkdtemp(), keep=True, transformations=[])
    rows = []
    for index in range(len(loaded)):
        raw = {name.lstrip("."): value for name, value in loaded[index].items()}
        values = {name: Image.open(value) for name, value in raw.items() if name.endswith(".png")}
        values["json"] = json.load(raw["json"])
        rows.append(sample(raw["__key__"], values))
    return rows


def by_datasets_webdataset(folder: Path) -> list:
    loaded = datasets.load_dataset("webdataset", data_files={"train": shards(folder)}, split="train")
    return [sample(values["__key__"], values) for values in loaded]


def table_row(values: dict, variants: str, masks: str, own: bool) -> dict:
    described = zip(values["variant_index"], values["variant_kind"], values[variants], values[masks])
    listed = [variant(index, kind, product, mask if own or mask.filename != values["mask"].filename else None) for index, kind, product, mask in described]
    return row(values["key"], values["category"], values["captions"], values["extra"], values["ad"], values["product"], values["mask"], listed)


def by_datasets_parquet(folder: Path) -> list:
    files = {split: sorted(str(path) for path in folder.glob(f"{split}-*.parquet")) for split in ("train", "test", "all")}
    loaded = datasets.load_dataset("parquet", data_files={split: paths for split, paths in files.items() if paths})
    return [table_row(values, "variants", "variant_masks", True) for split in loaded.values() for values in split]


def by_datasets_image_folder(folder: Path) -> list:
    rows = []
    for split in ("train", "test", "all"):
        if (folder / split).exists():
            loaded = datasets.load_dataset("imagefolder", data_dir=str(folder / split), split="train")
            rows += [table_row(values, "variants" if "variants" in values else "variant", "variant_masks" if "variant_masks" in values else "variant_mask", False) for values in loaded]
    return rows


def by_folder_name(folder: Path) -> list:
    """What load_dataset makes of the folder when it is told nothing: the splits by the names of the files."""
    return [{"split": name, "keys": sorted(split["__key__"] if "__key__" in split.column_names else split["key"])} for name, split in datasets.load_dataset(str(folder)).items()]


def by_loader(folder: Path) -> list:
    """As the authors' loader reads a row; rows of an ad come together."""
    details = {one["original_image"]: one for one in map(json.loads, open(folder / "triplets.jsonl"))}
    ads: dict = {}
    for path in sorted(folder.glob("*_sd.json")):
        for entry in json.load(open(path)):
            assert set(entry) == {"image_type", "original_image", "mask_image", "mask_npy", "image_text"}, entry.keys()
            ads.setdefault(entry["original_image"], []).append(entry)
    product = lambda name: Image.open(folder / "Product Image" / name)

    def mask(name):
        values = np.load(folder / "mask_npy" / name)
        assert values.ndim == 2 and values.max() <= 1, (values.shape, values.max())
        return (values * 255).astype(np.uint8)

    rows = []
    for name, entries in ads.items():
        detail = details[name]
        known = {one["mask_image"]: one for one in detail["variants"]}
        variants = [
            variant(known[entry["mask_image"]]["index"], known[entry["mask_image"]]["kind"], product(entry["mask_image"]), None if entry["mask_npy"] == detail["mask_npy"] else mask(entry["mask_npy"]))
            for entry in entries
            if entry["mask_image"] in known
        ]
        extra = json.dumps(detail["extra"], separators=(",", ":"), ensure_ascii=False) if "extra" in detail else None
        rows.append(row(detail["key"], entries[0]["image_type"], entries[0]["image_text"], extra, Image.open(folder / "Ad Image" / name), product(detail["mask_image"]), mask(detail["mask_npy"]), variants))
    return rows


def attempt(read, folder: Path):
    try:
        return read(folder)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


root = Path(sys.argv[1])
readers = {
    "webdataset": (by_webdataset, "webdataset"),
    # Part of webdataset before version 1.
    **({"wids": (by_wids, "webdataset")} if importlib.util.find_spec("wids") else {}),
    "datasets-webdataset": (by_datasets_webdataset, "webdataset"),
    "datasets-parquet": (by_datasets_parquet, "parquet"),
    "datasets-image-folder": (by_datasets_image_folder, "image-folder"),
    "datasets-folder-of-shards": (by_folder_name, "webdataset"),
    "datasets-folder-of-parquet": (by_folder_name, "parquet"),
    "datasets-folder-of-pictures": (by_folder_name, "image-folder"),
    "loader": (by_loader, "authors"),
}
print("\n" + json.dumps({name: attempt(read, root / folder) for name, (read, folder) in readers.items()}))
