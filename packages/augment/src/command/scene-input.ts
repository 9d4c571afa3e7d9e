import { ArgumentError } from "@refadgen/errors";
import { loadImage } from "@refadgen/image";
import { lift } from "../lift/lift.js";
import { readSplats } from "../splats/read.js";
import type { SplatScene } from "../splats/scene.js";

/** What a command shows: splats, and whether they are known from the front only. */
export interface SceneInput {
  readonly scene: SplatScene;
  /** Lifted from one photo: its back is made up. */
  readonly lifted: boolean;
}

/**
 * A file of splats; or a photo, lifted.
 *
 * @param mask path of the photo's mask; without one the photo's transparency is taken.
 */
export async function loadScene(command: string, input: string, mask: string | undefined): Promise<SceneInput> {
  if (!/\.(png|jpe?g|webp|avif)$/i.test(input)) {
    if (mask !== undefined) throw new ArgumentError(`${command}: expected --mask with a photo, got it with ${input}`);
    return { scene: await readSplats(input), lifted: false };
  }
  const image = await loadImage(input);
  if (mask === undefined && image.channels !== 4 && image.channels !== 2) {
    throw new ArgumentError(`${command}: expected --mask MASK or a photo with transparency, got ${input} without either`);
  }
  const product = mask === undefined ? alphaMask(image) : await loadImage(mask);
  return { scene: lift(image, product).scene, lifted: true };
}

function alphaMask({ data, width, height, channels }: Awaited<ReturnType<typeof loadImage>>): Awaited<ReturnType<typeof loadImage>> {
  const alpha = new Uint8Array(width * height);
  for (let i = 0; i < alpha.length; i++) alpha[i] = data[i * channels + channels - 1]!;
  return { data: alpha, width, height, channels: 1 };
}
