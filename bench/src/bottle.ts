import type { Image } from "@refadgen/image";

/** A product of some size on white, with its mask. */
export function bottle(): { readonly product: Image; readonly mask: Image } {
  const [width, height] = [600, 800];
  const pixels = Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    return Math.abs(x - 300) < (y < 250 ? 50 : 140) && y > 80 && y < 760;
  });
  return {
    product: {
      width,
      height,
      channels: 3,
      data: Uint8Array.from(pixels.flatMap((inside, pixel) => (inside ? [30, 90 + ((pixel >> 9) % 100), 160] : [255, 255, 255]))),
    },
    mask: { width, height, channels: 1, data: Uint8Array.from(pixels, (inside) => (inside ? 255 : 0)) },
  };
}
