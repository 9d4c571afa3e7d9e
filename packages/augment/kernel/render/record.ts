// A record, 20 float32; the layout of src/render/project.ts.
export const MEAN_X: usize = 0;
export const MEAN_Y: usize = 4;
export const CONIC_A: usize = 8;
export const CONIC_B: usize = 12;
export const CONIC_C: usize = 16;
export const OPACITY: usize = 20;
export const RED: usize = 24;
export const GREEN: usize = 28;
export const BLUE: usize = 32;
export const DEPTH: usize = 36;
export const NORMAL_X: usize = 40;
export const NORMAL_Y: usize = 44;
export const NORMAL_Z: usize = 48;
// First and last pixel column and row that it may touch, four int16.
export const FIRST_X: usize = 52;
export const LAST_X: usize = 54;
export const FIRST_Y: usize = 56;
export const LAST_Y: usize = 58;
export const SLOPE: usize = 64;
export const WIDTH_SQUARED: usize = 68;
export const NARROWING: usize = 72;
export const RECORD: usize = 80;

export const TILE: i32 = 16;
