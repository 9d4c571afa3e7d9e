import type { Image } from "@refadgen/image";
import type { Random } from "../random.js";
import type { MiniMask } from "../triplet.js";
import { addDisc, addRectangle, addRound, emptyLayer, type Ink, ink, type Layer, laidOver, shadowOf, stencil } from "./layer.js";
import { addText, anyFace, type Face, textWidth } from "./lettering.js";
import { inkLight, lightOf, productShare } from "./placement.js";
import type { Change, FaultStyle } from "./truth.js";

const headlines = [
  "SUMMER SALE",
  "NEW ARRIVAL",
  "LIMITED OFFER",
  "BUY 1 GET 1 FREE",
  "FREE SHIPPING",
  "BEST SELLER",
  "WINTER SPECIAL",
  "UP TO 70% OFF",
  "THE NEW SEASON",
  "ONLY THIS WEEK",
  "MADE FOR YOU",
  "FEEL THE DIFFERENCE",
];
const lines = [
  "SHIPS IN 24 HOURS",
  "VISIT OUR STORE TODAY",
  "TERMS AND CONDITIONS APPLY",
  "WHILE STOCKS LAST",
  "MORE THAN 200 COLORS",
  "FOLLOW US @SHOPNOVA",
  "CALL 555-0134",
  "WWW.SHOPNOVA.COM",
  "RATED 4.8 BY 2,391 BUYERS",
  "SAVE BIG ON EVERY ORDER",
];
const commands = ["SHOP NOW", "BUY NOW", "ORDER TODAY", "LEARN MORE", "ADD TO CART", "GET YOURS"];
const inks: readonly Ink[] = [
  [255, 255, 255],
  [20, 20, 24],
  [220, 30, 40],
  [250, 205, 30],
  [20, 70, 160],
  [10, 110, 70],
  [240, 110, 20],
  [120, 20, 90],
  [250, 240, 220],
];

/** Words that were laid over an advertisement, beside its product where there is room. */
export function withText(image: Image, mask: MiniMask, style: FaultStyle<"text">, strength: number, random: Random): Change {
  const { width, height } = image;
  const shorter = Math.min(width, height);
  const layer = emptyLayer(image);
  const face = anyFace(random);
  const details = draw();
  return { image: laidOver(image, layer), local: true, details };

  function draw(): Change["details"] {
    switch (style) {
      case "banner": {
        const tall = height * (0.12 + 0.14 * strength);
        const y = productShare(mask, [0, 0, width, tall]) <= productShare(mask, [0, height - tall, width, height]) ? tall / 2 : height - tall / 2;
        const words = random.chance(0.7) ? [random.pick(headlines)] : [random.pick(headlines), random.pick(lines)];
        const ground = random.pick(inks);
        const strip = stencil(image);
        addRectangle(strip, width / 2, y, width + 4, tall);
        ink(layer, strip, ground, random.chance(0.6) ? 1 : 0.75);
        const color = readable(random, inkLight(ground));
        const size = written(layer, words, { x: width / 2, y, size: (tall * 0.62) / words.length, widest: width * 0.94, face, color });
        return { words, size, color: [...color] };
      }
      case "price": {
        const size = shorter * (0.16 + 0.14 * strength);
        const words = random.pick([
          [price(random)],
          [`-${random.integer(1, 9) * 10}%`],
          ["ONLY", price(random)],
          ["SAVE", `${random.integer(2, 8) * 10}%`],
          [`€${random.integer(5, 99)},99`],
        ]);
        const [x, y] = freest(mask, size * 2, size * 2, random);
        const ground = random.pick(inks);
        const badge = stencil(image);
        const teeth = random.integer(10, 18);
        const form = random.pick(["burst", "disc", "box", "plain"]);
        if (form === "burst") addRound(badge, x, y, size * 1.05, (angle) => size * (0.94 + 0.09 * Math.cos(teeth * angle)));
        else if (form === "disc") addDisc(badge, x, y, size);
        else if (form === "box") addRectangle(badge, x, y, size * 2.1, size * 1.1, { radius: size * 0.15 });
        ink(layer, badge, ground);
        const under = form === "plain" ? lightOf(image, [x - size, y - size, x + size, y + size]) : inkLight(ground);
        const color = readable(random, under);
        const letters = written(layer, words, { x, y, size: (size * 0.8) / words.length, widest: size * 1.75, face, color });
        return { words, form, size: letters, color: [...color] };
      }
      case "caption": {
        const count = random.integer(1, 3);
        const words = [random.pick(headlines), ...Array.from({ length: count - 1 }, () => random.pick(lines))];
        const size = Math.max(5, shorter * (0.05 + 0.06 * strength));
        const tall = size * 1.7 * count;
        const wide = Math.min(width * 0.94, Math.max(...words.map((line) => textWidth(line, size, face))));
        const [x, y] = freest(mask, wide, tall, random);
        const under = lightOf(image, [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2]);
        const color = readable(random, under);
        const letters = written(layer, words, { x, y, size, widest: wide, face, color, shadow: random.chance(0.6) });
        return { words, size: letters, color: [...color] };
      }
      case "button": {
        const size = Math.max(5, shorter * (0.05 + 0.05 * strength));
        const words = [random.pick(commands)];
        const wide = Math.min(width * 0.9, textWidth(words[0]!, size, face) + size * 2.4);
        const [x, y] = freest(mask, wide, size * 2.4, random);
        const ground = random.pick(inks);
        const pill = stencil(image);
        addRectangle(pill, x, y, wide, size * 2.3, { radius: size * random.pick([0.2, 0.6, 1.15]) });
        ink(layer, pill, ground);
        const color = readable(random, inkLight(ground));
        const letters = written(layer, words, { x, y, size, widest: wide - size * 1.2, face, color });
        return { words, size: letters, color: [...color] };
      }
    }
  }
}

