import type { Random } from "../../mini/random.js";
import type { PictureFacts } from "./facts.js";

/**
 * Captions from what was measured: in turn about the scene, the light and composition, the promise, and in short. They say nothing that nobody measured, so
 * they tell less than a model would; a run without a model is whole with them.
 *
 * @param phrase one product with its article: `a backpack`
 */
export function templateCaptions(phrase: string, facts: PictureFacts, count: number, random: Random): string[] {
  const thing = colored(phrase, facts.productColor);
  const bare = thing.replace(/^an? /, "");
  const ground = facts.backgroundColor === undefined ? "a plain background" : `${article(facts.backgroundColor)} background`;
  const place = { left: "on the left of the frame", centre: "in the middle of the frame", right: "on the right of the frame" }[
    facts.place ?? "centre"
  ];
  const near = { close: "seen from close by", medium: "with some room around it", small: "small within a wide view" }[facts.size ?? "medium"];
  const light = {
    bright: ["bright light", "clear daylight tones", "light and airy tones"],
    soft: ["soft light", "even, gentle light", "calm midtones"],
    dark: ["low light", "deep shadows", "a dark, moody setting"],
  }[facts.tone];
  const mood = { bright: ["fresh", "clean", "cheerful"], soft: ["calm", "natural", "warm"], dark: ["elegant", "dramatic", "quiet"] }[facts.tone];
  const contrast = facts.contrast === "strong" ? "standing out clearly" : "blending gently";
  const kinds: readonly (readonly string[])[] = [
    [
      `${capital(thing)} against ${ground}, ${place}.`,
      `A product photo of ${thing} in front of ${ground}.`,
      `${capital(thing)} shown ${place}, with ${ground} behind it.`,
    ],
    [
      `In ${random.pick(light)}, ${thing} is placed ${place}, ${near}.`,
      `An advertising shot of ${thing} ${near}, lit by ${random.pick(light)}.`,
      `The composition puts ${thing} ${place}, ${contrast} ${facts.contrast === "strong" ? "from" : "into"} its surroundings, in ${random.pick(light)}.`,
    ],
    [
      `A ${random.pick(mood)} advertisement for ${thing}, made for everyday use.`,
      `A ${random.pick(mood)} picture that invites you to try ${thing}.`,
      `The ${bare} that fits a ${random.pick(mood)} moment.`,
    ],
    [`${capital(thing)}, ${random.pick(mood)} and simple.`, `${capital(bare)} in ${random.pick(light)}.`, `Just ${thing}, nothing else needed.`],
  ];
  const starts = kinds.map(() => random.integer(0, 2));
  const captions: string[] = [];
  for (let turn = 0; captions.length < count && turn < 3; turn++) {
    for (const [kind, sentences] of kinds.entries())
      if (captions.length < count) captions.push(sentences[(starts[kind]! + turn) % sentences.length]!);
  }
  return captions;
}

/** `a bottle of shampoo` and `navy` → `a navy bottle of shampoo`; `a pair of sneakers` and `red` → `a pair of red sneakers`. */
function colored(phrase: string, color: string | undefined): string {
  if (color === undefined) return phrase;
  const pair = /^a (pair|piece) of (.+)$/.exec(phrase);
  return pair ? `a ${pair[1]} of ${color} ${pair[2]}` : article(`${color} ${phrase.replace(/^an? /, "")}`);
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
