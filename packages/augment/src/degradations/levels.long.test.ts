import { fileURLToPath } from "node:url";
import { loadImage, toGrey, toRgb } from "@refadgen/image";
import { expect, test } from "vitest";
import { parameterGenerator } from "../random/generator.js";
import { degradationNames, degrade, sampleDegradation } from "./catalogue.js";
import { strengths } from "./magnitudes.js";
import { ssim } from "./similarity.js";

const draws = 3;

// The front view of the bottle among the conformance kit's scenes, on which the levels are defined.
test.each(degradationNames)("%s: each level leaves less than the one before", async (name) => {
  const [rgb, mask] = await Promise.all(
    ["rgb", "mask"].map((kind) => loadImage(fileURLToPath(new URL(`../../fixtures/bottle_${kind}.png`, import.meta.url)))),
  );
  const sample = { image: toRgb(rgb!), mask: toGrey(mask!) };
  let last = 1;
  for (const strength of strengths) {
    let mean = 0;
    for (let variant = 0; variant < draws; variant++) {
      const params = sampleDegradation(name, parameterGenerator({ seed: "monotone", variant, transform: name }), strength, sample.image);
      mean += ssim(sample.image, (await degrade(sample, name, params)).image) / draws;
    }
    // Where structure is gone, it stays gone; draws vary by this.
    expect(mean).toBeLessThan(last + 0.01);
    last = mean;
  }
});
