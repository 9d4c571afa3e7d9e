import { fidAccumulator, type Inception, type InceptionLevel } from "@refadgen/metrics";

export interface MemoryFigures {
  /** Pictures so far → resident bytes then. */
  readonly resident: readonly (readonly [number, number])[];
}

/**
 * Resident memory of FID over many tiny pictures of which a stand-in makes 2048 features: what is held must not grow with their number.
 *
 * @param counts when to look, in ascending order
 */
export async function measureMemory(counts: readonly number[]): Promise<MemoryFigures> {
  const accumulator = fidAccumulator({ features: standIn() });
  const resident: [number, number][] = [];
  const batch = 50;
  let fed = 0;
  for (const count of counts) {
    for (; fed < count; fed += batch) {
      const pictures = Array.from({ length: batch }, (_, index) => {
        const data = new Uint8Array(12);
        new DataView(data.buffer).setUint32(0, fed + index);
        return { width: 2, height: 2, channels: 3 as const, data };
      });
      await accumulator.update({ side: "generated", pictures });
    }
    globalThis.gc?.();
    resident.push([count, process.memoryUsage.rss()]);
  }
  return { resident };
}

function standIn(): Inception {
  return {
    name: "stand-in",
    weights: [],
    contentKey: async () => "stand-in",
    dispose: async () => undefined,
    tensorFeatures: async () => new Map(),
    features: async (pictures) => {
      const data = new Float32Array(pictures.length * 2048);
      for (const [row, picture] of pictures.entries()) {
        const image = "image" in picture ? picture.image : picture;
        let state = (new DataView(image.data.buffer, image.data.byteOffset).getUint32(0) + 1) * 2654435761;
        for (let k = 0; k < 2048; k++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          data[row * 2048 + k] = state / 2 ** 32;
        }
      }
      return new Map<InceptionLevel, { dtype: "float32"; dims: number[]; data: Float32Array }>([
        [2048, { dtype: "float32", dims: [pictures.length, 2048], data }],
      ]);
    },
  };
}
