import { type Image, type ImageInput, loadImage } from "@refadgen/image";
import sharp from "sharp";

/** A row of pictures with captions. */
export interface SheetRow {
  readonly title: string;
  readonly cells: readonly { readonly picture: ImageInput; readonly caption: string }[];
}

const gap = 10;
const captionHeight = 18;
const titleHeight = 24;

/**
 * Rows of pictures, each under a title, as PNG.
 *
 * @param options.cell height of a picture, px; default 160
 * @param options.background of the sheet; default a light grey, on which white photos show their edges
 */
export async function contactSheet(
  rows: readonly SheetRow[],
  { cell = 160, background = "#e9e7e2" }: { readonly cell?: number; readonly background?: string } = {},
): Promise<Uint8Array> {
  const texts: string[] = [];
  const tiles: { input: Buffer; left: number; top: number }[] = [];
  let [width, top] = [gap, gap];
  for (const { title, cells } of rows) {
    texts.push(`<text x="${gap}" y="${top + 16}" class="t">${escaped(title)}</text>`);
    top += titleHeight;
    let left = gap;
    for (const { picture, caption } of cells) {
      const tile = await thumbnail(await loadImage(picture), cell);
      tiles.push({ input: tile.png, left, top });
      texts.push(`<text x="${left}" y="${top + cell + 13}" class="c">${escaped(caption)}</text>`);
      left += Math.max(tile.width, Math.min(caption.length * 7, 160)) + gap;
    }
    width = Math.max(width, left, gap + title.length * 8);
    top += cell + captionHeight + gap;
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}"><style>text{font-family:Arial,'DejaVu Sans',sans-serif;fill:#222}
    .t{font-size:14px;font-weight:bold}.c{font-size:11px}</style><rect width="100%" height="100%" fill="${background}"/>${texts.join("")}</svg>`;
  return new Uint8Array(await sharp(Buffer.from(svg)).composite(tiles).png().toBuffer());
}

async function thumbnail({ width, height, channels, data }: Image, cell: number): Promise<{ readonly png: Buffer; readonly width: number }> {
  const scaled = Math.min(Math.max(1, Math.round((width / height) * cell)), 4 * cell);
  const png = await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
    .resize(scaled, cell, { fit: "fill", kernel: "lanczos3" })
    .png()
    .toBuffer();
  return { png, width: scaled };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
