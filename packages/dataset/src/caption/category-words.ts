/** How a category is spoken of in English. */
export interface CategoryWords {
  /** One of it, with its article. */
  readonly phrase: string;
  /** Words of which a caption must have one; plurals are found too. */
  readonly accepted: readonly string[];
  /** What such a product is not: a caption that has one of these and none of the accepted is of another product. */
  readonly contradicting: readonly string[];
}

/** The thirty categories of the paper's Table 1, by their lower-case name. */
export const tableOneWords: Readonly<Record<string, CategoryWords>> = {
  backpack: {
    phrase: "a backpack",
    accepted: ["backpack", "rucksack", "knapsack", "daypack", "school bag", "schoolbag", "book bag"],
    contradicting: ["suitcase", "luggage", "trolley", "handbag", "purse", "briefcase", "duffel bag", "tote"],
  },
  bench: { phrase: "a bench", accepted: ["bench", "settee"], contradicting: ["chair", "sofa", "couch", "stool", "table", "bed", "desk"] },
  "body wash": {
    phrase: "a bottle of body wash",
    accepted: ["body wash", "shower gel", "body cleanser", "shower cream"],
    contradicting: ["shampoo", "conditioner", "perfume", "lotion", "toothpaste", "foundation"],
  },
  bottle: { phrase: "a bottle", accepted: ["bottle", "flask", "tumbler"], contradicting: ["can", "cup", "mug", "jar", "vase", "bowl"] },
  car: {
    phrase: "a car",
    accepted: [
      "car",
      "sedan",
      "suv",
      "coupe",
      "coupé",
      "hatchback",
      "convertible",
      "sports car",
      "automobile",
      "vehicle",
      "limousine",
      "station wagon",
      "minivan",
    ],
    contradicting: ["motorcycle", "motorbike", "bicycle", "bus", "truck", "boat", "train"],
  },
  "cell phone": {
    phrase: "a cell phone",
    accepted: ["cell phone", "cellphone", "smartphone", "mobile phone", "phone", "mobile", "handset"],
    contradicting: ["tablet", "laptop", "camera", "television", "remote control", "calculator"],
  },
  chargers: {
    phrase: "a charger",
    accepted: ["charger", "power adapter", "adapter", "power bank", "charging station", "charging pad", "charging cable", "charging dock"],
    contradicting: ["lamp", "speaker", "router", "computer mouse", "phone case"],
  },
  clothing: {
    phrase: "a piece of clothing",
    accepted: [
      "clothing",
      "clothes",
      "shirt",
      "t-shirt",
      "blouse",
      "dress",
      "jacket",
      "coat",
      "sweater",
      "hoodie",
      "jeans",
      "trousers",
      "pants",
      "skirt",
      "shorts",
      "suit",
      "cardigan",
      "top",
      "jumper",
      "sweatshirt",
      "vest",
      "outfit",
      "garment",
      "blazer",
      "pullover",
      "gown",
      "tunic",
      "leggings",
    ],
    contradicting: ["shoe", "sneaker", "handbag", "backpack", "curtain", "towel"],
  },
  coffee: {
    phrase: "a cup of coffee",
    accepted: ["coffee", "espresso", "latte", "cappuccino", "americano", "mocha", "macchiato", "cold brew", "flat white"],
    contradicting: ["tea", "beer", "wine", "juice", "soup", "milkshake", "lemonade"],
  },
  cup: {
    phrase: "a cup",
    accepted: ["cup", "mug", "teacup", "beaker", "tumbler"],
    contradicting: ["bottle", "bowl", "plate", "wine glass", "vase", "jar"],
  },
  eyeshadow: {
    phrase: "an eyeshadow palette",
    accepted: ["eyeshadow", "eye shadow", "eye palette", "shadow palette", "makeup palette", "make-up palette"],
    contradicting: ["lipstick", "mascara", "foundation", "nail polish", "blush", "watercolour", "watercolor"],
  },
  fork: { phrase: "a fork", accepted: ["fork"], contradicting: ["spoon", "knife", "chopstick", "spatula", "ladle", "whisk"] },
  foundation: {
    phrase: "a bottle of foundation",
    accepted: ["foundation", "liquid makeup", "liquid make-up", "bb cream", "cc cream"],
    contradicting: ["lipstick", "perfume", "nail polish", "shampoo", "mascara", "eyeshadow"],
  },
  handbag: {
    phrase: "a handbag",
    accepted: ["handbag", "hand bag", "purse", "tote", "clutch", "shoulder bag", "crossbody bag", "satchel", "bag"],
    contradicting: ["suitcase", "backpack", "rucksack", "briefcase", "wallet", "basket"],
  },
  hats: {
    phrase: "a hat",
    accepted: ["hat", "cap", "beanie", "fedora", "bonnet", "beret", "bucket hat", "sombrero", "panama", "visor", "trilby"],
    contradicting: ["helmet", "wig", "scarf", "umbrella", "hood"],
  },
  headphones: {
    phrase: "a pair of headphones",
    accepted: ["headphone", "headset", "earphone", "earbud", "ear bud"],
    contradicting: ["speaker", "microphone", "helmet", "hearing aid", "goggles"],
  },
  kite: {
    phrase: "a kite",
    accepted: ["kite"],
    contradicting: ["balloon", "parachute", "drone", "airplane", "aeroplane", "umbrella", "bird", "hang glider"],
  },
  lipstick: {
    phrase: "a lipstick",
    accepted: ["lipstick", "lip stick", "lip colour", "lip color", "lip balm", "lip gloss"],
    contradicting: ["mascara", "eyeshadow", "foundation", "nail polish", "candle", "perfume", "bullet"],
  },
  motorcycle: {
    phrase: "a motorcycle",
    accepted: ["motorcycle", "motorbike", "motor bike", "scooter", "moped", "chopper", "cruiser bike", "dirt bike", "bike"],
    contradicting: ["car", "bicycle", "truck", "bus", "skateboard", "quad"],
  },
  notebooks: {
    phrase: "a notebook",
    accepted: ["notebook", "journal", "notepad", "diary", "planner", "sketchbook", "exercise book"],
    contradicting: ["laptop", "magazine", "newspaper", "tablet", "envelope", "folder"],
  },
  pens: {
    phrase: "a pen",
    accepted: ["pen", "ballpoint", "fountain pen", "rollerball", "marker", "fineliner"],
    contradicting: ["pencil", "brush", "crayon", "knife", "screwdriver", "toothbrush"],
  },
  pillows: { phrase: "a pillow", accepted: ["pillow", "cushion"], contradicting: ["blanket", "mattress", "towel", "rug", "duvet"] },
  rugs: { phrase: "a rug", accepted: ["rug", "carpet", "mat", "runner"], contradicting: ["curtain", "blanket", "tablecloth", "towel", "wallpaper"] },
  shampoo: {
    phrase: "a bottle of shampoo",
    accepted: ["shampoo", "hair cleanser", "hair wash"],
    contradicting: ["body wash", "shower gel", "perfume", "lotion", "toothpaste", "foundation", "detergent"],
  },
  snacks: {
    phrase: "a bag of snacks",
    accepted: [
      "snack",
      "chip",
      "crisp",
      "cracker",
      "popcorn",
      "pretzel",
      "nut",
      "cookie",
      "biscuit",
      "candy",
      "granola bar",
      "chocolate",
      "wafer",
      "jerky",
      "dried fruit",
      "cereal bar",
      "treat",
    ],
    contradicting: ["pizza", "burger", "soup", "salad", "shampoo", "coffee"],
  },
  sneakers: {
    phrase: "a pair of sneakers",
    accepted: [
      "sneaker",
      "trainer",
      "running shoe",
      "athletic shoe",
      "sports shoe",
      "tennis shoe",
      "basketball shoe",
      "gym shoe",
      "plimsoll",
      "shoe",
    ],
    contradicting: ["boot", "sandal", "slipper", "high heel", "loafer", "flip-flop"],
  },
  "sports ball": {
    phrase: "a ball",
    accepted: ["ball", "football", "basketball", "volleyball", "baseball", "tennis ball", "soccer ball", "rugby ball", "golf ball", "handball"],
    contradicting: ["balloon", "orange", "globe", "frisbee", "racket", "puck"],
  },
  toothbrush: {
    phrase: "a toothbrush",
    accepted: ["toothbrush", "tooth brush"],
    contradicting: ["hairbrush", "paintbrush", "comb", "razor", "pen", "makeup brush"],
  },
  umbrella: {
    phrase: "an umbrella",
    accepted: ["umbrella", "parasol", "brolly"],
    contradicting: ["tent", "kite", "walking stick", "cane", "parachute", "hat"],
  },
  "wine glass": {
    phrase: "a glass of wine",
    accepted: ["wine glass", "wineglass", "glass of wine", "glass of red wine", "glass of white wine", "stemware", "wine goblet", "goblet", "glass"],
    contradicting: ["bottle", "mug", "cup", "can", "vase", "champagne flute"],
  },
};

