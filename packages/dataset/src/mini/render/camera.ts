import { cross, normalize, subtract, type Vector } from "../geometry/vector.js";

export interface CameraPose {
  readonly position: Vector;
  readonly target: Vector;
  /** The whole angle from the picture's lower to its upper edge, in radians. */
  readonly fieldOfView: number;
  /** Turn about the line of sight, in radians. Default 0. */
  readonly roll?: number;
}

/** A pinhole camera. In its own axes x points right, y down, z into the scene. */
export interface Camera {
  readonly pose: CameraPose;
  readonly width: number;
  readonly height: number;
  /** In pixels, of both axes. */
  readonly focal: number;
  /** Rows of the rotation from the world to the camera. */
  readonly right: Vector;
  readonly down: Vector;
  readonly forward: Vector;
}

export function camera(pose: CameraPose, width: number, height: number): Camera {
  const forward = normalize(subtract(pose.target, pose.position));
  const level = normalize(cross(forward, [0, 1, 0]));
  const upright = cross(forward, level);
  const [c, s] = [Math.cos(pose.roll ?? 0), Math.sin(pose.roll ?? 0)];
  const right: Vector = [level[0] * c + upright[0] * s, level[1] * c + upright[1] * s, level[2] * c + upright[2] * s];
  return { pose, width, height, focal: height / 2 / Math.tan(pose.fieldOfView / 2), right, down: cross(forward, right), forward };
}
