import type { Image } from "@refadgen/image";
import { colourChannels, isFloat, type Picture, toByte, withData } from "./picture.js";
import { place, taken, withKernel } from "./pixel-kernel.js";

/** A function of one value, 0 to 1; clipped afterwards. */
export type ToneCurve = (value: number) => number;

/** Applies a curve, or one per colour channel, to every colour; alpha stays. */
export function applyCurves<P extends Picture>(picture: P, curves: readonly ToneCurve[]): P {
  const { channels } = picture;
  const colours = colourChannels(picture);
  const curveOf = (channel: number): ToneCurve => curves[channel % curves.length]!;
  if (isFloat(picture)) {
    const data = picture.data.slice();
    for (let c = 0; c < colours; c++) {
      const curve = curveOf(c);
      for (let i = c; i < data.length; i += channels) data[i] = Math.min(Math.max(curve(data[i]!), 0), 1);
    }
    return withData(picture, data);
  }
  const tables = Array.from({ length: colours }, (_, c) => levelTable(curveOf(c)));
  return withData(picture, lookUp(picture, curves.length === 1 ? [tables[0]!] : tables));
}

function levelTable(curve: ToneCurve): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, level) => toByte(curve(level / 255)));
}

/** One table for all colours or one for each. */
function lookUp({ data, channels }: Image, tables: readonly Uint8Array[]): Uint8Array {
  if (channels === 1 || (channels === 3 && tables.length === 1))
    return withKernel([data.length, 256, 1 << 17], (kernel, bytes, table, pairs) => {
      place(kernel, bytes, data);
      place(kernel, table, tables[0]!);
      kernel.lookUp(bytes, data.length, table, pairs);
      return taken(kernel, bytes, data.length);
    });
  if (channels === 3)
    return withKernel([data.length, 768], (kernel, bytes, tablesAt) => {
      place(kernel, bytes, data);
      for (const [c, table] of tables.entries()) place(kernel, tablesAt + 256 * c, table);
      kernel.lookUpColours(bytes, data.length / 3, tablesAt);
      return taken(kernel, bytes, data.length);
    });
  const out = data.slice();
  const colours = channels === 4 ? 3 : 1;
  for (let i = 0; i < data.length; i += channels) for (let c = 0; c < colours; c++) out[i + c] = tables[c % tables.length]![data[i + c]!]!;
  return out;
}
