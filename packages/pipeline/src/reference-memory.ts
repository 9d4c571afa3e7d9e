import { createHash } from "node:crypto";
import type { Tensor } from "@refadgen/graph";
import type { Image } from "@refadgen/image";
import type { Request } from "./request.js";

type References = readonly Readonly<Record<string, Tensor<"float32">>>[];

/**
 * The last product's reference features. They are worth remembering where they depend on the product alone: its latents are the
 * posterior's mean, and the reference attends to the image encoder's tokens.
 */
export class ReferenceMemory {
  #last: { readonly key: string; readonly value: References } | undefined;

  remember(image: Image, request: Request, value: References): void {
    if (dependsOnProductAlone(request)) this.#last = { key: keyOf(image, request), value };
  }

  recall(image: Image, request: Request): References | undefined {
    return dependsOnProductAlone(request) && this.#last?.key === keyOf(image, request) ? this.#last.value : undefined;
  }

  forget(): void {
    this.#last = undefined;
  }
}

function dependsOnProductAlone({ productEncoding, referenceContext }: Request): boolean {
  return productEncoding === "mean" && referenceContext === "image";
}

function keyOf({ width, height, data }: Image, request: Request): string {
  const digest = createHash("sha256").update(data).digest("hex");
  return `${digest} ${width} × ${height} to ${request.width} × ${request.height}, ${request.guidanceScale > 1 ? "guided" : "plain"}`;
}
