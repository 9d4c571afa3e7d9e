import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { maskIoU } from "../mask/mask.js";
import { type SceneOptions, scene } from "../scene.test.support.js";
import { grabCutExtractor, grabCutSegmenter } from "./grabcut.js";

const leaves = Array.from({ length: 160 }, (_, index) => {
  const [x, y] = [(index * 97) % 330, (index * 61) % 250];
  return `<ellipse cx="${x}" cy="${y}" rx="18" ry="9" transform="rotate(${index * 37} ${x} ${y})" fill="hsl(${90 + ((index * 13) % 50)} 45% ${25 + ((index * 7) % 30)}%)"/>`;
}).join("");
const onLeaves: SceneOptions = {
  width: 330,
  height: 250,
  background: `<rect width="100%" height="100%" fill="#35522c"/>${leaves}`,
  product: (paint) => `<rect x="110" y="60" width="101" height="130" rx="20" fill="${paint("#d8452f")}"/>`,
  noise: 3,
};

describe("GrabCut", () => {
  it("finds a product among leaves", async () => {
    const { image, mask } = await scene(onLeaves);
    const found = await grabCutExtractor().extract(image);
    expect(maskIoU(found.mask, mask)).toBeGreaterThan(0.97);
    expect(found.score).toBeGreaterThan(0.6);
  });

  it("segments in boxes, from a smaller copy", async () => {
    const { image, mask } = await scene(onLeaves);
    const [segment, elsewhere] = await grabCutSegmenter({ longestSide: 160, iterations: 3 }).segment(image, [
      { left: 95.5, top: 45.5, width: 130, height: 160 },
      { left: 0, top: 0, width: 60, height: 60 },
    ]);
    expect(maskIoU(segment!.mask, mask)).toBeGreaterThan(0.93);
    expect(elsewhere!.mask.data.length).toBe(330 * 250);
    expect(segment!.quality).toBeGreaterThan(elsewhere!.quality);
  });

  it("stops when aborted", async () => {
    const { image } = await scene(onLeaves);
    await expect(grabCutExtractor().extract(image, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("answers for pictures that are too small for it", async () => {
    const found = await grabCutExtractor().extract({ width: 2, height: 1, channels: 1, data: Uint8Array.of(1, 2) });
    expect([found.score, found.mask.data.length]).toEqual([0, 2]);
  });

  it.each([{ iterations: 0 }, { longestSide: 8 }])("refuses %o", (options) => {
    expect(() => grabCutExtractor(options)).toThrow(ArgumentError);
  });
});
