import { encodeImage, type Image } from "@refadgen/image";
import sharp from "sharp";

/** One picture of the sheet with what stands below it. */
export interface Panel {
  readonly image: Image;
  readonly title: string;
  readonly caption: string;
}

const panelHeight = 320;
const gap = 24;
const header = 92;
const footer = 76;

/** Panels under a title, side by side in rows of at most `columns`, as PNG. */
export async function contactSheet(title: string, subtitle: string, panels: readonly Panel[], columns = 5): Promise<Buffer> {
  const widths = panels.map(({ image }) => Math.round((image.width / image.height) * panelHeight));
  const rowStart = (index: number) => index - (index % columns);
  const lefts = widths.map((_, index) => gap + widths.slice(rowStart(index), index).reduce((sum, width) => sum + width + gap, 0));
  const tops = widths.map((_, index) => header + Math.floor(index / columns) * (panelHeight + footer));
  const width = Math.max(480, ...widths.map((own, index) => lefts[index]! + own + gap));
  const height = header + Math.max(1, Math.ceil(panels.length / columns)) * (panelHeight + footer);
  const texts = panels.map(({ title: name, caption }, index) => {
    const [left, bottom] = [lefts[index]!, tops[index]! + panelHeight];
    const lines = wrap(caption, Math.floor(widths[index]! / 6.4));
    const captions = lines.map((line, row) => `<text x="${left}" y="${bottom + 40 + row * 16}" class="c">${xml(line)}</text>`);
    return `<rect x="${left - 1}" y="${tops[index]! - 1}" width="${widths[index]! + 2}" height="${panelHeight + 2}" fill="none" stroke="#d5d2cb"/>
      <text x="${left}" y="${bottom + 22}" class="n">${xml(shortened(name, Math.floor(widths[index]! / 7.8)))}</text>${captions.join("")}`;
  });
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <style>text{font-family:'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}.t{font-size:24px;font-weight:600;fill:#1c1b19}.s{font-size:13px;fill:#6a675f}
      .n{font-size:14px;font-weight:600;fill:#1c1b19}.c{font-size:12px;fill:#55524b}</style>
    <rect width="100%" height="100%" fill="#faf9f6"/>
    <text x="${gap}" y="44" class="t">${xml(title)}</text><text x="${gap}" y="68" class="s">${xml(subtitle)}</text>${texts.join("")}</svg>`;
  const pictures = panels.map(async ({ image }, index) => ({
    input: await sharp(await encodeImage(image, { format: "png" }))
      .resize(widths[index]!, panelHeight, { kernel: image.height < panelHeight ? "nearest" : "lanczos3" })
      .toBuffer(),
    left: lefts[index]!,
    top: tops[index]!,
  }));
  return sharp(Buffer.from(drawing))
    .composite(await Promise.all(pictures))
    .png()
    .toBuffer();
}

function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= columns || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.slice(0, 3);
}

function shortened(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(1, columns - 1))}…`;
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
