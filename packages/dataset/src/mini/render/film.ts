/** Light to 8-bit sRGB by a film's curve (ACES as fitted by Narkowicz, 2016). */
export function developed(linear: Float32Array, exposure: number): Uint8Array {
  const out = new Uint8Array(linear.length);
  for (let index = 0; index < out.length; index++) out[index] = developedLevel(linear[index]! * exposure);
  return out;
}

function developedLevel(light: number): number {
  const curved = (light * (2.51 * light + 0.03)) / (light * (2.43 * light + 0.59) + 0.14);
  return encoded[curved >= 1 ? 4095 : Math.max(0, Math.round(curved * 4095))]!;
}

/** sRGB of 4096 levels of light. */
const encoded = Uint8Array.from({ length: 4096 }, (_, index) => {
  const light = index / 4095;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});

/**
 * The product alone. Its edges blend with the backdrop; what the mask leaves out, at less than half of a pixel, is exactly the backdrop, as
 * in a cut-out.
 *
 * @param paper the light behind it while it was drawn
 */
export function onBackdrop(
  linear: Float32Array,
  coverage: Float32Array,
  paper: number,
  exposure: number,
  backdrop: readonly [number, number, number],
): Uint8Array {
  const out = new Uint8Array(linear.length);
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    const share = coverage[pixel]!;
    for (let channel = 0; channel < 3; channel++) {
      const index = pixel * 3 + channel;
      if (share < 0.5) out[index] = backdrop[channel]!;
      else {
        const own = Math.max(0, linear[index]! - (1 - share) * paper) / share;
        out[index] = Math.round(developedLevel(own * exposure) * share + backdrop[channel]! * (1 - share));
      }
    }
  }
  return out;
}
