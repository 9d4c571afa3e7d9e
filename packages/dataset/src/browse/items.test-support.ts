import { encodeImage, type Image } from "@refadgen/image";
import { random } from "../mini/random.js";
import { miniTriplet } from "../mini/triplet.js";
import { type DecisionStoreOptions, decisionStore } from "./memory-store.js";
import type { BrowseItem, DecisionStore } from "./store.js";

const categories = ["backpack", "cup", "sneakers", "umbrella"];

/** Items that have rows but no pictures. */
export function plainItems(count: number, hostile = ""): BrowseItem[] {
  const draw = random("browse", count);
  return Array.from({ length: count }, (_, index) => ({
    key: String(index).padStart(6, "0"),
    category: categories[index % categories.length]! + hostile,
    captions: [
      `A ${categories[index % categories.length]} on a table.${hostile}`,
      "Soft light from the left.",
      "Made for long days.",
      "A quiet picture.",
    ],
    scores: {
      sharpness: Number((0.2 + 0.7 * draw.uniform()).toFixed(4)),
      watermark: draw.chance(0.2) ? null : Number((draw.uniform() ** 4).toFixed(4)),
    },
    reasons: draw.chance(0.15) ? [{ code: "watermark", message: `a watermark covers ${draw.integer(2, 30)} % of the picture${hostile}` }] : [],
    split: index % 10 === 0 ? "test" : "train",
    pictures: ["ad", "product", "mask", "variant-0", "variant-1"],
  }));
}

/** Plain items, drawn by AdProd-Mini when somebody looks at them. */
export function miniStore(count: number, options: Partial<DecisionStoreOptions> & { readonly hostile?: string } = {}): DecisionStore {
  const png = async (image: Image) => ({ bytes: await encodeImage(image, { format: "png" }), type: "image/png" as const });
  return decisionStore(plainItems(count, options.hostile), {
    async picture(key, role) {
      const index = Number(key);
      if (!(index < count) || role === "variant-9") return undefined;
      const wanted = [categories[index % categories.length]!];
      const { ad, product, views } = miniTriplet(index, {
        seed: 3,
        width: 128,
        height: 160,
        categories: wanted,
        views: role.startsWith("variant") ? 2 : 0,
      });
      if (role === "mask") return png({ width: 128, height: 160, channels: 1, data: ad.mask.data.map((value) => 255 * value) });
      return png(role === "ad" ? ad.image : role === "product" ? product.image : views[Number(role.slice(8))]!.image);
    },
    ...options,
  });
}
