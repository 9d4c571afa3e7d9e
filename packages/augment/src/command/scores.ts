import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { scoreLift } from "../scores/scores.js";
import type { ViewScore } from "../scores/view-score.js";
import { parseArguments, type Subcommand } from "./subcommand.js";

const usage = `Usage: refadgen-augment scores DIR...

Lifts every object of a scene folder from its front view, with its true depth and without, and compares what other cameras see with the true views,
as a Markdown table: frame PSNR / SSIM inside the object / IoU of the masks, mean over the novel views; the photo's own view (PSNR inside the object);
and the best of the baselines that the folder's report.json records.

DIR holds cameras.json, report.json and OBJECT_VIEW_{rgb,mask,depth}.png, as conformance/augment/scene does.
`;

type Rows = Readonly<Record<string, ViewScore>>;

/** Those that a lift has to beat, by what it was given. */
const rivals = {
  depth: ["3x supersampled, true depth", "3x supersampled, true depth, mirrored back"],
  outline: ["dense, inflated silhouette, mirrored back"],
} as const;

export const scoresCommand: Subcommand = {
  name: "scores",
  summary: "how near lifted views come to true ones, as a table",
  usage,
  async run(args, { stdout, signal }) {
    const { positionals } = parseArguments("scores", args, {});
    if (positionals.length === 0) throw new ArgumentError("scores: expected DIR, got none");
    stdout.write("| object | lifted from | novel views | baseline | own view | unchanged photo |\n|---|---|---|---|---|---|\n");
    for (const folder of positionals) {
      const report: Record<string, { readonly "mean of the novel views": Rows }> = JSON.parse(await readFile(join(folder, "report.json"), "utf8"));
      for (const [object, { "mean of the novel views": baselines }] of Object.entries(report)) {
        for (const source of ["depth", "outline"] as const) {
          signal.throwIfAborted();
          const { views, mean } = await scoreLift(folder, object, source);
          const rows = rivals[source].map((label) => baselines[label]).filter((row) => row !== undefined);
          const best = (key: keyof ViewScore): number => Math.max(...rows.map((row) => row[key]));
          const rival = { psnr: best("psnr"), ssim_object: best("ssim_object"), mask_iou: best("mask_iou") };
          const own = views.find(({ view }) => view === "front")!.psnr_object;
          const still = baselines["front view unchanged"];
          const cells = [text(mean), rows.length > 0 ? text(rival) : "–", `${own.toFixed(1)} dB`, still ? text(still) : "–"];
          stdout.write(`| ${object} | ${source} | ${cells.join(" | ")} |\n`);
        }
      }
    }
  },
};

function text({ psnr, ssim_object, mask_iou }: Pick<ViewScore, "psnr" | "ssim_object" | "mask_iou">): string {
  return `${psnr.toFixed(1)} / ${ssim_object.toFixed(3)} / ${mask_iou.toFixed(3)}`;
}
