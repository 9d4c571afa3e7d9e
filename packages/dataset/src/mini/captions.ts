import type { MiniCategory } from "./products/catalogue.js";
import type { Product } from "./products/product.js";
import type { Random } from "./random.js";
import type { Backdrop } from "./scenes/scenes.js";

/** What a caption says, for checks of what a caption may say. */
export interface Mentions {
  readonly category: string;
  readonly colors: readonly string[];
  readonly traits: readonly string[];
  readonly scene: string;
  readonly props: readonly string[];
  /** Text that is printed on the product. */
  readonly text?: string;
}

/** Four captions: the scene, light and composition, an advertisement's promise, and a short one. At most 50 words each. */
export function captionsOf(
  random: Random,
  category: MiniCategory,
  product: Product,
  backdrop: Backdrop,
  props: readonly string[],
): { readonly captions: string[]; readonly mentions: Mentions } {
  const colors = product.colors.map(({ name }) => name);
  const [color] = colors as [string, ...string[]];
  const trait = random.pick(product.traits);
  const thing = withColor(category.phrase, color);
  const kind = thing.replace(/^an? /, "");
  const beside = props.length === 0 ? "" : `, next to ${props.join(" and ")}`;
  const print = product.brand && random.chance(0.5) ? `, with the name ${product.brand.name} on it` : "";
  const place = backdrop.phrase;
  const capital = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;
  const captions = [
    random.pick([
      `${capital(thing)} ${trait} ${place}${beside}${print}.`,
      `A product photo of ${thing} ${place}${beside}; it is ${trait.replace(/^(with|of|in|on) /, "shown $1 ")}.`,
      `${capital(thing)} stands out ${place}${beside}${print}.`,
    ]),
    random.pick([
      `${capital(backdrop.light)} falls on ${thing} ${place}, and its shadow lies softly beside it.`,
      `An advertising shot in ${backdrop.light}: ${thing}, ${trait}, ${place}.`,
      `${capital(thing)} in the centre of the frame ${place}, lit by ${backdrop.light}.`,
    ]),
    random.pick([
      `The ${kind} you have been looking for, ${place}: ${backdrop.mood}, ${trait}.`,
      `A ${backdrop.mood} advertisement for ${thing} ${place}${beside}.`,
      `${capital(backdrop.mood)} mood ${place} with ${thing} ${trait}.`,
    ]),
    random.pick([`${capital(thing)} ${place}.`, `${capital(kind)}, ${backdrop.light}.`, `${capital(thing)}, ${backdrop.mood}.`]),
  ];
  return {
    captions: captions.map((caption) => caption.replace(/\s+/g, " ")),
    mentions: {
      category: category.name,
      colors,
      traits: product.traits,
      scene: backdrop.phrase,
      props,
      ...(product.brand && { text: product.brand.name }),
    },
  };
}

/** "a bottle of shampoo" and "navy" → "a navy bottle of shampoo". */
function withColor(phrase: string, color: string): string {
  const noun = phrase.replace(/^an? /, "");
  return `${/^[aeio]/.test(color) ? "an" : "a"} ${color} ${noun}`;
}