function price(random: Random): string {
  return `$${random.integer(3, 199)}.${random.pick(["99", "95", "50", "00"])}`;
}

/** An ink that stands out from what is under it by at least 90 of 255 levels. */
function readable(random: Random, under: number): Ink {
  return random.pick(inks.filter((one) => Math.abs(inkLight(one) - under) >= 90));
}

interface Writing {
  readonly x: number;
  readonly y: number;
  /** Height of the capitals of the first line; the others are smaller. */
  readonly size: number;
  readonly widest: number;
  readonly face: Face;
  readonly color: Ink;
  readonly shadow?: boolean;
}

/** Lines below one another around a place. Returns the first line's height of capitals, px. */
function written(layer: Layer, words: readonly string[], { x, y, size, widest, face, color, shadow = false }: Writing): number {
  const letters = stencil(layer);
  const heights = words.map((line, index) => Math.min(size * (index === 0 ? 1 : 0.75), widest / textWidth(line, 1, face)));
  const total = heights.reduce((sum, one) => sum + one * 1.6, 0);
  let top = y - total / 2;
  words.forEach((line, index) => {
    addText(letters, { text: line, x, y: top + heights[index]! * 0.8, size: heights[index]!, face });
    top += heights[index]! * 1.6;
  });
  if (shadow)
    ink(
      layer,
      shadowOf(letters, Math.max(1, size * 0.08), Math.max(1, size * 0.08), size * 0.08),
      inkLight(color) > 128 ? [0, 0, 0] : [255, 255, 255],
      0.7,
    );
  ink(layer, letters, color);
  return heights[0]!;
}

/** The middle of the place of this size, of some tries, that has least of the product. */
function freest(mask: MiniMask, wide: number, tall: number, random: Random): readonly [x: number, y: number] {
  const { width, height } = mask;
  let best: readonly [number, number] = [width / 2, height / 2];
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 24; attempt++) {
    const x = wide >= width ? width / 2 : random.between(wide / 2, width - wide / 2);
    const y = tall >= height ? height / 2 : random.between(tall / 2, height - tall / 2);
    const share = productShare(mask, [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2]);
    if (share < least) [least, best] = [share, [x, y]];
  }
  return best;
}
