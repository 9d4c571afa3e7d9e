"""Spoils pictures with Pillow: a second opinion on the filters, in drawing code, fonts, wordings and shapes of its own.

usage: python faults.py IN OUT [--seed N]

IN holds KEY.png with KEY.mask.png (255 where the product is). OUT gets, for each kind of fault, KIND/KEY.png with KIND/KEY.mask.png, and one line in
faults.jsonl: {"key", "kind", "style", "visible"}. Of an occluded product the mask is, by turns, all of it or what is left to see.
"""

import argparse
import io
import json
import math
import random
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

FONTS = [str(path) for folder in ("/usr/share/fonts", "/usr/local/share/fonts") for path in sorted(Path(folder).rglob("*")) if path.suffix in (".ttf", ".otf", ".t1", ".pfb")]
SYMBOLS = ("symbol", "d050000l", "standardsymbols", "math", "dingbat", "emoji")
FONTS = [path for path in FONTS if not any(word in Path(path).name.lower() for word in SYMBOLS)]

OWNERS = ["iStack", "Alamo Pix", "DREAMSHOT", "123proof", "envato lite", "copyright 2021", "(c) M. Rossi", "gettyish", "Watermark", "NOT FOR SALE"]
OFFERS = ["Black Friday", "SAVE 20%", "Buy now!", "only 9.99 EUR", "New In", "Shop the look", "Bestseller", "Free returns", "Use code SPRING", "Made in Italy", "LAST CHANCE"]
SKINS = [(244, 208, 177), (231, 180, 143), (198, 134, 92), (141, 85, 54), (89, 56, 40)]


def font(rng, size):
    for _ in range(20):
        try:
            return ImageFont.truetype(rng.choice(FONTS), max(6, int(size)))
        except OSError:
            continue
    return ImageFont.load_default(max(6, int(size)))


