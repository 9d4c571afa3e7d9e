import { type Camera, createScene, orbitView, type SplatScene } from "@refadgen/augment";

/** Numbers from 0 to below 1, the same on every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** An ellipsoid as a photo of 45 % product would be lifted: one splat per pixel of its silhouette, sigma half a pixel. */
export function liftedEllipsoid(width: number, height: number): SplatScene {
  const [rx, ry] = [0.757, 0.757].map((share, i) => ((i === 0 ? width : height) / 2) * share) as [number, number];
  const focal = focalLength(width, height);
  const pixels: (readonly [number, number, number])[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const r = ((x + 0.5 - width / 2) / rx) ** 2 + ((y + 0.5 - height / 2) / ry) ** 2;
      if (r < 1) pixels.push([x + 0.5 - width / 2, y + 0.5 - height / 2, distance - 0.35 * Math.sqrt(1 - r)]);
    }
  }
  const scene = createScene(pixels.length);
  scene.opacities.fill(0.98);
  for (const [i, [x, y, z]] of pixels.entries()) {
    scene.means.set([(x / focal) * z, (y / focal) * z, z], i * 3);
    scene.scales.fill((0.5 * z) / focal, i * 3, i * 3 + 3);
    for (let c = 0; c < 3; c++) scene.sh[i * 3 + c] = Math.sin(x * 0.1 * (c + 1)) * Math.cos(y * 0.07);
  }
  return scene;
}

const distance = 4;

function focalLength(width: number, height: number): number {
  return Math.max(width, height) / (2 * Math.tan((20 * Math.PI) / 180));
}

/** A camera that looks at the ellipsoid from an azimuth in degrees. */
export function liftedCamera(width: number, height: number, azimuth: number): Camera {
  const focal = focalLength(width, height);
  const view = orbitView({ target: [0, 0, distance], distance, azimuth, elevation: 0 });
  return { width, height, fx: focal, fy: focal, cx: width / 2, cy: height / 2, view };
}

/** Slanted splats of several pixels in a cloud, as the kit's `random_splats` has them: sigma 0.006 to 0.03 at distance 3. */
export function randomCloud(count: number): SplatScene {
  const next = numbers(5);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const scene = createScene(count);
  for (let i = 0; i < count; i++) {
    scene.means.set([0.8 * normal(), 0.55 * normal(), 0.6 * normal()], i * 3);
    for (let k = 0; k < 3; k++) scene.scales[i * 3 + k] = 0.006 * 5 ** next();
    for (let k = 0; k < 4; k++) scene.quaternions[i * 4 + k] = normal();
    for (let k = 0; k < 3; k++) scene.sh[i * 3 + k] = 0.9 * normal();
    scene.opacities[i] = 0.05 + 0.95 * next();
  }
  return scene;
}

/** The camera of `randomCloud`: frontal, at distance 3. */
export function cloudCamera(width: number, height: number): Camera {
  const view = orbitView({ target: [0, 0, 0], distance: 3, azimuth: 0, elevation: 0 });
  return { width, height, fx: 0.9 * width, fy: 0.9 * width, cx: width / 2, cy: height / 2, view };
}
