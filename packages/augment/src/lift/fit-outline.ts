import type { Camera } from "../render/camera.js";
import { drawSplats } from "../render/render.js";
import type { SplatScene } from "../splats/scene.js";
import { facingSplats } from "./facing.js";
import type { Lift } from "./lift.js";
import { edgeCoverage, isInner, outlineCurve, outlineShare, viewLowPass } from "./outline-curve.js";
import type { Silhouette } from "./silhouette.js";

/** Rounds of drawing and moving. */
const rounds = 1;
/** Pixels from the outline within which splats are drawn for this; those within `judged` come out as in the whole. */
const drawnBand = 6;
const judged = 3;
/** Part of what is missing that a round makes up for. */
const gain = 0.8;
/** Most that a splat is moved in one round, pixels. */
const mostMove = 0.4;

/**
 * Puts the outline where the photo has it. Seen from the photo's own camera the splats of the outline should cover what its mask says; what they cover
 * too little or too much moves them outwards or inwards by parts of a pixel.
 *
 * @param lifted changed in place.
 * @param sources the pixel of the silhouette that each splat stands for.
 * @returns the curve by which views read coverage; see `outlineCurve`.
 */
export function fitOutline(
  lifted: Pick<Lift, "scene" | "frontCount" | "camera" | "source">,
  sources: Int32Array,
  silhouette: Silhouette,
): Float32Array {
  const { scene, camera } = lifted;
  const { left, top, width, height, inside, distance, coverage } = silhouette;
  const cut: Camera = { ...camera, width, height, cx: camera.cx - left, cy: camera.cy - top };
  const band = sources
    .subarray(0, scene.count)
    .map((source, i) => (distance[source]! < drawnBand ? i : -1))
    .filter((i) => i >= 0);
  const moves = new Float32Array(inside.length * 2);
  let curve: Float32Array = new Float32Array();
  for (let round = 0; ; round++) {
    const { alpha } = drawSplats(scene, cut, { lowPass: viewLowPass }, facingSplats(lifted, cut, band));
    const drawn = new Float32Array(alpha.length);
    for (let i = 0; i < drawn.length; i++) {
      const inner = distance[i]! >= judged || (inside[i] === 1 && isInner(alpha, i, width));
      drawn[i] = inner ? Number.NaN : edgeCoverage(alpha, i, width);
    }
    curve = outlineCurve(drawn, coverage);
    if (round === rounds) return curve;
    const missing = drawn.map((value, i) => (Number.isNaN(value) ? 0 : coverage[i]! - outlineShare(curve, value)));
    outlineMoves(moves, missing, silhouette);
    for (const i of band) moveSplat(scene, i, moves[sources[i]! * 2]!, moves[sources[i]! * 2 + 1]!, camera);
  }
}

/** [H, W, 2] by how many pixels the splats of each pixel move: what is missing about the outline, spread over its length. */
function outlineMoves(moves: Float32Array, missing: Float32Array, { width, inside, distance }: Silhouette): void {
  const outwards = new Float32Array(missing.length);
  const each = (act: (i: number) => void): void => {
    for (let i = width; i < missing.length - width; i++) if (inside[i] && distance[i]! < judged) act(i);
  };
  moves.fill(0);
  each((i) => {
    if (distance[i]! >= 1) return;
    let sum = 0;
    for (let v = -width; v <= width; v += width) for (let u = -1; u <= 1; u++) sum += missing[i + u + v]!;
    const nx = distance[i - 1]! - distance[i + 1]!;
    const ny = distance[i - width]! - distance[i + width]!;
    const length = Math.sqrt(nx * nx + ny * ny);
    if (length < 1e-6) return;
    const move = gain * (sum / 3) * (Math.max(Math.abs(nx), Math.abs(ny)) / length);
    outwards[i] = Math.min(Math.max(move, -mostMove), mostMove);
  });
  each((i) => {
    // The outline's own, averaged along it; less further in, so that no gap opens.
    let [sum, count] = [0, 0];
    for (let v = -2; v <= 2; v++) {
      for (let u = -2; u <= 2; u++) {
        const j = i + v * width + u;
        if (!inside[j] || distance[j]! >= 1) continue;
        const weight = 1 / (1 + u * u + v * v);
        sum += weight * outwards[j]!;
        count += weight;
      }
    }
    if (count === 0) return;
    const nx = distance[i - 1]! - distance[i + 1]!;
    const ny = distance[i - width]! - distance[i + width]!;
    const length = Math.sqrt(nx * nx + ny * ny);
    if (length < 1e-6) return;
    const move = (sum / count) * Math.min(1, (judged - distance[i]!) / (judged - 1));
    moves[i * 2] = (move * nx) / length;
    moves[i * 2 + 1] = (move * ny) / length;
  });
}

/** Moves a splat across the view of a camera, by pixels. */
function moveSplat({ means }: SplatScene, i: number, dx: number, dy: number, { view, fx, fy }: Camera): void {
  if (dx === 0 && dy === 0) return;
  const [x, y, z] = [means[i * 3]!, means[i * 3 + 1]!, means[i * 3 + 2]!];
  const depth = view[8]! * x + view[9]! * y + view[10]! * z + view[11]!;
  const [right, down] = [(dx * depth) / fx, (dy * depth) / fy];
  for (let c = 0; c < 3; c++) means[i * 3 + c]! += view[c]! * right + view[4 + c]! * down;
}
