import { type Finding, plainWords } from "./problem.js";

/** Capitalised words of English that name no brand and no person. */
const ordinary = new Set(
  (
    "i i'm i've i'll i'd monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december " +
    "christmas xmas easter halloween hanukkah ramadan eid diwali thanksgiving valentine valentine's mother's father's new year year's eve black spring summer autumn fall winter " +
    "english french german italian spanish portuguese dutch greek turkish russian polish swedish danish norwegian finnish irish scottish british european american mexican brazilian " +
    "chinese japanese korean thai vietnamese indian persian turkish moroccan egyptian african asian arabic latin mediterranean scandinavian nordic alpine arctic caribbean hawaiian " +
    "victorian georgian gothic baroque renaissance bohemian boho bauhaus art deco nouveau oriental western zen parisian tuscan moroccan ottoman " +
    "earth moon sun mars milky way north south east west god " +
    "led oled lcd usb usb-c usb-a hdmi wifi wi-fi tv pc uv rgb dslr suv atv bbq diy vip hd uhd 4k 3d 2d 5g ac dc cd dvd gps ipad-sized a4 a5 b5 s m l xl xxl xs pu pvc eva eu us uk usa nyc aa aaa ev t-shirt " +
    "mr mrs ms dr st"
  ).split(" "),
);

/** Trade names that are met in these thirty categories; none is a word of its own in lower case. */
const brands = new Set(
  (
    "adidas nike reebok asics skechers fila umbro kappa lululemon patagonia fjallraven fjällräven kanken kånken jansport eastpak herschel samsonite osprey deuter timbuk2 tumi rimowa " +
    "levi's uniqlo zara zalando shein primark gucci prada chanel dior versace balenciaga hermes hermès fendi burberry givenchy valentino moschino bvlgari bulgari " +
    "samsung huawei xiaomi oppo oneplus nokia motorola iphone airpods macbook ipad bose sennheiser jbl akg sony philips panasonic toshiba anker belkin ugreen logitech " +
    "starbucks nescafe nescafé nespresso lavazza dunkin folgers keurig mcdonald's mcdonalds kfc pepsi pepsico coca-cola cocacola fanta heineken budweiser " +
    "loreal l'oréal l'oreal maybelline lancome lancôme clinique sephora nyx revlon covergirl rimmel shiseido nivea pantene garnier schwarzkopf tresemme tresemmé colgate oral-b sensodyne oralb " +
    "lays lay's doritos pringles cheetos oreo snickers kitkat kit-kat nestle nestlé haribo m&m's toblerone lindt " +
    "ikea moleskine leuchtturm montblanc sharpie faber-castell staedtler " +
    "toyota honda bmw mercedes mercedes-benz audi volkswagen vw porsche ferrari lamborghini tesla hyundai kia nissan mazda subaru volvo renault peugeot citroen citroën skoda škoda chevrolet jeep lexus bentley rolls-royce yamaha kawasaki suzuki ducati harley harley-davidson vespa ktm " +
    "spalding hydroflask contigo evian perrier instagram facebook tiktok youtube amazon ebay walmart alibaba temu"
  ).split(" "),
);

/** Names of two words, both of which are words of their own. */
const longBrands =
  /\b(?:north face|under armour|new balance|louis vuitton|michael kors|calvin klein|tommy hilfiger|ralph lauren|yves saint laurent|estee lauder|estée lauder|bobbi brown|mac cosmetics|urban decay|head (?:and|&) shoulders|old spice|body shop|coca cola|red bull|mountain dew|dr pepper|land rover|range rover|aston martin|royal enfield|apple (?:watch|airpods|iphone|logo|store)|google pixel|beats by dre|hydro flask)\b/gi;

export interface NameContext {
  /** Names that may be said. */
  readonly allowed: readonly string[];
  /** Text that is known to be printed in the picture. */
  readonly visible: readonly string[];
}

