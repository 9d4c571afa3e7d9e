import { extname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { encodeImage, type Image } from "@refadgen/image";
import { createRenderPool } from "../render/pool.js";
import { replaceFile } from "../splats/write.js";
import { encodeAnimation } from "../turntable/animation.js";
import { pictureStrip, turntable } from "../turntable/turntable.js";
import { loadScene } from "./scene-input.js";
import { colorOption, numberOption, parseArguments, type Subcommand } from "./subcommand.js";

const usage = `Usage: refadgen-augment turntable IN OUT [options]

Shows splats from all around. IN: a file of splats, or a photo, which is lifted first. OUT: an animation (.gif, .webp) or a strip (.png, .jpg).

  --mask FILE          the product in the photo, white (default: the photo's transparency)
  --frames N           pictures of the round (default: 24; strip: 8)
  --size WxH           pixels of each (default: 384x384)
  --sweep DEGREES      how far the camera goes: 360 goes round, less goes there and back (default: 360; photo: 60)
  --elevation DEGREES  from how high it looks down (default: 10; photo: 4)
  --background COLOR   white, black or #rrggbb (default: white)
  --columns N          pictures in a row of a strip (default: 4)
  --milliseconds N     of each picture of an animation (default: 80)
  --low-pass N         variance of the smoothing in px² (default: 0.3)
  --workers N          threads (default: all processors)
`;

export const turntableCommand: Subcommand = {
  name: "turntable",
  summary: "show splats from all around: animation or strip",
  usage,
  async run(args, { stdout, stderr, signal }) {
    const names = ["mask", "frames", "size", "sweep", "elevation", "background", "columns", "milliseconds", "low-pass", "workers"];
    const parsed = parseArguments("turntable", args, Object.fromEntries(names.map((name) => [name, { type: "string" as const }])));
    const [input, output, ...more] = parsed.positionals;
    if (input === undefined || output === undefined || more.length > 0) {
      throw new ArgumentError(`turntable: expected IN and OUT, got ${parsed.positionals.length} names`);
    }
    const kind = extname(output).toLowerCase();
    if (![".gif", ".webp", ".png", ".jpg", ".jpeg"].includes(kind)) {
      throw new ArgumentError(`turntable: expected an output in .gif, .webp, .png or .jpg, got ${output}`);
    }
    const animated = kind === ".gif" || kind === ".webp";
    const number = (name: string): number | undefined => numberOption("turntable", parsed, name);
    const background = colorOption("turntable", parsed, "background");
    const size = sizeOption(parsed.texts.get("size"));
    const { scene, lifted } = await loadScene("turntable", input, parsed.texts.get("mask"));
    const workers = number("workers");
    const lowPass = number("low-pass");
    const pool = createRenderPool(workers === undefined ? {} : { workers });
    const images: Image[] = [];
    try {
      const pictures = turntable(scene, {
        frames: number("frames") ?? (animated ? 24 : 8),
        sweep: number("sweep") ?? (lifted ? 60 : 360),
        elevation: number("elevation") ?? (lifted ? 4 : 10),
        ...size,
        ...(background && { background }),
        ...(lowPass !== undefined && { lowPass }),
        pool,
        signal,
        onProgress: (done, of) => stderr.write(`${done}/${of}\n`),
      });
      for await (const image of pictures) images.push(image);
    } finally {
      await pool.dispose();
    }
    const milliseconds = number("milliseconds");
    if (kind === ".gif" || kind === ".webp") {
      const format = kind === ".gif" ? "gif" : "webp";
      await replaceFile(output, await encodeAnimation(images, { format, ...(milliseconds !== undefined && { frameMilliseconds: milliseconds }) }));
    } else {
      const strip = pictureStrip(images, { columns: number("columns") ?? 4 });
      await replaceFile(output, await encodeImage(strip, { format: kind === ".png" ? "png" : "jpeg" }));
    }
    stdout.write(`${output}: ${images.length} pictures of ${scene.count} splats\n`);
  },
};

function sizeOption(text: string | undefined): { readonly width?: number; readonly height?: number } {
  if (text === undefined) return {};
  const match = /^(\d+)x(\d+)$/.exec(text);
  if (!match) throw new ArgumentError(`turntable: expected WIDTHxHEIGHT after --size, got ${JSON.stringify(text)}`);
  return { width: Number(match[1]), height: Number(match[2]) };
}
