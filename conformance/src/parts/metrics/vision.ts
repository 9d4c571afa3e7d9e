import { loadDino, loadImageReward } from "@refadgen/metrics";
import { type Comparison, compareRecorded, compareValues } from "../../compare.js";
import type { Recording } from "../../recording.js";
import { cosines } from "./clip.js";
import { formulaCheckpoint, formulaLookup } from "./formula.js";
import { pictures, rowsOf } from "./inputs.js";
import { dinoShapes } from "./shapes.js";

interface Settings {
  readonly salt: string;
  readonly weight_gain?: number;
  readonly checkpoint: string;
  readonly images: readonly string[];
}

const embeds = { max: 1e-4, rms: 1e-4, relative: true } as const;

export async function dinoTokens(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { salt, checkpoint, images, weight_gain: gain = 1 } = recording.settings;
  const dino = await loadDino(formulaCheckpoint({ salt, gain }, dinoShapes(checkpoint)));
  try {
    const inputs = await pictures(folder, images);
    const cls = await dino.embeddings(inputs);
    const tokens = await dino.tokens(inputs);
    return [
      ...(await compareRecorded(recording, "cls", cls.data, { max: 1e-4, relative: true })),
      ...(await compareRecorded(recording, "tokens", tokens.data, embeds)),
      compareValues("cosine", cosines(cls, cls), await recording.values("cosine"), { max: 1e-5 }),
    ];
  } finally {
    await dino.dispose();
  }
}

/** Every picture meets every prompt: rows are picture by picture. */
export async function imageReward(recording: Recording<Settings>, folder: string): Promise<Comparison[]> {
  const { salt, images, weight_gain: gain = 1 } = recording.settings;
  const network = await loadImageReward(formulaLookup({ salt, gain }));
  try {
    const vision = await network.vision(await pictures(folder, images));
    const [count, tokens, width] = vision.dims as [number, number, number];
    const ids = rowsOf(await recording.values("ids"), recording.dims("ids")[1]!);
    const each = tokens * width;
    const repeated = new Float32Array(count * ids.length * each);
    const first: number[] = [];
    const firstTokens = recording.has("vision_first_tokens") ? recording.dims("vision_first_tokens")[1]! : 0;
    for (let image = 0; image < count; image++) {
      const values = vision.data.subarray(image * each, (image + 1) * each);
      for (let prompt = 0; prompt < ids.length; prompt++) repeated.set(values, (image * ids.length + prompt) * each);
      first.push(...values.subarray(0, firstTokens * width));
    }
    const rows = Array.from({ length: count }, () => ids).flat();
    const { textStates, textState, raw, rewards } = await network.rewardsOf(
      { dtype: "float32", dims: [rows.length, tokens, width], data: repeated },
      rows,
    );
    return [
      ...(await compareRecorded(recording, "vision_tokens", vision.data, embeds)),
      ...(await compareRecorded(recording, "vision_first_tokens", first, { max: 1e-4, relative: true })),
      ...(await compareRecorded(recording, "text_hidden", textStates.data, embeds)),
      ...(await compareRecorded(recording, "text_cls", textState.data, { max: 1e-4, relative: true })),
      ...(await compareRecorded(recording, "mlp", raw, { max: 2e-4 })),
      ...(await compareRecorded(recording, "reward", rewards, { max: 2e-4 })),
    ];
  } finally {
    await network.dispose();
  }
}
