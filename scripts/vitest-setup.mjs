// Loaded before every test file: arrays of numbers that hold the same bytes are equal at once. vitest looks at them element by element, which takes seconds
// for a picture; it still does so where they differ, to say where.
import { expect } from "vitest";

expect.addEqualityTesters([
  function sameBytes(a, b) {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor || a.byteLength !== b.byteLength) return undefined;
    return bytesOf(a).equals(bytesOf(b)) ? true : undefined;
  },
]);

function bytesOf({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength);
}
