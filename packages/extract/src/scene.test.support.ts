// Product photographs whose true masks are known: drawn as SVG, once in colour and once as a silhouette.
import { type Image, toGrey } from "@refadgen/image";
import sharp from "sharp";
import { type Mask, thresholdMask } from "./mask/mask.js";

export interface Scene {
  readonly image: Image;
  readonly mask: Mask;
}

export interface SceneOptions {
  readonly width: number;
  readonly height: number;
  /** SVG behind the product. */
  readonly background: string;
  /** SVG of the product; `paint(color)` gives the colour, or white for the silhouette, so that both have one outline. */
  readonly product: (paint: (color: string) => string) => string;
  /** SVG that only the picture has, over the product. */
  readonly print?: string;
  /** Adds noise of this standard deviation, in levels. */
  readonly noise?: number;
}

export async function scene({ width, height, background, product, print = "", noise = 0 }: SceneOptions): Promise<Scene> {
  const image = await drawn(width, height, `${background}${product((color) => color)}${print}`);
  const silhouette = await drawn(width, height, `<rect width="100%" height="100%" fill="black"/>${product(() => "white")}`);
  return { image: noise > 0 ? noisy(image, noise) : image, mask: thresholdMask({ width, height }, toGrey(silhouette).data) };
}

async function drawn(width: number, height: number, body: string): Promise<Image> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;
  const data = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  return { width, height, channels: 3, data: new Uint8Array(data) };
}

/** Sums of twelve uniform numbers, as good as normal ones, from a small congruential generator. */
function noisy(image: Image, deviation: number): Image {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6);
  return { ...image, data: image.data.map((level) => Math.min(255, Math.max(0, Math.round(level + deviation * normal())))) };
}

const plain = (color: string) => `<rect width="100%" height="100%" fill="${color}"/>`;
const shadow = (cx: number, cy: number, rx: number, ry: number) =>
  `<defs><filter id="soft" x="-50%" y="-200%" width="200%" height="500%"><feGaussianBlur stdDeviation="12"/></filter></defs>
   <ellipse cx="${cx}" cy="${cy}" rx="${rx}" ry="${ry}" fill="black" opacity="0.35" filter="url(#soft)"/>`;

const bottle = (paint: (color: string) => string) =>
  `<path d="M120 60 h40 v50 q30 20 30 60 v180 q0 20 -20 20 h-60 q-20 0 -20 -20 v-180 q0 -40 30 -60 z" fill="${paint("#2a6f4e")}"/>`;
const cup = (paint: (color: string) => string) =>
  `<rect x="80" y="120" width="140" height="160" rx="14" fill="${paint("#b03a2e")}"/>
   <path d="M220 150 a50 50 0 0 1 0 100" fill="none" stroke="${paint("#b03a2e")}" stroke-width="22"/>`;

/** By name: what a shop's pictures are like, each with its own difficulty. */
export const scenes: Readonly<Record<string, SceneOptions>> = {
  "bottle on white": { width: 281, height: 420, background: plain("#ffffff"), product: bottle },
  "bottle on white with a label of white": {
    width: 281,
    height: 420,
    background: plain("#ffffff"),
    product: bottle,
    print: `<rect x="95" y="200" width="90" height="80" fill="#f4f4f0"/>`,
  },
  "cup with a handle on grey, noisy": { width: 320, height: 360, background: plain("#c8ccd0"), product: cup, noise: 4 },
  "bottle with a shadow on a studio sweep": {
    width: 281,
    height: 420,
    background: `<defs><linearGradient id="sweep" x2="0" y2="1"><stop offset="0" stop-color="#f8f8f8"/><stop offset="0.6" stop-color="#e2e4e8"/><stop offset="1" stop-color="#d4d6da"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#sweep)"/>${shadow(140, 366, 90, 14)}`,
    product: bottle,
    noise: 1.5,
  },
  "tall product that stands on the lower edge": {
    width: 200,
    height: 301,
    background: plain("#fafafa"),
    product: (paint) => `<rect x="60" y="40" width="81" height="270" fill="${paint("#333b8f")}"/>`,
  },
  "two shoes": {
    width: 401,
    height: 240,
    background: plain("#f2efe8"),
    product: (paint) =>
      `<path d="M40 160 q20 -70 60 -60 l60 40 q30 10 20 40 h-140 z" fill="${paint("#7a4a21")}"/><path d="M230 160 q20 -70 60 -60 l60 40 q30 10 20 40 h-140 z" fill="${paint("#7a4a21")}"/>`,
    noise: 2,
  },
  "pale product on white": {
    width: 300,
    height: 300,
    background: plain("#ffffff"),
    product: (paint) => `<circle cx="150" cy="150" r="90" fill="${paint("#d9dde0")}"/>`,
  },
  "thin umbrella": {
    width: 340,
    height: 300,
    background: plain("#eef3f7"),
    product: (paint) =>
      `<path d="M30 140 a140 120 0 0 1 280 0 z" fill="${paint("#c2185b")}"/><path d="M170 140 v110 a18 18 0 0 0 36 0" fill="none" stroke="${paint("#4e342e")}" stroke-width="6"/>`,
    noise: 2,
  },
};
