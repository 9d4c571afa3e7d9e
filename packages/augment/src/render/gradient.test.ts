import { describe, expect, it } from "vitest";
import { randomScene, recorded, recordedScene, testNumbers } from "../splats/recorded.test.fixture.js";
import type { SplatScene } from "../splats/scene.js";
import { type Camera, centredIntrinsics, orbitView } from "./camera.js";
import { type ImageGradient, renderGradient, type SceneGradient } from "./gradient.js";
import type { RenderOptions } from "./options.js";
import { render } from "./render.js";

const fields = ["means", "scales", "quaternions", "opacities", "sh"] as const;

describe("renderGradient", () => {
  it.each(["classic", "antialiased"] as const)("%s: gives the derivatives of float64 autograd through gsplat's reference", (mode) => {
    const from = recorded("gradients_120_sh3");
    const k = from.of("camera/K");
    const { width, height, background } = from.settings as { width: number; height: number; background: [number, number, number] };
    const camera: Camera = { width, height, fx: k[0]!, fy: k[4]!, cx: k[2]!, cy: k[5]!, view: from.of("camera/view") };
    const image = { rgb: from.of("weights/rgb"), alpha: from.of("weights/alpha"), depth: from.of("weights/accumulated_depth") };
    const gradient = renderGradient(recordedScene(from), camera, image, { mode, background });
    for (const field of fields) {
      const expected = from.of(`${mode}/${field === "quaternions" ? "quats" : field}`);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - gradient[field][i]!)), 0);
      expect(worst / largest, field).toBeLessThan(2e-5);
    }
  });

  const camera: Camera = {
    ...centredIntrinsics({ width: 21, height: 34 }),
    view: orbitView({ target: [0, 0, 0], distance: 4, azimuth: 25, elevation: -15 }),
  };
  const next = testNumbers(31);
  const weights = (length: number): Float64Array => Float64Array.from({ length }, () => next() - 0.5);

  /**
   * The loss by `render`, in float32: central differences with a step that outweighs its rounding. Where a splat falls to 1/255 the loss jumps,
   * so those of the scene cover the whole picture.
   */
  function numeric(scene: SplatScene, field: (typeof fields)[number], i: number, image: Required<ImageGradient>, options: RenderOptions): number {
    const loss = (): number => {
      const view = render(scene, camera, { ...options, depth: true });
      let sum = 0;
      for (let p = 0; p < view.rgb.length; p++) sum += view.rgb[p]! * image.rgb[p]!;
      for (let p = 0; p < view.alpha.length; p++) sum += view.alpha[p]! * (image.alpha[p]! + view.depth![p]! * image.depth[p]!);
      return sum;
    };
    const before = scene[field][i]!;
    const step = 4e-3 * Math.max(Math.abs(before), 0.3);
    scene[field][i] = before + step;
    const [up, high] = [loss(), scene[field][i]!];
    scene[field][i] = before - step;
    const [down, low] = [loss(), scene[field][i]!];
    scene[field][i] = before;
    return (up - down) / (high - low);
  }

  it.each([
    ["classic", 0],
    ["antialiased", 2],
  ] as const)("%s of degree %i: agrees with finite differences of the renderer", (mode, degree) => {
    const scene = randomScene(8, degree, 17);
    for (let i = 0; i < scene.scales.length; i++) scene.scales[i] = 0.9 + 0.7 * next();
    for (let i = 0; i < scene.means.length; i++) scene.means[i]! *= 0.4;
    for (let i = 0; i < scene.count; i++) scene.opacities[i] = 0.3 + 0.4 * next();
    const pixels = 21 * 34;
    const image = { rgb: weights(pixels * 3), alpha: weights(pixels), depth: weights(pixels) };
    const options: RenderOptions = { mode, background: [0.3, 0.1, 0.7] };
    const gradient: SceneGradient = renderGradient(scene, camera, image, options);
    for (const field of fields) {
      const largest = gradient[field].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (let n = 0; n < 10; n++) {
        const i = Math.floor(next() * gradient[field].length);
        expect(Math.abs(numeric(scene, field, i, image, options) - gradient[field][i]!) / largest, `${field} ${i}`).toBeLessThan(2e-3);
      }
    }
  });

  it("takes what is left out for zero, and refuses a picture of another size", () => {
    const scene = randomScene(5, 0, 3);
    const gradient = renderGradient(scene, camera, {});
    for (const field of fields) expect(gradient[field].every((value) => value === 0)).toBe(true);
    expect(() => renderGradient(scene, camera, { rgb: [1, 2] })).toThrow("renderGradient: expected rgb of 2142 numbers, got 2");
  });

  it("leaves splats that are not seen alone", () => {
    const scene = randomScene(3, 1, 3);
    scene.means.set([0, 0, -500], 3);
    scene.opacities[2] = 0.001;
    const { means, opacities, sh } = renderGradient(scene, camera, { alpha: new Float32Array(21 * 34).fill(1) });
    expect(opacities[0]).toBeGreaterThan(0);
    expect([...means.subarray(3, 9), ...opacities.subarray(1), ...sh].every((value) => value === 0)).toBe(true);
  });

  it("draws a splat to where a picture wants it", () => {
    const target = randomScene(1, 0, 3);
    target.means.set([0.3, -0.2, 0]);
    target.scales.fill(0.3);
    target.opacities[0] = 0.9;
    const scene = { ...target, means: new Float32Array([0, 0, 0]) };
    const wanted = render(target, camera);
    for (let n = 0; n < 200; n++) {
      const view = render(scene, camera);
      const rgb = view.rgb.map((value, i) => 2 * (value - wanted.rgb[i]!));
      const { means } = renderGradient(scene, camera, { rgb });
      for (let axis = 0; axis < 3; axis++) scene.means[axis]! -= 0.002 * means[axis]!;
    }
    const centre = render(scene, camera);
    expect(Math.max(...centre.rgb.map((value, i) => Math.abs(value - wanted.rgb[i]!)))).toBeLessThan(0.05);
  });
});
