import { fileURLToPath } from "node:url";
import { ArgumentError, RefAdGenError } from "@refadgen/errors";
import { Graph, linear, openSession } from "@refadgen/graph";
import { decodeImage, encodeImage, type Image, resizeImage } from "@refadgen/image";
import { type GenerateResult, RefAdGenPipeline } from "@refadgen/pipeline";

function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`expected that ${claim}`);
}

// Pixels.
const picture: Image = { width: 60, height: 90, channels: 3, data: Uint8Array.from({ length: 60 * 90 * 3 }, (_, index) => index % 251) };
const decoded = await decodeImage(await encodeImage(picture, { format: "png" }));
assert(Buffer.from(decoded.data).equals(Buffer.from(picture.data)), "a PNG keeps every pixel");

// Errors, recognised across packages.
try {
  resizeImage(decoded, { width: -1, height: 1 });
  assert(false, "a negative width is refused");
} catch (error) {
  assert(ArgumentError.isInstance(error) && RefAdGenError.isInstance(error), `errors are of one family, got ${String(error)}`);
}

// A graph, run by the engine in its own thread.
const graph = new Graph("consumer");
const weight = graph.constant("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
graph.output("y", linear(graph.input("x", "float32", [1, 3]), weight));
const session = await openSession(graph);
const { y } = await session.run({ x: { dtype: "float32", dims: [1, 3], data: Float32Array.of(1, 10, 100) } });
await session.dispose();
assert(y !== undefined && String(y.data) === "321,654", `the product of a matrix and a vector is 321, 654, got ${String(y?.data)}`);

// The whole chain.
const micro = fileURLToPath(new URL("../micro", import.meta.url));
const pipeline = await RefAdGenPipeline.fromPretrained({ base: `${micro}/base`, checkpoint: `${micro}/refadgen/mp_rank_00_model_states.pt` });
const { images, seed }: GenerateResult = await pipeline.generate({
  product: picture,
  mask: null,
  prompt: "a bottle on ice",
  steps: 2,
  width: 64,
  height: 72,
  seed: 42,
});
await pipeline.dispose();
const [image] = images;
assert(image?.width === 64 && image.height === 72 && seed === 42, "an image of the size asked for comes out, with its seed");