/** Words of any category: Table 1's, or its own name. */
export function categoryWords(category: string): CategoryWords {
  const name = category.trim().toLowerCase().replaceAll(/[_-]+/g, " ");
  const known = tableOneWords[name] ?? Object.entries(tableOneWords).find(([other]) => singular(other) === singular(name))?.[1];
  if (known) return known;
  const one = singular(name);
  return { phrase: `${/^[aeiou]/.test(one) ? "an" : "a"} ${one}`, accepted: [one], contradicting: [] };
}

/** Whether the word stands in the text, as itself or as its plural. */
export function saysWord(text: string, word: string): boolean {
  const stem = singular(word.toLowerCase())
    .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/[\s-]+/g, "[\\s-]+");
  const endings = /y$/.test(stem)
    ? `(?:${stem}s?|${stem.slice(0, -1)}ies)`
    : /fe?$/.test(stem)
      ? `(?:${stem}s?|${stem.replace(/fe?$/, "")}ves)`
      : `${stem}(?:s|es)?`;
  return new RegExp(`(?<![\\p{L}\\p{N}])${endings}(?![\\p{L}\\p{N}])`, "iu").test(text);
}

function singular(name: string): string {
  return /ss$|us$|is$|jeans$|pants$|shorts$|trousers$|leggings$|clothes$|goggles$/.test(name) ? name : name.replace(/s$/, "");
}
