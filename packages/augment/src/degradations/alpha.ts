import type { FloatImage } from "@refadgen/image";
import { isFloat, type Picture, toByte, withData } from "./picture.js";

/**
 * Does what mixes neighbours on colours that are multiplied by alpha, so that the colour of transparent pixels, which nobody sees,
 * does not bleed into the edge. Pictures without alpha are handed through.
 */
export function premultiplied<P extends Picture>(picture: P, mix: <Q extends Picture>(picture: Q) => Q): P {
  const { channels } = picture;
  if (channels === 1 || channels === 3) return mix(picture);
  const scale = isFloat(picture) ? 1 : 1 / 255;
  const data = Float32Array.from(picture.data, (value) => value * scale);
  const alphaAt = channels - 1;
  for (let i = 0; i < data.length; i += channels) for (let c = 0; c < alphaAt; c++) data[i + c]! *= data[i + alphaAt]!;
  const mixed: FloatImage = mix<FloatImage>({ width: picture.width, height: picture.height, channels, data });
  const out = mixed.data;
  for (let i = 0; i < out.length; i += channels) {
    const alpha = out[i + alphaAt]!;
    for (let c = 0; c < alphaAt; c++) out[i + c] = alpha > 1e-6 ? Math.min(out[i + c]! / alpha, 1) : 0;
  }
  return withData(picture, (isFloat(picture) ? out : Uint8Array.from(out, toByte)) as P["data"], mixed);
}
