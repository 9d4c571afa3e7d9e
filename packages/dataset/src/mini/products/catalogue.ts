import { bench, car, clothing, hat, headphones, motorcycle, sneaker, sportsBall } from "./bodies.js";
import { backpack, cellPhone, charger, eyeshadow, handbag, notebook, pillow, rug, snacks } from "./boxes.js";
import type { ProductMaker } from "./product.js";
import { fork, kite, pen, toothbrush, umbrella } from "./slender.js";
import { bodyWash, bottle, coffee, cup, foundation, lipstick, shampoo, wineGlass } from "./vessels.js";

/** Where a thing is usually shown. */
export type Setting = "indoors" | "outdoors" | "anywhere";

export interface MiniCategory {
  /** As in Table 1 of the paper, lower case. */
  readonly name: string;
  /** With its article, as captions say it. */
  readonly phrase: string;
  readonly make: ProductMaker;
  readonly setting: Setting;
  /** How far it is turned from its best side, in radians either way. Default 0.55. */
  readonly turn?: number;
  /** The camera's height above it, in degrees. Default 4 to 24. */
  readonly elevation?: readonly [low: number, high: number];
}

/** The categories of Table 1 (arXiv 2508.11695), each with a maker of endless shapes. */
export const miniCategories: readonly MiniCategory[] = [
  { name: "backpack", phrase: "a backpack", make: backpack, setting: "anywhere" },
  { name: "bench", phrase: "a bench", make: bench, setting: "outdoors" },
  { name: "body wash", phrase: "a bottle of body wash", make: bodyWash, setting: "indoors", turn: 0.35 },
  { name: "bottle", phrase: "a bottle", make: bottle, setting: "anywhere", turn: 0.35 },
  { name: "car", phrase: "a car", make: car, setting: "outdoors", turn: 0.8 },
  { name: "cell phone", phrase: "a cell phone", make: cellPhone, setting: "indoors", turn: 0.4 },
  { name: "chargers", phrase: "a charger", make: charger, setting: "indoors", elevation: [12, 30] },
  { name: "clothing", phrase: "a shirt", make: clothing, setting: "indoors", turn: 0.3 },
  { name: "coffee", phrase: "a cup of coffee", make: coffee, setting: "anywhere", turn: 0.35 },
  { name: "cup", phrase: "a cup", make: cup, setting: "indoors", elevation: [10, 28] },
  { name: "eyeshadow", phrase: "an eyeshadow palette", make: eyeshadow, setting: "indoors", elevation: [22, 38] },
  { name: "fork", phrase: "a fork", make: fork, setting: "indoors", elevation: [20, 40], turn: 0.3 },
  { name: "foundation", phrase: "a bottle of foundation", make: foundation, setting: "indoors", turn: 0.35 },
  { name: "handbag", phrase: "a handbag", make: handbag, setting: "anywhere" },
  { name: "hats", phrase: "a hat", make: hat, setting: "anywhere", elevation: [8, 26] },
  { name: "headphones", phrase: "a pair of headphones", make: headphones, setting: "indoors" },
  { name: "kite", phrase: "a kite", make: kite, setting: "outdoors", turn: 0.4 },
  { name: "lipstick", phrase: "a lipstick", make: lipstick, setting: "indoors" },
  { name: "motorcycle", phrase: "a motorcycle", make: motorcycle, setting: "outdoors", turn: 0.6 },
  { name: "notebooks", phrase: "a notebook", make: notebook, setting: "indoors", turn: 0.4 },
  { name: "pens", phrase: "a pen", make: pen, setting: "indoors", elevation: [14, 34] },
  { name: "pillows", phrase: "a pillow", make: pillow, setting: "indoors" },
  { name: "rugs", phrase: "a rug", make: rug, setting: "indoors", elevation: [28, 45] },
  { name: "shampoo", phrase: "a bottle of shampoo", make: shampoo, setting: "indoors", turn: 0.35 },
  { name: "snacks", phrase: "a bag of snacks", make: snacks, setting: "anywhere", turn: 0.4 },
  { name: "sneakers", phrase: "a sneaker", make: sneaker, setting: "anywhere", turn: 0.7 },
  { name: "sports ball", phrase: "a ball", make: sportsBall, setting: "anywhere" },
  { name: "toothbrush", phrase: "a toothbrush", make: toothbrush, setting: "indoors" },
  { name: "umbrella", phrase: "an umbrella", make: umbrella, setting: "outdoors" },
  { name: "wine glass", phrase: "a glass of wine", make: wineGlass, setting: "indoors", elevation: [4, 14] },
];