/**
 * Brands, names and quoted text of captions that nobody vouched for. A word counts as a name when it is written like one (a capital where no sentence
 * begins, capitals within) or is a well-known brand; at the start of a sentence only the latter can be told.
 */
export function nameFindings(captions: readonly string[], { allowed, visible }: NameContext): readonly Finding[][] {
  const known = new Set([...allowed, ...visible].flatMap(namesOf));
  const isKnown = (word: string) => known.has(bare(word)) || known.has(bare(word).replace(/s$/, ""));
  const readings = captions.map(quotedText);
  return captions.map((caption, index) => {
    const findings: Finding[] = [];
    const invented = [...new Set(namesIn(unquoted(caption)).filter((word) => !isKnown(word)))];
    if (invented.length > 0) findings.push({ code: "invented-name", message: `names ${plainWords(invented)}, which nothing vouches for` });
    const unread = readings[index]!.filter((text) => !wordsOfName(text).every((word) => known.has(word)));
    const differs = readings.some(
      (others, other) => other < index && others.length > 0 && readings[index]!.some((text) => others.every((one) => fold(one) !== fold(text))),
    );
    if (unread.length > 0 || differs)
      findings.push({
        code: "quoted-text",
        message: unread.length > 0 ? "quotes text that is not known to be there" : "reads the printed text otherwise than another caption",
      });
    if (known.size === 0 && /\b(?:logos?|brand(?:ed|ing| name)?|trademarks?|monogram(?:med)?|emblems?|insignia)\b|[®™©]/i.test(caption)) {
      findings.push({ code: "brand-detail", message: "speaks of a logo or brand; none is known" });
    }
    return findings;
  });
}

const quotation = /["“”„«»]([^"“”„«»]{1,80})["“”„«»]|(?<![\p{L}\p{N}])[‘']([^'‘’]{2,60})['’](?![\p{L}\p{N}])/gu;

function quotedText(caption: string): string[] {
  return [...caption.matchAll(quotation)].map((match) => (match[1] ?? match[2])!.trim()).filter((text) => /[\p{L}\p{N}]/u.test(text));
}

function unquoted(caption: string): string {
  return caption.replace(quotation, "“”");
}

function namesIn(caption: string): string[] {
  const found: string[] = [...(caption.match(longBrands) ?? [])];
  const words = [...caption.matchAll(/[\p{L}\p{N}&]+(?:['’.-][\p{L}\p{N}]+)*/gu)];
  const long = words.filter(([word]) => word.length > 3);
  // Written Like A Headline, capitals say nothing.
  const headline = long.length >= 4 && long.filter(([word]) => /^\p{Lu}/u.test(word)).length > 0.6 * long.length;
  for (const match of words) {
    const word = match[0];
    const plain = bare(word);
    if (ordinary.has(plain) || ordinary.has(plain.replace(/'s$/, ""))) continue;
    const before = caption.slice(0, match.index).trimEnd();
    const starts = before === "" || /[.!?:…"“„«(]$/.test(before);
    const trade = brands.has(plain) || brands.has(plain.replace(/'?s$/, ""));
    const odd = /\p{Ll}\p{Lu}/u.test(word) || (/^[\p{Lu}\p{N}&.-]{2,}$/u.test(word) && /\p{Lu}/u.test(word));
    const capital = /^\p{Lu}/u.test(word) && !starts && !headline;
    if (trade || odd || capital) found.push(word);
  }
  return found;
}

/** The words of a name and the name as a whole. */
function namesOf(text: string): string[] {
  return [fold(text), ...wordsOfName(text)];
}

function wordsOfName(text: string): string[] {
  return text
    .split(/[^\p{L}\p{N}&'’.-]+/u)
    .map(bare)
    .filter((word) => word !== "");
}

function fold(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function bare(word: string): string {
  return word
    .toLowerCase()
    .replaceAll("’", "'")
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "")
    .replace(/'s$/, "");
}
