import { type ShDegree, shC0 } from "../splats/scene.js";

const c1 = 0.4886025119029199;
const c2: readonly number[] = [1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792, 0.5462742152960396];
const c3: readonly number[] = [
  -0.5900435899266435, 2.890611442640554, -0.4570457994644658, 0.3731763325901154, -0.4570457994644658, 1.445305721320277, -0.5900435899266435,
];

/** Writes the K basis functions at the unit vector (x, y, z); nerfstudio-project/gsplat `_torch_impl.py`. */
export function shBasis(degree: ShDegree, x: number, y: number, z: number, basis: Float64Array): void {
  basis[0] = shC0;
  if (degree < 1) return;
  basis[1] = -c1 * y;
  basis[2] = c1 * z;
  basis[3] = -c1 * x;
  if (degree < 2) return;
  const [xx, yy, zz] = [x * x, y * y, z * z];
  basis[4] = c2[0]! * x * y;
  basis[5] = c2[1]! * y * z;
  basis[6] = c2[2]! * (2 * zz - xx - yy);
  basis[7] = c2[3]! * x * z;
  basis[8] = c2[4]! * (xx - yy);
  if (degree < 3) return;
  basis[9] = c3[0]! * y * (3 * xx - yy);
  basis[10] = c3[1]! * x * y * z;
  basis[11] = c3[2]! * y * (4 * zz - xx - yy);
  basis[12] = c3[3]! * z * (2 * zz - 3 * xx - 3 * yy);
  basis[13] = c3[4]! * x * (4 * zz - xx - yy);
  basis[14] = c3[5]! * z * (xx - yy);
  basis[15] = c3[6]! * x * (xx - 3 * yy);
}

/** Derivatives of `shBasis`: writes [K, 3] by x, y and z. */
export function shBasisGradient(degree: ShDegree, x: number, y: number, z: number, out: Float64Array): void {
  out.fill(0);
  const set = (k: number, dx: number, dy: number, dz: number): void => {
    out[k * 3] = dx;
    out[k * 3 + 1] = dy;
    out[k * 3 + 2] = dz;
  };
  if (degree < 1) return;
  set(1, 0, -c1, 0);
  set(2, 0, 0, c1);
  set(3, -c1, 0, 0);
  if (degree < 2) return;
  set(4, c2[0]! * y, c2[0]! * x, 0);
  set(5, 0, c2[1]! * z, c2[1]! * y);
  set(6, -2 * c2[2]! * x, -2 * c2[2]! * y, 4 * c2[2]! * z);
  set(7, c2[3]! * z, 0, c2[3]! * x);
  set(8, 2 * c2[4]! * x, -2 * c2[4]! * y, 0);
  if (degree < 3) return;
  const [xx, yy, zz] = [x * x, y * y, z * z];
  set(9, 6 * c3[0]! * x * y, c3[0]! * (3 * xx - 3 * yy), 0);
  set(10, c3[1]! * y * z, c3[1]! * x * z, c3[1]! * x * y);
  set(11, -2 * c3[2]! * x * y, c3[2]! * (4 * zz - xx - 3 * yy), 8 * c3[2]! * y * z);
  set(12, -6 * c3[3]! * x * z, -6 * c3[3]! * y * z, c3[3]! * (6 * zz - 3 * xx - 3 * yy));
  set(13, c3[4]! * (4 * zz - 3 * xx - yy), -2 * c3[4]! * x * y, 8 * c3[4]! * x * z);
  set(14, 2 * c3[5]! * x * z, -2 * c3[5]! * y * z, c3[5]! * (xx - yy));
  set(15, c3[6]! * (3 * xx - 3 * yy), -6 * c3[6]! * x * y, 0);
}
