import type { Image, Size } from "@refadgen/image";

/** A colour of a screen: sRGB levels, 0 to 255. */
export type Ink = readonly [red: number, green: number, blue: number];

/** What lies over a picture: `[H, W]` cover 0 to 1, and `[H, W, 3]` sRGB levels times their cover. */
export interface Layer {
  readonly width: number;
  readonly height: number;
  readonly cover: Float32Array;
  readonly levels: Float32Array;
}

/** Where something is to be drawn, `[H, W]`, 0 to 1. What is drawn twice counts once, so that strokes that cross stay even when they are translucent. */
export interface Stencil {
  readonly width: number;
  readonly height: number;
  readonly cover: Float32Array;
}

export function emptyLayer({ width, height }: Size): Layer {
  return { width, height, cover: new Float32Array(width * height), levels: new Float32Array(width * height * 3) };
}

export function stencil({ width, height }: Size): Stencil {
  return { width, height, cover: new Float32Array(width * height) };
}

/** Adds what lies within a shape, softly over one pixel. `distance` is signed, in pixels, below 0 inside; `box` holds the shape. */
export function addShape(
  { width, height, cover }: Stencil,
  [left, top, right, bottom]: readonly [number, number, number, number],
  distance: (x: number, y: number) => number,
): void {
  const [lastX, lastY] = [Math.min(width - 1, Math.ceil(right + 1)), Math.min(height - 1, Math.ceil(bottom + 1))];
  for (let y = Math.max(0, Math.floor(top - 1)); y <= lastY; y++) {
    for (let x = Math.max(0, Math.floor(left - 1)); x <= lastX; x++) {
      const share = Math.min(1, Math.max(0, 0.5 - distance(x + 0.5, y + 0.5)));
      const pixel = y * width + x;
      if (share > cover[pixel]!) cover[pixel] = share;
    }
  }
}

/** A rectangle with round corners, turned about its middle (degrees, anticlockwise). */
export function addRectangle(
  target: Stencil,
  centerX: number,
  centerY: number,
  width: number,
  height: number,
  { radius = 0, degrees = 0 }: { readonly radius?: number; readonly degrees?: number } = {},
): void {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const reach = Math.hypot(width, height) / 2;
  addShape(target, [centerX - reach, centerY - reach, centerX + reach, centerY + reach], (x, y) => {
    const [dx, dy] = [x - centerX, y - centerY];
    const across = Math.abs(dx * cos - dy * sin) - width / 2 + radius;
    const along = Math.abs(dx * sin + dy * cos) - height / 2 + radius;
    return Math.hypot(Math.max(across, 0), Math.max(along, 0)) + Math.min(Math.max(across, along), 0) - radius;
  });
}

/** A disc, or a ring of this breadth inside it. */
export function addDisc(target: Stencil, centerX: number, centerY: number, radius: number, ring?: number): void {
  addShape(target, [centerX - radius, centerY - radius, centerX + radius, centerY + radius], (x, y) => {
    const away = Math.hypot(x - centerX, y - centerY) - radius;
    return ring === undefined ? away : Math.max(away, -away - ring);
  });
}

/** An outline whose distance from its middle is a function of the angle: stars, bursts, blobs. */
export function addRound(target: Stencil, centerX: number, centerY: number, largest: number, radius: (angle: number) => number): void {
  addShape(target, [centerX - largest, centerY - largest, centerX + largest, centerY + largest], (x, y) => {
    const [dx, dy] = [x - centerX, y - centerY];
    return Math.hypot(dx, dy) - radius(Math.atan2(-dy, dx));
  });
}

/** A straight stroke with round or square ends. */
export function addStroke(target: Stencil, x0: number, y0: number, x1: number, y1: number, weight: number, ends: "round" | "square" = "round"): void {
  const half = weight / 2;
  const reach = half * 1.5;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = Math.hypot(dx, dy);
  const [ux, uy] = length === 0 ? [1, 0] : [dx / length, dy / length];
  addShape(target, [Math.min(x0, x1) - reach, Math.min(y0, y1) - reach, Math.max(x0, x1) + reach, Math.max(y0, y1) + reach], (x, y) => {
    const along = (x - x0) * ux + (y - y0) * uy;
    const across = Math.abs((y - y0) * ux - (x - x0) * uy);
    if (ends === "round") return Math.hypot(along - Math.min(length, Math.max(0, along)), across) - half;
    return Math.max(across, Math.abs(along - length / 2) - length / 2) - half;
  });
}

/** Lays a colour over a layer where a stencil says. */
export function ink({ cover, levels }: Layer, { cover: where }: Stencil, color: Ink, opacity = 1): void {
  for (let pixel = 0; pixel < cover.length; pixel++) {
    const share = where[pixel]! * opacity;
    if (share === 0) continue;
    cover[pixel] = share + cover[pixel]! * (1 - share);
    for (let channel = 0; channel < 3; channel++) levels[pixel * 3 + channel] = color[channel]! * share + levels[pixel * 3 + channel]! * (1 - share);
  }
}

/** Lays a layer over an RGB picture. */
export function laidOver({ width, height, channels, data }: Image, { cover, levels }: Layer): Image {
  const out = data.slice();
  for (let pixel = 0; pixel < cover.length; pixel++) {
    const share = cover[pixel]!;
    if (share === 0) continue;
    for (let channel = 0; channel < 3; channel++)
      out[pixel * channels + channel] = Math.round(data[pixel * channels + channel]! * (1 - share) + levels[pixel * 3 + channel]!);
  }
  return { width, height, channels, data: out };
}

/** The stencil moved and blurred by three box passes: the shadow of what it shows. */
export function shadowOf({ width, height, cover }: Stencil, offsetX: number, offsetY: number, blur: number): Stencil {
  let from = new Float32Array(cover.length);
  const [moveX, moveY] = [Math.round(offsetX), Math.round(offsetY)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sx, sy] = [x - moveX, y - moveY];
      if (sx >= 0 && sy >= 0 && sx < width && sy < height) from[y * width + x] = cover[sy * width + sx]!;
    }
  }
  const reach = Math.max(1, Math.round(blur));
  for (let pass = 0; pass < 3; pass++) {
    from = boxBlurred(from, width, height, 1, width, reach);
    from = boxBlurred(from, height, width, width, 1, reach);
  }
  return { width, height, cover: from };
}

/** Mean over `2 reach + 1` cells of each line; outside is 0. */
function boxBlurred(
  from: Float32Array<ArrayBuffer>,
  length: number,
  lines: number,
  step: number,
  lineStep: number,
  reach: number,
): Float32Array<ArrayBuffer> {
  const to = new Float32Array(from.length);
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    let sum = 0;
    for (let place = 0; place < Math.min(reach, length); place++) sum += from[start + place * step]!;
    for (let place = 0; place < length; place++) {
      if (place + reach < length) sum += from[start + (place + reach) * step]!;
      if (place - reach - 1 >= 0) sum -= from[start + (place - reach - 1) * step]!;
      to[start + place * step] = Math.max(0, sum) / (2 * reach + 1);
    }
  }
  return to;
}
