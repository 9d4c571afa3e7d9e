"""Writes data sets of advertising triplets with Python's own packages (webdataset, datasets, pyarrow, NumPy, tarfile), and what is in them, for
the part `dataset`. Usage: python dataset_files.py FOLDER/dataset [--seed N] [--count N]
Needs: webdataset datasets pillow numpy
"""

import argparse
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import datasets
import numpy as np
import webdataset
from PIL import Image

CAPTIONS = [
    ["A red cup on a table.", "Ein Becher – “schön”", "杯子在桌上 🥤", "tab\tnewline\nend"],
    ["one", "two"],
    ["", "quote \" comma, brace } bracket ]"],
]
CATEGORIES = ["Cup", "Body wash", "Wine glass"]


def digest(image: Image.Image) -> dict:
    rgb = image.convert("RGB")
    return {"width": rgb.width, "height": rgb.height, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}


def mask_digest(mask: np.ndarray) -> dict:
    return {"width": mask.shape[1], "height": mask.shape[0], "sha256": hashlib.sha256(mask.astype(np.uint8).tobytes()).hexdigest()}


def picture(random, width: int, height: int) -> Image.Image:
    return Image.fromarray(random.integers(0, 256, (5, 6, 3), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def triplets(random, count: int) -> list:
    """Every triplet has variants 00 to 04, of which 03 and 04 share a mask of their own, as the authors' data."""
    rows = []
    for number in range(count):
        width, height = (int(side) for side in random.integers(9, 60, 2))
        mask, moved = (random.integers(0, 2, (height, width), np.uint8) for _ in range(2))
        mask[0, 0] = moved[0, 0] = 1
        rows.append({
            "key": f"{1712345678 + number}_{int(random.integers(0, 10**6)):06d}",
            "category": CATEGORIES[number % len(CATEGORIES)],
            "captions": CAPTIONS[number % len(CAPTIONS)],
            "ad": picture(random, width, height),
            "products": [picture(random, width, height) for _ in range(5)],
            "mask": mask,
            "moved": moved,
        })
    return rows


def expected(row: dict, **more) -> dict:
    return {
        "key": row["key"], "category": row["category"], "captions": row["captions"],
        "ad": digest(row["ad"]), "product": digest(row["products"][0]), "mask": mask_digest(row["mask"]),
        "variants": [
            {"index": index, "kind": "view" if index >= 3 else "degraded", "product": digest(product), **({"mask": mask_digest(row["moved"])} if index >= 3 else {})}
            for index, product in enumerate(row["products"])
        ],
        **more,
    }


def write_webdataset(folder: Path, rows: list) -> list:
    """By webdataset's ShardWriter: its own times, owners and order; captions in k.json as the authors call them."""
    folder.mkdir()
    with webdataset.ShardWriter(str(folder / "train-%06d.tar"), maxcount=2, verbose=0) as sink:
        for number, row in enumerate(rows):
            sample = {"__key__": row["key"], "ad.png": png(row["ad"]), "json": {"image_type": row["category"], "image_text": row["captions"]}}
            for index, product in enumerate(row["products"]):
                sample[f"product_{index:02d}.png"] = png(product)
            # Booleans, bytes and floats; 0/1 and 0/255; with and without a leading axis.
            forms = [row["mask"], row["mask"].astype(bool), row["mask"].astype(np.float32)[None], row["mask"] * 255]
            sample["mask.npy"] = npy(forms[number % len(forms)])
            sample["mask_gs.npy"] = npy(row["moved"])
            sink.write(sample)
    return [expected(row, split="train") for row in rows]


def write_parquet(folder: Path, rows: list) -> list:
    """By datasets: nothing but pictures, captions and category; masks as pictures of 0 and 255; no keys."""
    folder.mkdir()
    grey = lambda mask: {"bytes": png(Image.fromarray(mask * 255)), "path": None}
    coded = lambda image: {"bytes": png(image), "path": None}
    data = datasets.Dataset.from_dict(
        {
            "image_type": [row["category"] for row in rows],
            "image_text": [row["captions"] for row in rows],
            "ad": [coded(row["ad"]) for row in rows],
            "product": [coded(row["products"][0]) for row in rows],
            "mask": [grey(row["mask"]) for row in rows],
            "variants": [[coded(product) for product in row["products"]] for row in rows],
            "variant_masks": [[None, None, None, grey(row["moved"]), grey(row["moved"])] for row in rows],
        },
        features=datasets.Features({
            "image_type": datasets.Value("string"),
            "image_text": datasets.List(datasets.Value("string")),
            "ad": datasets.Image(), "product": datasets.Image(), "mask": datasets.Image(),
            "variants": datasets.List(datasets.Image()), "variant_masks": datasets.List(datasets.Image()),
        }),
    )
    data.to_parquet(str(folder / "test-00000-of-00001.parquet"), batch_size=2)
    return [expected({**row, "key": f"{number:08d}"}, split="test") for number, row in enumerate(rows)]


def write_image_folder(folder: Path, rows: list) -> list:
    place = folder / "train"
    place.mkdir(parents=True)
    with open(place / "metadata.jsonl", "w") as lines:
        for row in rows:
            key = row["key"]
            names = {"ad_file_name": f"{key}.png", "mask_file_name": f"{key}-mask.png", "product_file_names": [f"{key}-{i}.png" for i in range(5)]}
            row["ad"].save(place / names["ad_file_name"])
            Image.fromarray(row["mask"] * 255).convert("1").save(place / names["mask_file_name"])
            for name, product in zip(names["product_file_names"], row["products"]):
                product.save(place / name)
            lines.write(json.dumps({**names, "label": row["category"], "text": row["captions"]}) + "\n")
    result = []
    for row in rows:
        one = expected(row, split="train")
        one["variants"] = [{"index": v["index"], "kind": "degraded", "product": v["product"]} for v in one["variants"]]
        result.append(one)
    return result


def write_authors(folder: Path, rows: list) -> list:
    for name in ("Ad Image", "Product Image", "mask_npy", "jsons"):
        (folder / name).mkdir(parents=True)
    listed = {"train": [], "test": []}
    result = []
    for number, row in enumerate(rows):
        key, split = row["key"], "test" if number % 3 == 2 else "train"
        row["ad"].save(folder / "Ad Image" / f"{key}.png")
        np.save(folder / "mask_npy" / f"{key}.npy", row["mask"].astype(bool))
        np.save(folder / "mask_npy" / f"{key}_gs.npy", np.asfortranarray(row["moved"].astype(np.float64)))
        for index, product in enumerate(row["products"]):
            product.save(folder / "Product Image" / f"{key}_{index:02d}.png")
            listed[split].append({
                "image_type": row["category"], "original_image": f"{key}.png", "mask_image": f"{key}_{index:02d}.png",
                "mask_npy": f"{key}.npy" if index < 3 else f"{key}_gs.npy", "image_text": row["captions"],
            })
        result.append(expected(row, split=split))
    for split, entries in listed.items():
        (folder / "jsons" / f"{split}_sd.json").write_text(json.dumps(entries, indent=4, ensure_ascii=False))
    return result


def write_arrays(folder: Path, random) -> list:
    folder.mkdir()
    cases = []
    types = ["|b1", "|u1", "|i1", "<u2", ">u2", "<i2", ">i4", "<u4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]
    for number, kind in enumerate(types):
        shape = [(), (7,), (3, 5), (2, 3, 4), (0, 3)][number % 5]
        values = random.integers(0, 2 if kind == "|b1" else 100, shape)
        for order in "CF":
            for version in ((1, 0), (2, 0), (3, 0)):
                name = f"{number:02d}-{order}-{version[0]}.npy"
                array = np.array(values, dtype=kind, order=order)
                with open(folder / name, "wb") as file:
                    np.lib.format.write_array(file, array, version=version)
                cases.append({"file": name, "shape": list(shape), "values": np.asarray(values, np.float64).ravel().tolist()})
    for name, array in {"objects": np.array([{}, "x"], object), "records": np.zeros(3, [("a", "<f4"), ("b", "O")]), "texts": np.array(["a", "bc"]), "complex": np.zeros(3, complex)}.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
        cases.append({"file": f"{name}.npy", "refused": True})
    return cases


def write_archives(folder: Path, random) -> list:
    folder.mkdir()
    cases = []
    names = ["a.png", "folder/b.txt", "d" * 80 + "/" + "e" * 90 + ".bin", "f" * 200 + ".bin", "ünïcode-杯子.json", "empty"]
    for kind, number in {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}.items():
        entries = []
        with tarfile.open(folder / f"{kind}.tar", "w", format=number) as archive:
            folder_entry = tarfile.TarInfo("folder")
            folder_entry.type = tarfile.DIRTYPE
            archive.addfile(folder_entry)
            for name in names:
                content = b"" if name == "empty" else random.integers(0, 256, int(random.integers(1, 2000)), np.uint8).tobytes()
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(content), 1.5e9
                try:
                    archive.addfile(info, io.BytesIO(content))
                except ValueError:
                    continue
                entries.append({"path": name, "sha256": hashlib.sha256(content).hexdigest()})
        cases.append({"file": f"{kind}.tar", "entries": entries})
    whole = (folder / "pax.tar").read_bytes()
    for name, length in {"cut-in-header": 700, "cut-in-content": 1700, "no-end": len(whole.rstrip(b"\0")) // 512 * 512 + 512}.items():
        (folder / f"{name}.tar").write_bytes(whole[:length])
        cases.append({"file": f"{name}.tar", "refused": True})
    for name, (path, kind) in {"absolute": ("/etc/passwd", tarfile.REGTYPE), "parent": ("../x.png", tarfile.REGTYPE), "symlink": ("x.png", tarfile.SYMTYPE), "hardlink": ("x.png", tarfile.LNKTYPE), "device": ("x.png", tarfile.CHRTYPE), "pipe": ("x.png", tarfile.FIFOTYPE)}.items():
        with tarfile.open(folder / f"{name}.tar", "w") as archive:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, "target"
            archive.addfile(info)
        cases.append({"file": f"{name}.tar", "refused": True})
    return cases


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    random = np.random.default_rng(options.seed)
    rows = triplets(random, options.count)
    index = {
        "triplets": {
            "webdataset": write_webdataset(options.folder / "webdataset", rows),
            "parquet": write_parquet(options.folder / "parquet", rows),
            "image-folder": write_image_folder(options.folder / "image-folder", rows),
            "authors": write_authors(options.folder / "authors", rows),
        },
        "arrays": write_arrays(options.folder / "arrays", random),
        "archives": write_archives(options.folder / "archives", random),
        "versions": {module.__name__: module.__version__ for module in (webdataset, datasets, np)},
    }
    (options.folder / "expected.json").write_text(json.dumps(index, indent=1))


main()
