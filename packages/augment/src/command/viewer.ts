import { basename, extname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { replaceFile } from "../splats/write.js";
import { viewerHtml } from "../turntable/viewer.js";
import { loadScene } from "./scene-input.js";
import { colorOption, numberOption, parseArguments, type Subcommand } from "./subcommand.js";

const usage = `Usage: refadgen-augment viewer IN OUT.html [options]

Writes one HTML file in which splats can be turned and zoomed; it needs no network. IN: a file of splats, or a photo, which is lifted first.
Needs the package @playcanvas/supersplat-viewer.

  --mask FILE          the product in the photo, white (default: the photo's transparency)
  --title TEXT         of the page (default: the name of IN)
  --background COLOR   white, black or #rrggbb (default: white)
  --sweep DEGREES      how far the camera goes by itself: 360 round, less there and back, 0 not at all (default: 360; photo: 60)
  --exact              keep every number; without it a splat takes 16 bytes
`;

export const viewerCommand: Subcommand = {
  name: "viewer",
  summary: "an HTML file in which splats can be turned",
  usage,
  async run(args, { stdout }) {
    const parsed = parseArguments("viewer", args, {
      mask: { type: "string" },
      title: { type: "string" },
      background: { type: "string" },
      sweep: { type: "string" },
      exact: { type: "boolean" },
    });
    const [input, output, ...more] = parsed.positionals;
    if (input === undefined || output === undefined || more.length > 0) {
      throw new ArgumentError(`viewer: expected IN and OUT, got ${parsed.positionals.length} names`);
    }
    if (!/^\.html?$/i.test(extname(output))) throw new ArgumentError(`viewer: expected an output in .html, got ${output}`);
    const background = colorOption("viewer", parsed, "background");
    const { scene, lifted } = await loadScene("viewer", input, parsed.texts.get("mask"));
    // A lift is closed at the size of the photo; who zooms in should not see between its splats.
    const shown = lifted ? { ...scene, scales: scene.scales.map((scale) => scale * 1.35) } : scene;
    const html = await viewerHtml(shown, {
      title: parsed.texts.get("title") ?? basename(input),
      sweep: numberOption("viewer", parsed, "sweep") ?? (lifted ? 60 : 360),
      precision: parsed.flags.has("exact") ? "ply" : "compressed-ply",
      ...(background && { background }),
    });
    await replaceFile(output, html);
    stdout.write(`${output}: ${scene.count} splats, ${Buffer.byteLength(html)} bytes\n`);
  },
};
