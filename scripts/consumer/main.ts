import { ArgumentError, RefAdGenError } from "@refadgen/errors";
import { decodeImage, encodeImage, type Image, imageToTensor, resizeImage } from "@refadgen/image";

function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`expected that ${claim}`);
}

const picture: Image = { width: 3, height: 2, channels: 3, data: Uint8Array.from({ length: 18 }, (_, index) => index * 14) };
const decoded = await decodeImage(await encodeImage(picture, { format: "png" }));
assert(Buffer.from(decoded.data).equals(Buffer.from(picture.data)), "a PNG keeps every pixel");

const shrunk = resizeImage(decoded, { width: 2, height: 1 }, { filter: "box" });
const tensor: Float32Array = imageToTensor(shrunk);
assert(tensor.length === 6, "a picture of 2 × 1 has 6 values");

try {
  resizeImage(decoded, { width: -1, height: 1 });
  assert(false, "a negative width is refused");
} catch (error) {
  assert(ArgumentError.isInstance(error) && RefAdGenError.isInstance(error), `errors are recognised across packages, got ${String(error)}`);
}
