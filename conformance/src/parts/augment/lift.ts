import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LiftScores, scoreLift, type ViewScore } from "@refadgen/augment";
import type { CaseResult } from "../../case.js";
import { failed, messageOf } from "./recording.js";

type Rows = Readonly<Record<string, ViewScore>>;

const measures = ["psnr", "ssim_object", "mask_iou"] as const;
/** Least object PSNR at up to 10 degrees of azimuth, with depth, by object. */
const nearby: Readonly<Record<string, number>> = { box: 28, bottle: 26, sphere: 27 };
const identity = 35;

/**
 * Every object of a scene folder, lifted from its front view with and without depth and scored against its true novel views: the means over the views
 * must reach the recorded baselines. The error of a case is the worst of what is asked divided by what came out.
 */
export async function* lifts(folder: string): AsyncGenerator<CaseResult> {
  const report: Record<string, { readonly "mean of the novel views": Rows }> = JSON.parse(await readFile(join(folder, "report.json"), "utf8"));
  for (const [object, { "mean of the novel views": baselines }] of Object.entries(report)) {
    for (const source of ["depth", "outline"] as const) {
      const name = `scene/${object}/${source}`;
      try {
        yield judge(name, await scoreLift(folder, object, source), baselines);
      } catch (error) {
        yield failed(name, messageOf(error));
      }
    }
  }
}

function judge(name: string, { object, source, views, mean }: LiftScores, baselines: Rows): CaseResult {
  const front = views.find(({ view }) => view === "front")!;
  const row = (label: string): ViewScore => {
    const scores = baselines[label];
    if (!scores) throw new Error(`expected a baseline ${label}`);
    return scores;
  };
  const asked: [string, number, number][] = [];
  if (source === "depth") {
    const [open, closed] = [row("3x supersampled, true depth"), row("3x supersampled, true depth, mirrored back")];
    for (const key of measures) asked.push([key, mean[key], Math.max(open[key], closed[key])]);
    for (const { view, azimuth, elevation, psnr_object } of views) {
      if (view === "front" || Math.abs(azimuth) > 10 || elevation !== front.elevation) continue;
      asked.push([view, psnr_object, nearby[object] ?? 26]);
    }
    asked.push(["front", front.psnr_object, identity]);
  } else {
    asked.push(["ssim_object over unchanged", mean.ssim_object, row("front view unchanged").ssim_object]);
    if (object !== "box") {
      const inflated = row("dense, inflated silhouette, mirrored back");
      for (const key of measures) asked.push([key, mean[key], inflated[key]]);
    }
  }
  const error = Math.max(...asked.map(([, got, wanted]) => wanted / got));
  const detail = asked.map(([what, got, wanted]) => `${what} ${got.toFixed(3)} of ${wanted.toFixed(3)}`).join(", ");
  return { name, error, detail, passed: error <= 1 };
}
