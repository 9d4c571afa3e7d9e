import { ArgumentError } from "@refadgen/errors";

/** x, y, z. */
export type Vector3 = readonly [number, number, number];

/** A pinhole camera: x right, y down, z forward (OpenCV); pixel (column, row) has its centre at (column + 0.5, row + 0.5). */
export interface Camera {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Focal lengths in pixels. */
  readonly fx: number;
  readonly fy: number;
  /** Principal point in pixels; the middle of the image is (width / 2, height / 2). */
  readonly cx: number;
  readonly cy: number;
  /** World to camera, 4 × 4, row by row: rows 0 to 2 are rotation and translation, row 3 is 0, 0, 0, 1. */
  readonly view: ArrayLike<number>;
  /** Splats at this depth or nearer are not drawn; default 0.01. */
  readonly near?: number;
  /** Splats at this depth or farther are not drawn; default 1e10. */
  readonly far?: number;
}

export interface Intrinsics {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/** Largest side of a rendered picture, pixels. */
const maxCameraSide = 16_384;
/** Largest number of pixels of a rendered picture. */
const maxCameraPixels: number = 1 << 26;

/**
 * Intrinsics with the principal point in the middle and square pixels.
 *
 * @param options.fieldOfView across the longer side, degrees, more than 0 and less than 180; default 35.
 */
export function centredIntrinsics(
  size: { readonly width: number; readonly height: number },
  options: { readonly fieldOfView?: number } = {},
): Intrinsics {
  const { width, height } = size;
  const fieldOfView = options.fieldOfView ?? 35;
  if (!(fieldOfView > 0 && fieldOfView < 180))
    throw new ArgumentError(`centredIntrinsics: expected a fieldOfView between 0 and 180, got ${fieldOfView}`);
  const f = Math.max(width, height) / (2 * Math.tan((fieldOfView * Math.PI) / 360));
  return { width, height, fx: f, fy: f, cx: width / 2, cy: height / 2 };
}

/**
 * World-to-camera matrix of a camera at `eye` that looks at `target`.
 *
 * @param options.up direction that is up in the picture; default (0, -1, 0), since y points down.
 * @param options.roll degrees; positive turns the picture's content anticlockwise; default 0.
 * @throws ArgumentError if eye and target coincide or the view runs along `up`.
 */
export function lookAt(eye: Vector3, target: Vector3, options: { readonly up?: Vector3; readonly roll?: number } = {}): Float64Array {
  const up = options.up ?? [0, -1, 0];
  const z = normalise(subtract(target, eye));
  const x = normalise(cross(z, up));
  const y = cross(z, x);
  const roll = ((options.roll ?? 0) * Math.PI) / 180;
  const [c, s] = [Math.cos(roll), Math.sin(roll)];
  const right: Vector3 = [c * x[0] + s * y[0], c * x[1] + s * y[1], c * x[2] + s * y[2]];
  const down: Vector3 = [c * y[0] - s * x[0], c * y[1] - s * x[1], c * y[2] - s * x[2]];
  const rows = [right, down, z];
  return Float64Array.from([...rows.flatMap((row) => [...row, -dot(row, eye)]), 0, 0, 0, 1]);
}

/** Where an orbiting camera stands. */
export interface Orbit {
  readonly target: Vector3;
  /** From the target, in the scene's unit; more than 0. */
  readonly distance: number;
  /** Degrees about the vertical: 0 looks along +z, positive moves the camera to its right (towards +x). */
  readonly azimuth: number;
  /** Degrees, more than -90 and less than 90: positive looks down on the target. */
  readonly elevation: number;
  /** Degrees; default 0. */
  readonly roll?: number;
}

/** World-to-camera matrix of a camera on a sphere about `target`. */
export function orbitView({ target, distance, azimuth, elevation, roll = 0 }: Orbit): Float64Array {
  if (!(distance > 0)) throw new ArgumentError(`orbitView: expected a distance of more than 0, got ${distance}`);
  if (!(Math.abs(elevation) < 90)) throw new ArgumentError(`orbitView: expected an elevation between -90 and 90, got ${elevation}`);
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  const eye: Vector3 = [
    target[0] + distance * Math.sin(a) * Math.cos(e),
    target[1] - distance * Math.sin(e),
    target[2] - distance * Math.cos(a) * Math.cos(e),
  ];
  return lookAt(eye, target, { roll });
}

/** Where the camera stands, in world coordinates: -Rᵀt. */
export function cameraCentre({ view }: Pick<Camera, "view">): Vector3 {
  const [tx, ty, tz] = [view[3]!, view[7]!, view[11]!];
  return [
    -(view[0]! * tx + view[4]! * ty + view[8]! * tz),
    -(view[1]! * tx + view[5]! * ty + view[9]! * tz),
    -(view[2]! * tx + view[6]! * ty + view[10]! * tz),
  ];
}

/**
 * Refuses what is not a camera.
 *
 * @throws ArgumentError for a size outside 1 to 16384 or above 2²⁶ pixels, focal lengths that are not positive, numbers that are not finite,
 *   a view whose 3 × 3 part is not a rotation within 1e-3, or near and far that are not 0 < near < far.
 */
export function checkCamera(camera: Camera, where = "checkCamera"): void {
  const { width, height, fx, fy, cx, cy, view, near = 0.01, far = 1e10 } = camera;
  for (const [name, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 1 || value > maxCameraSide) {
      throw new ArgumentError(`${where}: expected a ${name} of 1 to ${maxCameraSide}, got ${value}`);
    }
  }
  if (width * height > maxCameraPixels) throw new ArgumentError(`${where}: expected at most ${maxCameraPixels} pixels, got ${width} × ${height}`);
  for (const [name, value] of Object.entries({ fx, fy })) {
    if (!(value > 0 && Number.isFinite(value))) throw new ArgumentError(`${where}: expected ${name} of more than 0, got ${value}`);
  }
  for (const [name, value] of Object.entries({ cx, cy })) {
    if (!Number.isFinite(value)) throw new ArgumentError(`${where}: expected a finite ${name}, got ${value}`);
  }
  if (!(near > 0 && far > near)) throw new ArgumentError(`${where}: expected 0 < near < far, got near ${near} and far ${far}`);
  if (view.length !== 16) throw new ArgumentError(`${where}: expected a view of 16 numbers, got ${view.length}`);
  for (let i = 0; i < 16; i++) if (!Number.isFinite(view[i])) throw new ArgumentError(`${where}: expected a finite view, got ${view[i]} at ${i}`);
  for (let i = 0; i < 3; i++) {
    for (let j = i; j < 3; j++) {
      const product = view[i * 4]! * view[j * 4]! + view[i * 4 + 1]! * view[j * 4 + 1]! + view[i * 4 + 2]! * view[j * 4 + 2]!;
      if (Math.abs(product - (i === j ? 1 : 0)) > 1e-3) {
        throw new ArgumentError(`${where}: expected a view that rotates and moves, got rows ${i} and ${j} with the product ${product}`);
      }
    }
  }
  if (Math.abs(view[12]!) + Math.abs(view[13]!) + Math.abs(view[14]!) + Math.abs(view[15]! - 1) > 1e-6) {
    throw new ArgumentError(`${where}: expected the view's last row 0, 0, 0, 1, got ${[12, 13, 14, 15].map((i) => view[i]).join(", ")}`);
  }
}

function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalise(v: Vector3): Vector3 {
  const length = Math.sqrt(dot(v, v));
  if (!(length > 1e-12 && Number.isFinite(length)))
    throw new ArgumentError(`lookAt: expected eye, target and up that span a plane, got ${v.join(", ")}`);
  return [v[0] / length, v[1] / length, v[2] / length];
}
