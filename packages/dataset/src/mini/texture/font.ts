/**
 * Letters as strokes on a field 4 wide and 6 high: polylines, `|` between them, points `xy` in halves from the lower left (so `8c` is the
 * upper right corner, in base 16). Drawn with a pen of any weight, slanted or stretched, they give many faces.
 */
const strokes: Readonly<Record<string, string>> = {
  A: "004c80|2464",
  B: "000c5c7a785606|5674725000",
  C: "8a6c2c0a02206082",
  D: "000c5c8a825000",
  E: "80000c8c|0666",
  F: "000c8c|0666",
  G: "8a6c2c0a022060828646",
  H: "000c|808c|0686",
  I: "404c",
  J: "8c82602002",
  K: "000c|8c0680",
  L: "0c0080",
  M: "000c468c80",
  N: "000c808c",
  O: "2c0a022060828a6c2c",
  P: "000c6c8a886606",
  Q: "2c0a022060828a6c2c|4480",
  R: "000c6c8a886606|4680",
  S: "8a6c2c0a0826668482602002",
  T: "0c8c|4c40",
  U: "0c022060828c",
  V: "0c408c",
  W: "0c2046608c",
  X: "008c|0c80",
  Y: "0c468c|4640",
  Z: "0c8c0080",
  "0": "2c0a022060828a6c2c|028a",
  "1": "2a4c40",
  "2": "0a2c6c8a880080",
  "3": "0a2c6c8a88668482602002|2666",
  "4": "606c0484",
  "5": "8c0c07678582602002",
  "6": "8a6c2c0a02206082846606",
  "7": "0c8c20",
  "8": "26080a2c6c8a886626|2604022060828466",
  "9": "022060828a6c2c0a082686",
  "&": "82602002375a3c1a80",
  ".": "4041",
  ",": "4130",
  "!": "4c44|4041",
  "%": "008c|0c2c2a0a0c|6282806062",
  "+": "4248|0686",
  "/": "008c",
  ":": "4243|494a",
  $: "8a6c2c0a0826668482602002|4c40",
  "€": "8a6c3c1a12306082|0767|0565",
  "@": "6848446664888a6c2c0a022070",
  "-": "2666",
};

/** Segments of a text: `[x0, y0, x1, y1]` in units of the letters' height, from the lower left; and its width. */
export function textSegments(
  text: string,
  { slant = 0, stretch = 1, spacing = 0.25 }: { readonly slant?: number; readonly stretch?: number; readonly spacing?: number } = {},
): {
  readonly segments: readonly (readonly [number, number, number, number])[];
  readonly width: number;
} {
  const segments: [number, number, number, number][] = [];
  let left = 0;
  for (const letter of text.toUpperCase()) {
    for (const line of (strokes[letter] ?? "").split("|")) {
      for (let index = 0; index + 3 < line.length; index += 2) {
        const [x0, y0, x1, y1] = [0, 1, 2, 3].map((offset) => Number.parseInt(line[index + offset]!, 16) / 12) as [number, number, number, number];
        segments.push([left + (x0 + slant * y0) * stretch, y0, left + (x1 + slant * y1) * stretch, y1]);
      }
    }
    left += ((letter === " " ? 4 : letter === "I" || letter === "1" ? 6 : 8) / 12) * stretch + spacing;
  }
  return { segments, width: Math.max(0.01, left - spacing) };
}
