import { alphaOf, type Image } from "@refadgen/image";
import type { Extraction, Extractor } from "../contract.js";
import { doubtsOfMask, judged } from "../judge.js";
import { emptyMask, thresholdMask } from "../mask/mask.js";

const name = "alpha";

/** The picture's own transparency. */
export function alphaExtractor(): Extractor {
  return {
    name,
    async extract(image, { signal } = {}) {
      signal?.throwIfAborted();
      return fromAlpha(image);
    },
  };
}

function fromAlpha(image: Image): Extraction {
  const alpha = alphaOf(image)?.data;
  const mask = thresholdMask(image, alpha ?? []);
  if (!alpha || !mask.data.includes(0)) {
    const message = alpha ? "the picture's alpha channel is opaque everywhere." : "the picture has no alpha channel.";
    return judged(name, emptyMask(image), new Uint8Array(mask.data.length), 0, [{ code: "no-transparency", message, factor: 0 }]);
  }
  return judged(name, mask, alpha, 1, doubtsOfMask(mask));
}
