// Faults of many kinds, made independently of every detector and of the package's own fault maker. "tune" and "held-out" share no font, wording or
// shape, so that what was tuned on one is measured on the other.
import { defocusBlur, gaussianBlur, motionBlur, occlusionWithMask } from "@refadgen/augment";
import { type Image, resizeImage } from "@refadgen/image";
import sharp from "sharp";
import { type Random, random } from "../mini/random.js";

export type Style = "tune" | "held-out";

/** An ad with its product's mask. */
export interface Advert {
  readonly image: Image;
  readonly mask: { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

export interface Fault extends Advert {
  /** How the fault was made, to read. */
  readonly how: string;
  /** `[H, W]`, how much of each pixel an overlay covers, 0 to 255. */
  readonly cover?: Uint8Array;
  /** The file, where the fault is in its encoding. */
  readonly bytes?: Uint8Array;
}

export type FaultKind = "watermark" | "text" | "occlusion" | "blur" | "low-resolution";

export const faultMakers: Readonly<Record<FaultKind, (advert: Advert, style: Style, seed: string) => Promise<Fault>>> = {
  watermark,
  text,
  occlusion,
  blur: async (advert, style, seed) => blur(advert, style, seed),
  "low-resolution": lowResolution,
};

const fonts: Readonly<Record<Style, readonly string[]>> = {
  tune: ["DejaVu Sans", "C059", "Nimbus Sans Narrow", "URW Gothic", "DejaVu Sans Mono", "P052"],
  "held-out": ["Nimbus Roman", "URW Bookman", "Nimbus Sans", "DejaVu Serif", "Z003", "Noto Sans Mono", "DejaVu Sans Condensed", "Nimbus Mono PS"],
};

const words: Readonly<Record<Style, readonly string[]>> = {
  tune: [
    "SALE",
    "New arrival",
    "50% OFF",
    "Free shipping",
    "Only today",
    "SUMMER",
    "Best price",
    "$19.99",
    "Limited edition",
    "ORDER NOW",
    "Great gift",
  ],
  "held-out": [
    "Mega Deal",
    "Jetzt kaufen",
    "-30%",
    "Nouveau",
    "ships in 24h",
    "€ 24,90",
    "HANDMADE",
    "Скидка",
    "Ελλάδα",
    "buy 2 get 1",
    "TOP QUALITY",
    "Since 1987",
    "限时优惠",
  ],
};

const marks: Readonly<Record<Style, readonly string[]>> = {
  tune: ["SAMPLE", "stockphoto", "© Imago Press", "PREVIEW", "pixelbay.example", "DO NOT COPY"],
  "held-out": ["Shuttergrid", "PROOF", "© 2019 J. Smith", "demo version", "adobo stock", "www.bildhaus.example", "CONFIDENTIAL"],
};

function wordIn(draw: Random, style: Style): string {
  return draw.pick(words[style]);
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** SVG laid over a picture; `cover` is its alpha. */
async function laid(advert: Advert, body: string, how: string): Promise<Fault> {
  const { width, height } = advert.image;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;
  const layer = new Uint8Array(await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer());
  const data = advert.image.data.slice();
  const cover = new Uint8Array(width * height);
  for (let pixel = 0; pixel < cover.length; pixel++) {
    const alpha = layer[pixel * 4 + 3]!;
    cover[pixel] = alpha;
    for (let c = 0; c < 3; c++) data[pixel * 3 + c] = Math.round((data[pixel * 3 + c]! * (255 - alpha) + layer[pixel * 4 + c]! * alpha) / 255);
  }
  return { image: { ...advert.image, data }, mask: advert.mask, cover, how };
}

const vivid = ["#e4002b", "#ffd400", "#0047bb", "#111111", "#ffffff", "#00843d", "#ff6f00", "#6d2077", "#f8bbd0"] as const;

/** A colour that can be read on what lies under it. */
function readable(draw: Random, { image }: Advert, x: number, y: number, across: number, down: number): string {
  let [sum, count] = [[0, 0, 0], 0];
  for (let row = Math.max(0, y | 0); row < Math.min(image.height, y + down); row += 2)
    for (let column = Math.max(0, x | 0); column < Math.min(image.width, x + across); column += 2, count++)
      for (let c = 0; c < 3; c++) sum[c]! += image.data[(row * image.width + column) * 3 + c]!;
  const mean = sum.map((value) => value / Math.max(1, count));
  const far = (colour: string) => {
    const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    return Math.hypot(...rgb.map((value, c) => value - mean[c]!)) > 110;
  };
  const choice = vivid.filter(far);
  return draw.pick(choice.length > 0 ? choice : ["#ffffff"]);
}

/** Headlines, prices, buttons: printed over the ad, mostly beside the product. */
export async function text(advert: Advert, style: Style, seed: string): Promise<Fault> {
  const draw = random("text", style, seed);
  const { width, height } = advert.image;
  const font = draw.pick(fonts[style]);
  const kind = draw.pick(
    style === "tune"
      ? ["headline", "headline", "lines", "price", "turned", "button"]
      : ["headline", "lines", "stamp", "banner", "turned", "outlined", "shadow"],
  );
  const size = height * (kind === "lines" ? draw.between(0.028, 0.05) : draw.between(0.045, 0.11));
  const lines = kind === "lines" ? draw.integer(2, 5) : draw.integer(1, 2);
  const content = Array.from({ length: lines }, () =>
    Array.from({ length: kind === "lines" ? draw.integer(1, 2) : 1 }, () => wordIn(draw, style)).join(" "),
  );
  const longest = Math.max(...content.map((line) => line.length));
  const fitted = Math.min(size, (width * 0.92) / (longest * 0.62));
  const tall = fitted * 1.25 * lines;
  const wide = longest * fitted * 0.58;
  const top = draw.chance(0.7) ? draw.between(0.01, 0.2) * height : draw.between(0.6, 0.97) * height - tall;
  const left = Math.max(2, draw.between(0.02, 0.95) * (width - wide));
  const weight = draw.pick(["normal", "bold", "bold"]);
  const italic = draw.chance(0.2) ? "italic" : "normal";
  const colour = readable(draw, advert, left, top, wide, tall);
  const degrees =
    kind === "turned" ? draw.between(-40, 40) : kind === "stamp" ? draw.pick([-90, 90, 180, -15, 15]) : draw.chance(0.3) ? draw.between(-6, 6) : 0;
  const [cx, cy] =
    kind === "stamp" && Math.abs(degrees) === 90
      ? [Math.min(width - tall, Math.max(tall, left)), height / 2]
      : [left + wide / 2, Math.max(tall, top) + tall / 2];
  let behind = "";
  let fill = colour;
  if (kind === "button" || kind === "banner" || kind === "price") {
    fill = draw.pick(
      colour === "#111111" || colour === "#0047bb" || colour === "#6d2077" || colour === "#00843d" || colour === "#e4002b"
        ? ["#ffffff", "#ffd400"]
        : ["#111111", "#0047bb"],
    );
    behind =
      kind === "price"
        ? `<circle cx="${cx}" cy="${cy}" r="${Math.max(wide, tall) * 0.62}" fill="${colour}"/>`
        : `<rect x="${kind === "banner" ? 0 : cx - wide * 0.6}" y="${cy - tall * 0.62}" width="${kind === "banner" ? width : wide * 1.2}" height="${tall * 1.24}" rx="${kind === "banner" ? 0 : fitted * 0.4}" fill="${colour}"/>`;
  }
  const stroke = kind === "outlined" ? `stroke="${fill === "#ffffff" ? "#111" : "#fff"}" stroke-width="${fitted * 0.06}"` : "";
  const spacing = draw.chance(0.25) ? `letter-spacing="${fitted * 0.12}"` : "";
  const written = (dx: number, dy: number, paint: string) =>
    content
      .map(
        (line, row) =>
          `<text x="${cx + dx}" y="${cy + dy + (row - (lines - 1) / 2) * fitted * 1.25 + fitted * 0.35}" text-anchor="middle" font-family="${font}" font-size="${fitted}" font-weight="${weight}" font-style="${italic}" fill="${paint}" ${stroke} ${spacing}>${escaped(line)}</text>`,
      )
      .join("");
  const shadow = kind === "shadow" ? written(fitted * 0.06, fitted * 0.06, fill === "#111111" ? "#ffffff" : "#000000") : "";
  return laid(
    advert,
    `<g transform="rotate(${degrees} ${cx} ${cy})">${behind}${shadow}${written(0, 0, fill)}</g>`,
    `${kind} ${font} ${fitted.toFixed(0)}px ${content.join("/")}`,
  );
}

/** Half-transparent marks of an owner: one across, many in a pattern, one in a corner. */
export async function watermark(advert: Advert, style: Style, seed: string): Promise<Fault> {
  const draw = random("watermark", style, seed);
  const { width, height } = advert.image;
  const font = draw.pick(fonts[style]);
  const kind = draw.pick(
    style === "tune"
      ? ["diagonal", "tiled", "corner", "logo tiles", "bottom line", "outline", "hatched", "emblem", "diagonal"]
      : ["diagonal", "staggered", "corner", "crossed", "logo", "outline", "band"],
  );
  const dark = draw.chance(0.25);
  const colour = dark ? draw.pick(["#000000", "#222222"]) : draw.pick(["#ffffff", "#ffffff", "#f0f0f0", "#dddddd"]);
  const opacity = kind === "corner" || kind === "bottom line" ? draw.between(0.35, 0.75) : draw.between(0.16, 0.5);
  const mark = draw.pick(marks[style]);
  const write = (x: number, y: number, size: number, degrees: number, extra = "") =>
    `<text x="${x}" y="${y}" text-anchor="middle" font-family="${font}" font-weight="${draw.pick(["normal", "bold"])}" font-size="${size}" transform="rotate(${degrees} ${x} ${y})" ${extra}>${escaped(mark)}</text>`;
  const logo = (x: number, y: number, r: number) =>
    style === "tune"
      ? `<circle cx="${x}" cy="${y}" r="${r}" fill="none" stroke="${colour}" stroke-width="${r * 0.22}"/><rect x="${x - r * 0.4}" y="${y - r * 0.4}" width="${r * 0.8}" height="${r * 0.8}"/>`
      : `<path d="M${x} ${y - r} L${x + r} ${y + r * 0.8} L${x - r} ${y + r * 0.8} Z" fill="none" stroke="${colour}" stroke-width="${r * 0.25}"/><circle cx="${x}" cy="${y + r * 0.25}" r="${r * 0.28}"/>`;
  let body = "";
  const fit = (size: number, share: number) => Math.min(size, (width * share) / (mark.length * 0.6));
  if (kind === "diagonal" || kind === "outline") {
    const size = fit(height * draw.between(0.1, 0.2), 1.1);
    body = write(
      width / 2,
      height / 2,
      size,
      draw.between(-55, 35),
      kind === "outline" ? `fill="none" stroke="${colour}" stroke-width="${Math.max(1, size * 0.05)}"` : "",
    );
  } else if (kind === "tiled" || kind === "staggered") {
    const size = height * draw.between(0.028, 0.06);
    const [stepX, stepY] = [mark.length * size * 0.62 + size * draw.between(0.8, 3), size * draw.between(2.2, 5)];
    const degrees = draw.pick([0, -30, 30, -45, draw.between(-60, 60)]);
    for (let row = -12; row < 24; row++)
      for (let column = -6; column < 9; column++) {
        const [x, y] = [column * stepX + (kind === "staggered" && row % 2 ? stepX / 2 : 0), row * stepY];
        if (row * stepY < height * 1.6) body += `<text x="${x}" y="${y}" font-family="${font}" font-size="${size}">${escaped(mark)}</text>`;
      }
    body = `<g transform="rotate(${degrees} ${width / 2} ${height / 2})">${body}</g>`;
  } else if (kind === "logo tiles" || kind === "logo") {
    const r = kind === "logo" ? height * draw.between(0.1, 0.2) : height * draw.between(0.02, 0.045);
    const step = kind === "logo" ? 1e4 : r * draw.between(3.2, 6);
    for (let y = kind === "logo" ? height * draw.between(0.3, 0.7) : step / 2; y < height + r; y += step)
      for (let x = kind === "logo" ? width * draw.between(0.3, 0.7) : step / 2; x < width + r; x += step) body += logo(x, y, r);
    if (kind === "logo") body += write(width / 2, height * 0.9, fit(height * 0.06, 0.8), 0);
  } else if (kind === "crossed") {
    const step = height * draw.between(0.2, 0.4);
    const thin = Math.max(1, height * 0.004);
    for (let at = -2; at < 8; at++)
      body += `<path d="M${-width} ${at * step} l${3 * width} ${2 * width}  M${-width} ${at * step + 0.3 * step} l${3 * width} ${-2 * width}" fill="none" stroke="${colour}" stroke-width="${thin}"/>`;
    body += write(width / 2, height / 2, fit(height * 0.1, 0.9), 0);
  } else if (kind === "hatched") {
    const step = height * draw.between(0.08, 0.25);
    const slope = draw.pick([-1, 1, 0.5, -0.5]);
    for (let at = -3 * height; at < 3 * height; at += step)
      body += `<path d="M${-width} ${at} l${3 * width} ${3 * width * slope}" fill="none" stroke="${colour}" stroke-width="${Math.max(1, height * draw.between(0.002, 0.005))}"/>`;
    if (draw.chance(0.6)) body += write(width / 2, height * draw.between(0.3, 0.7), fit(height * 0.1, 0.9), 0);
  } else if (kind === "emblem") {
    const r = height * draw.between(0.08, 0.18);
    const [x, y] = [width * draw.between(0.35, 0.65), height * draw.between(0.35, 0.65)];
    body = `<circle cx="${x}" cy="${y}" r="${r}" fill="none" stroke="${colour}" stroke-width="${r * 0.12}"/><path d="M${x - r * 0.6} ${y + r * 0.4} L${x - r * 0.1} ${y - r * 0.5} L${x + r * 0.15} ${y} L${x + r * 0.35} ${y - r * 0.2} L${x + r * 0.65} ${y + r * 0.4} Z"/>`;
    if (draw.chance(0.6)) body += write(x, y + r * 1.6, fit(r * 0.5, 0.7), 0);
  } else if (kind === "band") {
    const size = fit(height * 0.06, 0.9);
    body = `<rect x="0" y="${height * 0.45}" width="${width}" height="${size * 1.8}" fill-opacity="0.4"/>${write(width / 2, height * 0.45 + size * 1.25, size, 0)}`;
  } else {
    const size = fit(height * draw.between(0.032, 0.055), 0.6);
    const half = mark.length * size * 0.3;
    const right = draw.chance(0.6);
    const low = draw.chance(0.8);
    const x = kind === "bottom line" ? width / 2 : right ? width - half - size * 0.6 : half + size * 0.6;
    body = write(x, low ? height - size * 0.6 : size * 1.4, size, 0);
    if (kind === "corner" && draw.chance(0.5)) body += logo(x, low ? height - size * 2.6 : size * 3.2, size * 0.9);
  }
  return laid(advert, `<g fill="${colour}" opacity="${opacity}">${body}</g>`, `${kind} ${opacity.toFixed(2)} ${colour} ${mark}`);
}

const skins = [
  [0.94, 0.78, 0.68],
  [0.85, 0.64, 0.51],
  [0.72, 0.51, 0.38],
  [0.55, 0.36, 0.26],
  [0.36, 0.23, 0.17],
] as const;

/** Something before the product: hands, tags, stickers, leaves, tape, other things. Half of the masks are of what is still seen, half of the whole product. */
export async function occlusion(advert: Advert, style: Style, seed: string): Promise<Fault> {
  const draw = random("occlusion", style, seed);
  const { image, mask } = advert;
  const { width, height } = image;
  const box = boxOf(advert);
  const shorter = Math.min(width, height);
  const visible = draw.chance(0.5);
  const product = { width, height, channels: 1 as const, data: mask.data.map((value) => value * 255) };
  let best: { fault: Fault; share: number } | undefined;
  for (let attempt = 0; attempt < 24; attempt++) {
    const kind = draw.pick(
      style === "tune"
        ? ["hand", "hand", "tag", "sticker", "ball", "tape", "box", "vase", "twig"]
        : ["hand", "tag", "leaf", "card", "finger", "ribbon", "cup"],
    );
    const [px, py] = [box.left + draw.between(0.1, 0.9) * box.width, box.top + draw.between(0.1, 0.9) * box.height];
    const span = Math.sqrt(box.width * box.height);
    let made: Fault;
    if (kind === "hand" || kind === "tag") {
      const params =
        kind === "hand"
          ? ({
              by: "hand",
              tip: [px / width, py / height],
              degrees: draw.between(20, 160) + (draw.chance(0.25) ? 180 : 0),
              width: Math.min(0.5, (span * draw.between(0.1, 0.3)) / shorter),
              fingers: draw.integer(1, 4),
              skin: draw.pick(skins),
              mirrored: draw.chance(0.5),
              seed: draw.integer(0, 1e6),
            } as const)
          : ({
              by: "tag",
              centre: [px / width, py / height],
              degrees: draw.between(-50, 50),
              length: (span * draw.between(0.35, 0.8)) / shorter,
              card: draw.pick([
                [0.95, 0.93, 0.86],
                [0.75, 0.6, 0.42],
                [0.98, 0.98, 0.98],
                [0.85, 0.15, 0.15],
              ] as const),
              ink: [0.1, 0.1, 0.1],
              price: draw.integer(99, 99999),
              seed: draw.integer(0, 1e6),
            } as const);
      const { picture, mask: left } = occlusionWithMask(image, product, params);
      const cover = left.data.map((value, at) => product.data[at]! - value);
      made = {
        image: picture,
        mask: { width, height, data: mask.data.map((value, at) => (value === 1 && left.data[at]! < 128 ? 0 : value)) },
        cover,
        how: kind,
      };
    } else {
      const drawn = await laid(advert, occluder(draw, style, kind, px, py, span, width, height), kind);
      const data = mask.data.map((value, at) => (value === 1 && drawn.cover![at]! >= 128 ? 0 : value));
      made = { ...drawn, mask: { width, height, data } };
    }
    let [whole, hidden] = [0, 0];
    for (let at = 0; at < mask.data.length; at++) {
      whole += mask.data[at]!;
      hidden += mask.data[at]! - made.mask.data[at]!;
    }
    const share = hidden / Math.max(1, whole);
    const fault = { ...made, mask: visible ? made.mask : mask, how: `${made.how} ${(100 * share).toFixed(0)}% ${visible ? "visible" : "whole"}` };
    if (share >= 0.06 && share <= 0.6) return fault;
    if (!best || Math.abs(share - 0.2) < Math.abs(best.share - 0.2)) best = { fault, share };
  }
  return best!.fault;
}

function occluder(draw: Random, style: Style, kind: string, x: number, y: number, span: number, width: number, height: number): string {
  const r = span * draw.between(0.18, 0.36);
  const colour = draw.pick(["#c8102e", "#f4c20d", "#2e7d32", "#1565c0", "#f5f5f5", "#3b3b3b", "#d7a86e", "#8e24aa"]);
  const degrees = draw.between(-80, 80);
  const shade = `<defs><radialGradient id="s" cx="35%" cy="30%" r="80%"><stop offset="0" stop-color="#fff" stop-opacity="0.5"/><stop offset="0.5" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.45"/></radialGradient></defs>`;
  const font = draw.pick(fonts[style]);
  switch (kind) {
    case "sticker":
      return `<g transform="rotate(${degrees / 3} ${x} ${y})"><circle cx="${x}" cy="${y}" r="${r}" fill="${colour}"/><circle cx="${x}" cy="${y}" r="${r * 0.9}" fill="none" stroke="#fff" stroke-width="${r * 0.05}"/><text x="${x}" y="${y + r * 0.2}" text-anchor="middle" font-family="${font}" font-weight="bold" font-size="${r * 0.55}" fill="${colour === "#f5f5f5" ? "#222" : "#fff"}">${escaped(wordIn(draw, style).slice(0, 6))}</text></g>`;
    case "ball":
      return `${shade}<circle cx="${x}" cy="${y}" r="${r}" fill="${colour}"/><circle cx="${x}" cy="${y}" r="${r}" fill="url(#s)"/>`;
    case "box":
      return `<g transform="rotate(${degrees / 4} ${x} ${y})"><path d="M${x - r} ${y - r * 0.8} l${r * 0.4} ${-r * 0.4} h${r * 1.5} v${r * 1.8} l${-r * 0.4} ${r * 0.4} z" fill="#000"/><rect x="${x - r}" y="${y - r * 0.8}" width="${r * 1.5}" height="${r * 1.9}" fill="${colour}"/><path d="M${x - r} ${y - r * 0.8} l${r * 0.4} ${-r * 0.4} h${r * 1.5} l${-r * 0.4} ${r * 0.4} z" fill="${colour}" opacity="0.8"/><path d="M${x + r * 0.5} ${y - r * 0.8} l${r * 0.4} ${-r * 0.4} v${r * 1.9} l${-r * 0.4} ${r * 0.4} z" fill="${colour}" opacity="0.6"/></g>`;
    case "vase":
      return `${shade}<path id="v" d="M${x - r * 0.3} ${y - r * 1.5} h${r * 0.6} q0 ${r * 0.6} ${r * 0.4} ${r} q${r * 0.4} ${r} ${-r * 0.2} ${r * 2} h${-r} q${-r * 0.6} ${-r} ${-r * 0.2} ${-r * 2} q${r * 0.4} ${-r * 0.4} ${r * 0.4} ${-r} z" fill="${colour}"/><path d="M${x - r * 0.3} ${y - r * 1.5} h${r * 0.6} q0 ${r * 0.6} ${r * 0.4} ${r} q${r * 0.4} ${r} ${-r * 0.2} ${r * 2} h${-r} q${-r * 0.6} ${-r} ${-r * 0.2} ${-r * 2} q${r * 0.4} ${-r * 0.4} ${r * 0.4} ${-r} z" fill="url(#s)"/>`;
    case "twig": {
      let body = `<path d="M${x - r * 2.4} ${y + r * 1.2} Q${x} ${y} ${x + r * 1.4} ${y - r}" fill="none" stroke="#5b4023" stroke-width="${r * 0.14}"/>`;
      for (let leaf = 0; leaf < 7; leaf++) {
        const [lx, ly] = [x - r * 2.2 + leaf * r * 0.55, y + r * 1.1 - leaf * r * 0.33];
        body += `<ellipse cx="${lx}" cy="${ly}" rx="${r * 0.5}" ry="${r * 0.2}" transform="rotate(${(leaf % 2 ? 50 : -80) + degrees / 4} ${lx} ${ly}) translate(${r * 0.4} 0)" fill="${draw.pick(["#4d7c3a", "#7a9a4b", "#b5651d", "#c94f4f"])}"/>`;
      }
      return body;
    }
    case "tape":
      return `<rect x="${-width}" y="${y - r * 0.35}" width="${3 * width}" height="${r * 0.7}" fill="${colour}" transform="rotate(${degrees / 2} ${x} ${y})"/>`;
    case "leaf": {
      let body = shade;
      for (let leaf = 0; leaf < 4; leaf++) {
        const turn = degrees + leaf * 38;
        body += `<g transform="rotate(${turn} ${x} ${y})"><path d="M${x} ${y + r} q${r * 0.9} ${-r * 1.6} 0 ${-r * 3} q${-r * 0.9} ${r * 1.4} 0 ${r * 3} z" fill="${["#2f6b2f", "#3f8a3a", "#1f5a2b", "#5c9a45"][leaf]}"/><path d="M${x} ${y + r} v${-r * 2.8}" stroke="#cde3a8" stroke-width="${r * 0.05}"/></g>`;
      }
      return body;
    }
    case "card":
      return `<g transform="rotate(${degrees / 2} ${x} ${y})"><rect x="${x - r}" y="${y - r * 0.7}" width="${2 * r}" height="${1.4 * r}" rx="${r * 0.08}" fill="${draw.pick(["#fdfdf8", "#efe3cf", "#222", "#ffe0e6"])}"/>${[0, 1, 2].map((row) => `<rect x="${x - r * 0.8}" y="${y - r * 0.45 + row * r * 0.32}" width="${r * (1.5 - row * 0.3)}" height="${r * 0.09}" fill="#888"/>`).join("")}</g>`;
    case "finger": {
      const [red, green, blue] = draw.pick(skins).map((value) => Math.round(value * 255));
      let body = `<defs><linearGradient id="f"><stop offset="0" stop-color="rgb(${(red! * 0.7) | 0},${(green! * 0.65) | 0},${(blue! * 0.62) | 0})"/><stop offset="0.4" stop-color="rgb(${red},${green},${blue})"/><stop offset="1" stop-color="rgb(${(red! * 0.8) | 0},${(green! * 0.75) | 0},${(blue! * 0.72) | 0})"/></linearGradient></defs>`;
      const count = draw.integer(1, 4);
      for (let finger = 0; finger < count; finger++)
        body += `<rect x="${x + (finger - count / 2) * r * 0.62}" y="${y - r * 0.2 * finger}" width="${r * 0.56}" height="${height * 2}" rx="${r * 0.28}" fill="url(#f)"/>`;
      return `<g transform="rotate(${degrees} ${x} ${y})">${body}</g>`;
    }
    case "ribbon":
      return `<path d="M${-10} ${y + r * draw.between(-1, 1)} C${x * 0.5} ${y - r * 2} ${x} ${y + r * 2} ${width + 10} ${y + r * draw.between(-1, 1)}" fill="none" stroke="${colour}" stroke-width="${r * 0.55}"/>`;
    default:
      return `${shade}<g transform="rotate(${degrees / 8} ${x} ${y})"><path d="M${x - r} ${y - r} h${2 * r} l${-r * 0.3} ${r * 2.6} h${-r * 1.4} z" fill="${colour}"/><rect x="${x - r * 1.05}" y="${y - r * 1.15}" width="${2.1 * r}" height="${r * 0.25}" rx="4" fill="#eee"/><rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2.6 * r}" fill="url(#s)" opacity="0.5"/></g>`;
  }
}

function boxOf({ mask: { width, height, data } }: Advert): { left: number; top: number; width: number; height: number } {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (data[y * width + x]) [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The whole picture out of focus or shaken. */
function blur({ image, mask }: Advert, style: Style, seed: string): Fault {
  const draw = random("blur", style, seed);
  const shorter = Math.min(image.width, image.height);
  const kind = draw.pick(style === "tune" ? ["gaussian", "motion"] : ["defocus", "motion", "defocus", "gaussian"]);
  const amount = draw.between(0.007, 0.025) * shorter;
  const degrees = draw.between(0, 180);
  const blurred =
    kind === "gaussian"
      ? gaussianBlur(image, { sigma: amount })
      : kind === "defocus"
        ? defocusBlur(image, { radius: 1.6 * amount })
        : motionBlur(image, { length: 3.5 * amount, degrees });
  return { image: blurred, mask, how: `${kind} ${((amount / shorter) * 100).toFixed(1)}% ${kind === "motion" ? degrees.toFixed(0) : ""}` };
}

/** Too few pixels, or few pixels made many. */
async function lowResolution({ image, mask }: Advert, style: Style, seed: string): Promise<Fault> {
  const draw = random("low-resolution", style, seed);
  const shorter = Math.min(image.width, image.height);
  const target = draw.between(48, 110);
  const size = {
    width: Math.max(8, Math.round((image.width * target) / shorter)),
    height: Math.max(8, Math.round((image.height * target) / shorter)),
  };
  const small = resizeImage(image, size, { filter: draw.pick(["box", "bicubic", "bilinear"] as const) });
  if (draw.chance(0.4)) {
    const grey = resizeImage({ width: mask.width, height: mask.height, channels: 1, data: mask.data.map((value) => value * 255) }, size, {
      filter: "box",
    });
    return { image: small, mask: { ...size, data: grey.data.map((value) => (value >= 128 ? 1 : 0)) }, how: `small ${target.toFixed(0)}` };
  }
  const filter = draw.pick(style === "tune" ? (["bicubic", "nearest"] as const) : (["bilinear", "lanczos", "nearest", "bicubic"] as const));
  const large = resizeImage(small, image, { filter });
  return { image: large, mask, how: `upscaled ${target.toFixed(0)} ${filter}` };
}

/** Pictures that pass: a little noise, JPEG, tone, and a shallow depth of field around a sharp product. */
export async function harmless({ image, mask }: Advert, seed: string): Promise<Fault> {
  const draw = random("harmless", seed);
  const { width, height } = image;
  const kind = draw.pick(["nothing", "jpeg", "noise", "depth of field", "tone"]);
  if (kind === "jpeg") {
    const bytes = await sharp(image.data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: draw.integer(70, 95) })
      .toBuffer();
    return { image: { ...image, data: new Uint8Array(await sharp(bytes).raw().toBuffer()) }, mask, how: kind, bytes: new Uint8Array(bytes) };
  }
  if (kind === "depth of field") {
    const soft = gaussianBlur(image, { sigma: draw.between(0.008, 0.02) * width });
    const near = gaussianBlur({ width, height, channels: 1, data: mask.data.map((value) => value * 255) }, { sigma: 0.02 * width });
    const data = image.data.map((value, at) => {
      const keep = Math.min(1, (2 * near.data[Math.floor(at / 3)]!) / 255);
      const kept = mask.data[Math.floor(at / 3)] ? 1 : keep;
      return Math.round(value * kept + soft.data[at]! * (1 - kept));
    });
    return { image: { ...image, data }, mask, how: kind };
  }
  if (kind === "noise" || kind === "tone") {
    const deviation = kind === "noise" ? draw.between(1, 5) : 0;
    const [gain, lift] = kind === "tone" ? [draw.between(0.85, 1.15), draw.between(-12, 12)] : [1, 0];
    const data = image.data.map((value) => Math.min(255, Math.max(0, Math.round(value * gain + lift + deviation * draw.normal()))));
    return { image: { ...image, data }, mask, how: kind };
  }
  return { image, mask, how: kind };
}