def lettering(rng, words, size, fill, widest):
    face = font(rng, size)
    while face.getlength(words) > widest and face.size > 7:
        face = face.font_variant(size=int(face.size * 0.9))
    left, top, right, bottom = face.getbbox(words)
    tile = Image.new("RGBA", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(tile).text((2 - left, 2 - top), words, font=face, fill=fill)
    return tile


def watermark(image, mask, rng):
    width, height = image.size
    style = rng.choice(["diagonal", "grid", "logo grid", "corner", "centre logo", "lines"])
    level = rng.choice([255, 255, 255, 230, 0])
    alpha = int(255 * (rng.uniform(0.4, 0.7) if style == "corner" else rng.uniform(0.2, 0.5)))
    ink = (level, level, level, alpha)
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    owner = rng.choice(OWNERS)
    if style == "diagonal":
        tile = lettering(rng, owner, height * rng.uniform(0.1, 0.18), ink, math.hypot(width, height) * 0.8).rotate(rng.uniform(-50, 50), expand=True, resample=Image.BICUBIC)
        layer.alpha_composite(tile, (max(0, (width - tile.width) // 2), max(0, (height - tile.height) // 2)))
    elif style == "grid":
        tile = lettering(rng, owner, height * rng.uniform(0.03, 0.06), ink, width * 0.5).rotate(rng.choice([0, 25, -25, 45]), expand=True, resample=Image.BICUBIC)
        across, down = tile.width + int(width * rng.uniform(0.03, 0.15)), tile.height + int(height * rng.uniform(0.03, 0.1))
        for row, y in enumerate(range(-tile.height // 2, height, down)):
            for x in range(-(row % 2) * across // 2, width, across):
                layer.paste(tile, (x, y), tile.getchannel("A").point(lambda value: 255 if value else 0))
    elif style == "logo grid":
        size = int(height * rng.uniform(0.04, 0.08))
        step = int(size * rng.uniform(1.8, 3))
        shape = rng.choice(["diamond", "square", "star"])
        thick = max(2, size // 7)
        for y in range(step // 2, height, step):
            for x in range(step // 2, width, step):
                half = size / 2
                if shape == "diamond":
                    draw.line([(x, y - half), (x + half, y), (x, y + half), (x - half, y), (x, y - half)], fill=ink, width=thick)
                elif shape == "square":
                    draw.rectangle([x - half, y - half, x + half, y + half], outline=ink, width=thick)
                else:
                    draw.polygon([(x + half * (1 if i % 2 else 0.45) * math.sin(i * math.pi / 5), y - half * (1 if i % 2 else 0.45) * math.cos(i * math.pi / 5)) for i in range(10)], fill=ink)
    elif style == "corner":
        tile = lettering(rng, owner, height * rng.uniform(0.035, 0.055), ink, width * 0.6)
        pad = int(height * 0.02)
        layer.alpha_composite(tile, (rng.choice([pad, width - tile.width - pad]), rng.choice([height - tile.height - pad, height - tile.height - pad, pad])))
    elif style == "centre logo":
        radius = height * rng.uniform(0.1, 0.18)
        x, y = width / 2, height / 2
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=ink, width=max(2, int(radius / 8)))
        tile = lettering(rng, owner, radius * 0.5, ink, radius * 1.6)
        layer.alpha_composite(tile, (int(x - tile.width / 2), int(y - tile.height / 2)))
    else:
        step = int(height * rng.uniform(0.1, 0.25))
        for at in range(-height, width + height, step):
            draw.line([(at, 0), (at + height, height)], fill=ink, width=max(1, height // 250))
            draw.line([(at + height, 0), (at, height)], fill=ink, width=max(1, height // 250))
        tile = lettering(rng, owner, height * 0.1, ink, width * 0.8)
        layer.alpha_composite(tile, ((width - tile.width) // 2, int(height * rng.uniform(0.3, 0.7))))
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB"), mask, style


def text(image, mask, rng):
    width, height = image.size
    style = rng.choice(["headline", "paragraph", "badge", "strip", "vertical"])
    light = sum(image.resize((1, 1)).getpixel((0, 0))) / 3
    dark_ink = light > 128 if rng.random() < 0.8 else light <= 128
    colour = rng.choice([(20, 20, 20), (140, 0, 30), (0, 40, 110), (0, 80, 40)] if dark_ink else [(255, 255, 255), (255, 235, 60), (255, 200, 200)])
    words = rng.choice(OFFERS)
    free = numpy.asarray(mask) < 128

    def place(tile):
        best = None
        for _ in range(30):
            x, y = rng.randint(0, max(0, width - tile.width)), rng.randint(0, max(0, height - tile.height))
            share = free[y : y + tile.height, x : x + tile.width].mean()
            if best is None or share > best[0]:
                best = (share, x, y)
        return best[1], best[2]

    if style == "strip":
        high = int(height * rng.uniform(0.08, 0.13))
        tile = Image.new("RGBA", (width, high), colour + (255,))
        letters = lettering(rng, words, high * 0.6, (255, 255, 255, 255) if dark_ink else (0, 0, 0, 255), width * 0.9)
        tile.alpha_composite(letters, ((width - letters.width) // 2, max(0, (high - letters.height) // 2)))
        where = (0, rng.choice([0, height - high]))
    elif style == "badge":
        size = int(height * rng.uniform(0.16, 0.24))
        tile = Image.new("RGBA", (size, size))
        ImageDraw.Draw(tile).regular_polygon((size / 2, size / 2, size / 2 - 1), rng.choice([6, 8, 12]), fill=colour + (255,))
        letters = lettering(rng, rng.choice(["-15%", "NEW", "SALE", "2 for 1", "19,99"]), size * 0.3, (255, 255, 255, 255) if dark_ink else (0, 0, 0, 255), size * 0.75)
        tile.alpha_composite(letters, ((size - letters.width) // 2, (size - letters.height) // 2))
        where = place(tile)
    else:
        lines = [words] if style != "paragraph" else rng.sample(OFFERS, rng.randint(2, 4))
        size = height * (rng.uniform(0.03, 0.045) if style == "paragraph" else rng.uniform(0.05, 0.1))
        tiles = [lettering(rng, line, size, colour + (255,), (height if style == "vertical" else width) * 0.85) for line in lines]
        tile = Image.new("RGBA", (max(one.width for one in tiles), int(sum(one.height * 1.35 for one in tiles)) + 2))
        y = 0
        for one in tiles:
            tile.alpha_composite(one, (0, y))
            y += int(one.height * 1.35)
        if style == "vertical":
            tile = tile.rotate(90, expand=True)
        where = place(tile)
    out = image.convert("RGBA")
    out.alpha_composite(tile.crop((0, 0, min(tile.width, width - where[0]), min(tile.height, height - where[1]))), where)
    return out.convert("RGB"), mask, style


def occluder(rng, style, x, y, span, size):
    layer = Image.new("RGBA", size)
    draw = ImageDraw.Draw(layer)
    if style == "hand":
        skin = rng.choice(SKINS)
        thick = span * rng.uniform(0.12, 0.2)
        angle = rng.uniform(0, 2 * math.pi)
        for finger in range(rng.randint(2, 4)):
            turn = angle + (finger - 1.5) * 0.16
            bx, by = x + math.cos(angle + math.pi / 2) * (finger - 1.5) * thick, y + math.sin(angle + math.pi / 2) * (finger - 1.5) * thick
            ex, ey = bx + math.cos(turn) * span, by + math.sin(turn) * span
            tone = tuple(int(value * rng.uniform(0.9, 1.02)) for value in skin)
            draw.line([(bx, by), (ex, ey)], fill=tone + (255,), width=int(thick))
            draw.ellipse([bx - thick / 2, by - thick / 2, bx + thick / 2, by + thick / 2], fill=tone + (255,))
        px, py = x + math.cos(angle) * span, y + math.sin(angle) * span
        draw.polygon([(px + math.cos(angle + t) * thick * 2.3 * (1.6 if abs(t) < 0.6 else 1), py + math.sin(angle + t) * thick * 2.3) for t in [i * math.pi / 8 for i in range(-8, 8)]], fill=skin + (255,))
        draw.line([(px, py), (px + math.cos(angle) * span * 3, py + math.sin(angle) * span * 3)], fill=skin + (255,), width=int(thick * 2.6))
        layer = layer.filter(ImageFilter.GaussianBlur(0.8))
    elif style == "price tag":
        wide, high = span * rng.uniform(0.4, 0.6), span * rng.uniform(0.25, 0.35)
        tile = Image.new("RGBA", (int(wide * 2), int(high * 2)))
        paper = rng.choice([(250, 248, 240), (255, 222, 89), (200, 30, 30), (190, 150, 100)])
        ImageDraw.Draw(tile).rounded_rectangle([0, 0, tile.width - 1, tile.height - 1], high * 0.2, fill=paper + (255,), outline=(60, 60, 60, 255))
        letters = lettering(rng, rng.choice(["$ 12", "29.90", "€5", "SALE"]), high, (10, 10, 10, 255), wide * 1.5)
        tile.alpha_composite(letters, (int(wide - letters.width / 2), int(high - letters.height / 2)))
        tile = tile.rotate(rng.uniform(-30, 30), expand=True, resample=Image.BICUBIC)
        layer.paste(tile, (int(x - tile.width / 2), int(y - tile.height / 2)), tile)
    elif style == "paper":
        tone = rng.randint(150, 250)
        points = [(x + span * rng.uniform(0.3, 0.6) * math.cos(t), y + span * rng.uniform(0.3, 0.6) * math.sin(t)) for t in sorted(rng.uniform(0, 2 * math.pi) for _ in range(6))]
        draw.polygon(points, fill=(tone, tone, int(tone * 0.95), 255))
    else:
        colour = tuple(rng.randint(20, 230) for _ in range(3))
        for step in range(24):
            share = 1 - step / 24
            radius = span * 0.4 * share
            lit = tuple(min(255, int(value * (0.7 + 0.6 * (1 - share)))) for value in colour)
            draw.ellipse([x - radius - span * 0.1 * (1 - share), y - radius - span * 0.1 * (1 - share), x + radius - span * 0.1 * (1 - share), y + radius - span * 0.1 * (1 - share)], fill=lit + (255,))
    return layer


def occlusion(image, mask, rng):
    product = numpy.asarray(mask) >= 128
    ys, xs = numpy.nonzero(product)
    span = math.sqrt((xs.max() - xs.min() + 1) * (ys.max() - ys.min() + 1))
    visible = rng.random() < 0.5
    best = None
    for _ in range(12):
        style = rng.choice(["hand", "hand", "price tag", "paper", "fruit"])
        at = rng.randrange(len(xs))
        layer = occluder(rng, style, float(xs[at]), float(ys[at]), span * rng.uniform(0.5, 1), image.size)
        hidden = (numpy.asarray(layer.getchannel("A")) >= 128) & product
        share = hidden.sum() / product.sum()
        if best is None or abs(share - 0.22) < abs(best[0] - 0.22):
            best = (share, style, layer, hidden)
        if 0.08 <= share <= 0.5:
            break
    share, style, layer, hidden = best
    left = Image.fromarray(numpy.where(product & ~hidden, 255, 0).astype("uint8")) if visible else mask
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB"), left, f"{style} {share:.2f} {'visible' if visible else 'whole'}"


def blur(image, mask, rng):
    shorter = min(image.size)
    style = rng.choice(["box", "gaussian", "disc", "motion"])
    if style == "box":
        return image.filter(ImageFilter.BoxBlur(shorter * rng.uniform(0.009, 0.025))), mask, style
    if style == "gaussian":
        return image.filter(ImageFilter.GaussianBlur(shorter * rng.uniform(0.006, 0.02))), mask, style
    radius = shorter * (rng.uniform(0.009, 0.025) if style == "disc" else rng.uniform(0.025, 0.06) / 2)
    reach = int(math.ceil(radius))
    y, x = numpy.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    if style == "disc":
        kernel = (x * x + y * y <= radius * radius).astype(float)
    else:
        turn = rng.uniform(0, math.pi)
        along, across = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
        kernel = (numpy.abs(along) <= radius) * numpy.clip(1 - numpy.abs(across), 0, 1)
    pixels = numpy.pad(numpy.asarray(image).astype(float), ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    shape = [pixels.shape[0] + 2 * reach, pixels.shape[1] + 2 * reach]
    turned = numpy.fft.rfft2(pixels, shape, axes=(0, 1)) * numpy.fft.rfft2(kernel / kernel.sum(), shape)[:, :, None]
    full = numpy.fft.irfft2(turned, shape, axes=(0, 1))
    out = full[2 * reach : 2 * reach + image.height, 2 * reach : 2 * reach + image.width]
    return Image.fromarray(numpy.clip(out + 0.5, 0, 255).astype("uint8")), mask, style


def low_resolution(image, mask, rng):
    target = rng.randint(40, 120)
    scale = target / min(image.size)
    small = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    tiny = image.resize(small, rng.choice([Image.BOX, Image.BILINEAR, Image.LANCZOS]))
    if rng.random() < 0.3:
        return tiny, mask.resize(small, Image.BOX), f"small {target}"
    how = rng.choice([Image.NEAREST, Image.BILINEAR, Image.BICUBIC, Image.LANCZOS])
    return tiny.resize(image.size, how), mask, f"enlarged {target} {how}"


def duplicate(image, mask, rng):
    style = []
    width, height = image.size
    if rng.random() < 0.4:
        image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
        style.append("mirrored")
    if rng.random() < 0.5:
        cut = [rng.uniform(0, 0.05) for _ in range(4)]
        box = (int(cut[0] * width), int(cut[1] * height), width - int(cut[2] * width), height - int(cut[3] * height))
        image, mask = image.crop(box), mask.crop(box)
        style.append("cropped")
    if rng.random() < 0.5:
        scale = rng.uniform(0.5, 1.3)
        size = (round(image.width * scale), round(image.height * scale))
        image, mask = image.resize(size, Image.LANCZOS), mask.resize(size, Image.BOX)
        style.append("resized")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=rng.randint(30, 90))
    return Image.open(buffer).convert("RGB"), mask, " ".join([*style, "re-encoded"])


KINDS = {"watermark": watermark, "text": text, "occlusion": occlusion, "blur": blur, "low-resolution": low_resolution, "duplicate": duplicate}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lines = []
    for path in sorted(options.source.glob("*.png")):
        if path.name.endswith(".mask.png"):
            continue
        image, mask = Image.open(path).convert("RGB"), Image.open(path.with_suffix(".mask.png")).convert("L")
        for kind, spoil in KINDS.items():
            folder = options.out / kind
            folder.mkdir(parents=True, exist_ok=True)
            spoilt, left, style = spoil(image, mask, random.Random(f"{options.seed} {kind} {path.stem}"))
            spoilt.save(folder / path.name)
            left.point(lambda value: 255 if value >= 128 else 0).save(folder / f"{path.stem}.mask.png")
            lines.append(json.dumps({"key": path.stem, "kind": kind, "style": style}))
    (options.out / "faults.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
