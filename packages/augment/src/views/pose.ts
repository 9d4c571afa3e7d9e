import { ArgumentError } from "@refadgen/errors";
import type { Lift } from "../lift/lift.js";
import { type Camera, orbitView } from "../render/camera.js";
import type { ViewPose, ViewRanges } from "./similar-views.js";

/** Where views may lie unless asked otherwise: "similar" in the literature ends at 15 to 18 degrees. */
const defaultRanges: ViewRanges = { azimuth: 15, elevation: 8, roll: 2, distance: 0.05, focal: 0.05 };

const widest: ViewRanges = { azimuth: 45, elevation: 30, roll: 45, distance: 0.5, focal: 0.5 };

/** Degrees beyond which what a lift makes up begins to show. */
const supported: Readonly<Record<Lift["source"], { readonly azimuth: number; readonly elevation: number }>> = {
  depth: { azimuth: 20, elevation: 15 },
  round: { azimuth: 20, elevation: 12 },
  box: { azimuth: 18, elevation: 12 },
  flat: { azimuth: 30, elevation: 20 },
};

/** The same for a shape that is a guess. */
const guessed = { azimuth: 12, elevation: 6 };

/** @throws ArgumentError for a range outside what `ViewRanges` says. */
export function checkedRanges(ranges: Partial<ViewRanges>, { source, certain }: Pick<Lift, "source" | "certain">): ViewRanges {
  const all = { ...defaultRanges, ...ranges };
  for (const name of Object.keys(all) as (keyof ViewRanges)[]) {
    if (!Object.hasOwn(widest, name)) throw new ArgumentError(`similarViews: expected ranges of ${Object.keys(widest).join(", ")}, got ${name}`);
    const value = all[name];
    if (!(value >= 0 && value <= widest[name]))
      throw new ArgumentError(`similarViews: expected the range of ${name} to be 0 to ${widest[name]}, got ${String(value)}`);
  }
  const limits = certain ? supported[source] : guessed;
  return { ...all, azimuth: Math.min(all.azimuth, limits.azimuth), elevation: Math.min(all.elevation, limits.elevation) };
}

/** The camera of a pose: the photo's, moved round the product, which stays where it is in the frame. */
export function poseCamera({ camera, target }: Pick<Lift, "camera" | "target">, pose: ViewPose): Camera {
  const { view } = camera;
  const row = (i: number): readonly [number, number, number, number] => [view[i * 4]!, view[i * 4 + 1]!, view[i * 4 + 2]!, view[i * 4 + 3]!];
  const rows = [row(0), row(1), row(2)];
  const centre = rows.map(([a, b, c, d]) => a * target[0] + b * target[1] + c * target[2] + d);
  const turn = orbitView({ target: [0, 0, 0], distance: 1, azimuth: pose.azimuth, elevation: pose.elevation, roll: pose.roll });
  const moved = new Float64Array(16);
  moved[15] = 1;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 4; j++) {
      let sum = j === 3 ? centre[i]! * pose.distance : 0;
      for (let k = 0; k < 3; k++) sum += turn[i * 4 + k]! * (rows[k]![j as 0 | 1 | 2 | 3]! - (j === 3 ? centre[k]! : 0));
      moved[i * 4 + j] = sum;
    }
  }
  return { ...camera, fx: camera.fx * pose.focal, fy: camera.fy * pose.focal, view: moved };
}
