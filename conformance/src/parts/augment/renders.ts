import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type Camera,
  depthOrder,
  listTiles,
  projectSplats,
  type RenderOptions,
  record,
  recordLength,
  render,
  renderGradient,
  renderSettings,
  type ShDegree,
  type SplatScene,
  tileSize,
} from "@refadgen/augment";
import type { CaseResult } from "../../case.js";
import {
  type Comparison,
  compareNumbers,
  comparePixels,
  failed,
  float32Of,
  messageOf,
  type Recording,
  readRecording,
  resultOf,
  tensorOf,
} from "./recording.js";

interface Settings {
  readonly eps2d: number;
  readonly near: number;
  readonly far: number;
  readonly max_alpha: number;
  readonly min_compensation: number;
  readonly antialiased?: boolean;
}

interface FileSettings {
  readonly width: number;
  readonly height: number;
  readonly background: readonly [number, number, number];
  /** Renders. */
  readonly modes?: Readonly<Record<string, Settings>>;
  /** Gradients. */
  readonly loss?: Readonly<Record<string, number>>;
  readonly settings?: Settings;
}

const images = ["rgb", "alpha", "expected_depth"];
const perSplat = ["means2d", "conics", "depths", "radii", "compensations", "colors"];

/** gsplat's projection, tiles, pictures and gradients: every `.safetensors` of the folder `splat`. */
export async function* renders(folder: string): AsyncIterable<CaseResult> {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort()) {
    const stem = basename(file, ".safetensors");
    try {
      const recording = await readRecording(join(folder, file));
      const settings = recording.settings as unknown as FileSettings;
      const compared = new Set([...recording.tensors.keys()].filter((name) => /^(splats|camera|weights)\//.test(name)));
      if (settings.loss) yield* gradients(stem, recording, settings, compared);
      else yield* pictures(stem, recording, settings, compared);
      for (const name of recording.tensors.keys())
        if (!compared.has(name)) yield failed(`splat/${stem}/${name}`, "recorded values that no case explains");
    } catch (error) {
      yield failed(`splat/${stem}`, messageOf(error));
    }
  }
}

function sceneOf(recording: Recording): SplatScene {
  const { shape } = tensorOf(recording, "splats/sh");
  return {
    count: shape[0]!,
    shDegree: (Math.sqrt(shape[1]!) - 1) as ShDegree,
    means: float32Of(recording, "splats/means"),
    scales: float32Of(recording, "splats/scales"),
    quaternions: float32Of(recording, "splats/quats"),
    opacities: float32Of(recording, "splats/opacities"),
    sh: float32Of(recording, "splats/sh"),
  };
}

function cameraOf(recording: Recording, prefix: string, { width, height }: FileSettings, { near, far }: Settings): Camera {
  const k = float32Of(recording, `${prefix}K`);
  return { width, height, fx: k[0]!, fy: k[4]!, cx: k[2]!, cy: k[5]!, view: float32Of(recording, `${prefix}view`), near, far };
}

function optionsOf({ eps2d, max_alpha, min_compensation }: Settings, antialiased: boolean, background: RenderOptions["background"]): RenderOptions {
  return {
    mode: antialiased ? "antialiased" : "classic",
    lowPass: eps2d,
    alphaCap: max_alpha,
    compensationFloor: min_compensation,
    ...(background && { background }),
  };
}

async function* pictures(stem: string, recording: Recording, settings: FileSettings, compared: Set<string>): AsyncIterable<CaseResult> {
  const cameras = new Set([...recording.tensors.keys()].filter((name) => name.startsWith("camera/")).map((name) => name.split("/")[1]!));
  const scene = sceneOf(recording);
  const modes = Object.entries(settings.modes ?? {});
  for (const camera of cameras) {
    for (const [mode, parameters] of modes) {
      const name = `splat/${stem}/${mode}/${camera}`;
      try {
        const view = render(scene, cameraOf(recording, `camera/${camera}/`, settings, parameters), {
          ...optionsOf(parameters, parameters.antialiased ?? false, settings.background),
          depth: true,
        });
        const alpha = float32Of(recording, `${mode}/${camera}/alpha`);
        const bounds = { most: 2e-5, rest: 5e-3 };
        yield resultOf(name, [
          comparePixels("rgb", view.rgb, float32Of(recording, `${mode}/${camera}/rgb`), 3, bounds),
          comparePixels("alpha", view.alpha, alpha, 1, bounds),
          compareNumbers("depth", view.depth!, float32Of(recording, `${mode}/${camera}/expected_depth`), {
            rtol: 1e-4,
            where: (i) => alpha[i]! > 0.01,
          }),
        ]);
      } catch (error) {
        yield failed(name, messageOf(error));
      }
      for (const image of images) compared.add(`${mode}/${camera}/${image}`);
    }
    yield* projections(stem, recording, settings, camera, scene, compared);
  }
}

/** Per-splat quantities do not depend on the mode but for the floor of the compensation, which is recorded for the last mode. */
async function* projections(
  stem: string,
  recording: Recording,
  settings: FileSettings,
  camera: string,
  scene: SplatScene,
  compared: Set<string>,
): AsyncIterable<CaseResult> {
  const recorded = (name: string): boolean => recording.tensors.has(`splat2d/${camera}/${name}`);
  if (perSplat.some(recorded)) {
    const name = `splat/${stem}/splat2d/${camera}`;
    try {
      yield resultOf(name, compareProjection(recording, settings, camera, scene));
    } catch (error) {
      yield failed(name, messageOf(error));
    }
    for (const quantity of perSplat) compared.add(`splat2d/${camera}/${quantity}`);
  }
  if (recording.tensors.has(`tiles/${camera}/splats`)) {
    const name = `splat/${stem}/tiles/${camera}`;
    try {
      yield resultOf(name, compareTiles(recording, settings, camera, scene));
    } catch (error) {
      yield failed(name, messageOf(error));
    }
    for (const quantity of ["count", "splats", "offsets"]) compared.add(`tiles/${camera}/${quantity}`);
  }
}

/** All splats in frame, also those too faint to be drawn: opacity plays no part in what is recorded. */
function projectAll(recording: Recording, settings: FileSettings, camera: string, scene: SplatScene) {
  const parameters = Object.values(settings.modes ?? {}).at(-1)!;
  const drawn = renderSettings(optionsOf(parameters, false, settings.background));
  const opaque = { ...scene, opacities: new Float32Array(scene.count).fill(1) };
  return { projected: projectSplats(opaque, cameraOf(recording, `camera/${camera}/`, settings, parameters), drawn), lowPass: parameters.eps2d };
}

function compareProjection(recording: Recording, settings: FileSettings, camera: string, scene: SplatScene): readonly Comparison[] {
  const { projected } = projectAll(recording, settings, camera, scene);
  const { records, index, count } = projected;
  const radii = tensorOf(recording, `splat2d/${camera}/radii`).data;
  const columns: readonly [string, readonly number[]][] = [
    ["means2d", [record.meanX, record.meanY]],
    ["conics", [record.conicA, record.conicB, record.conicC]],
    ["depths", [record.depth]],
    ["compensations", [record.compensation]],
    ["colors", [record.red, record.green, record.blue]],
  ];
  const comparisons = columns.map(([quantity, from]) => {
    const expected = float32Of(recording, `splat2d/${camera}/${quantity}`);
    const visible = Float32Array.from(
      { length: count * from.length },
      (_, i) => expected[index[Math.floor(i / from.length)]! * from.length + (i % from.length)]!,
    );
    const answer = visible.map((_, i) => records[Math.floor(i / from.length) * recordLength + from[i % from.length]!]!);
    return compareNumbers(quantity, answer, visible, { atol: 1e-4, rtol: 1e-4 });
  });
  const own = new Int32Array(scene.count * 2);
  for (let m = 0; m < count; m++) own.set(radiiOf(records, m), index[m]! * 2);
  return [...comparisons, compareNumbers("radii", own, radii, { atol: 1 })];
}

/** 3.33 standard deviations, rounded up, from the inverse of the conic. */
function radiiOf(records: Float32Array, m: number): readonly [number, number] {
  const [a, b, c] = [record.conicA, record.conicB, record.conicC].map((k) => records[m * recordLength + k]!) as [number, number, number];
  const determinant = a * c - b * b;
  return [Math.ceil(3.33 * Math.sqrt(c / determinant)), Math.ceil(3.33 * Math.sqrt(a / determinant))];
}

/** The lists by the boxes of gsplat, which are wider than the renderer's own. */
function compareTiles(recording: Recording, settings: FileSettings, camera: string, scene: SplatScene): readonly Comparison[] {
  const { projected } = projectAll(recording, settings, camera, scene);
  const { width, height } = settings;
  const radii = tensorOf(recording, `splat2d/${camera}/radii`).data;
  const records = new Float32Array(projected.records);
  const ranges = new Int16Array(projected.ranges);
  const range = { left: 0, right: Math.ceil(width / tileSize), top: 0, bottom: Math.ceil(height / tileSize) };
  for (let m = 0; m < projected.count; m++) {
    const i = projected.index[m]!;
    const [rx, ry] = [radii[i * 2]!, radii[i * 2 + 1]!];
    if (rx === 0) continue;
    const at = m * recordLength;
    const [x, y] = [records[at + record.meanX]!, records[at + record.meanY]!];
    ranges[m * 4] = Math.max(Math.floor(x - rx), 0);
    ranges[m * 4 + 1] = Math.min(Math.ceil(x + rx) - 1, range.right * tileSize - 1);
    ranges[m * 4 + 2] = Math.max(Math.floor(y - ry), 0);
    ranges[m * 4 + 3] = Math.min(Math.ceil(y + ry) - 1, range.bottom * tileSize - 1);
    // So wide in every row that the test for slanted ellipses leaves the box as it is.
    records.set([0, 1e12, 0], at + record.slope);
  }
  const boxed = { ...projected, records, ranges };
  const lists = listTiles(boxed, depthOrder(boxed), range);
  const perSplatCount = new Int32Array(scene.count);
  for (const m of lists.splats) perSplatCount[projected.index[m]!]!++;
  const splats = Array.from(lists.splats, (m) => projected.index[m]!);
  const exact = { atol: 0.5 };
  return [
    compareNumbers("count", perSplatCount, tensorOf(recording, `tiles/${camera}/count`).data, exact),
    compareNumbers("offsets", lists.offsets.subarray(0, -1), tensorOf(recording, `tiles/${camera}/offsets`).data, exact),
    compareNumbers("splats", splats, tensorOf(recording, `tiles/${camera}/splats`).data, exact),
  ];
}

async function* gradients(stem: string, recording: Recording, settings: FileSettings, compared: Set<string>): AsyncIterable<CaseResult> {
  const scene = sceneOf(recording);
  const parameters = settings.settings!;
  const camera = cameraOf(recording, "camera/", settings, parameters);
  const weights = {
    rgb: float32Of(recording, "weights/rgb"),
    alpha: float32Of(recording, "weights/alpha"),
    depth: float32Of(recording, "weights/accumulated_depth"),
  };
  for (const [mode, loss] of Object.entries(settings.loss!)) {
    const name = `splat/${stem}/${mode}`;
    try {
      const options = optionsOf(parameters, mode.startsWith("antialiased"), settings.background);
      const gradient = renderGradient(scene, camera, weights, options);
      const byName = { means: gradient.means, scales: gradient.scales, quats: gradient.quaternions, opacities: gradient.opacities, sh: gradient.sh };
      const comparisons = Object.entries(byName).map(([input, answer]) => {
        compared.add(`${mode}/${input}`);
        const expected = float32Of(recording, `${mode}/${input}`);
        return compareNumbers(input, answer, expected, { atol: 2e-5 * expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) });
      });
      const view = render(scene, camera, { ...options, depth: true });
      let own = 0;
      for (const [i, weight] of weights.rgb.entries()) own += weight * view.rgb[i]!;
      for (const [i, weight] of weights.alpha.entries()) own += weight * view.alpha[i]! + weights.depth[i]! * view.depth![i]! * view.alpha[i]!;
      // The sum of float32 pictures: what every pixel may differ by, added up as independent errors are.
      const scale = Math.sqrt(weights.rgb.reduce((sum, weight) => sum + weight * weight, 0));
      yield resultOf(name, [...comparisons, compareNumbers("loss", [own], [loss], { atol: 2e-5 * scale * 10 })]);
    } catch (error) {
      yield failed(name, messageOf(error));
    }
  }
}
