import { expect, it } from "vitest";
import { widenToFloat32, widenToFloat64 } from "./widen.js";

/** IEEE 754 by its definition, slowly. */
function definition(code: number, exponentBits: number, mantissaBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const mantissa = (code % 2 ** mantissaBits) / 2 ** mantissaBits;
  const exponent = Math.floor(code / 2 ** mantissaBits) % 2 ** exponentBits;
  const sign = code >= 2 ** (exponentBits + mantissaBits) ? -1 : 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias));
}

const everyCode = Uint16Array.from({ length: 65536 }, (_, code) => code);

it.each([
  ["float16", 5, 10],
  ["bfloat16", 8, 7],
] as const)("%s: every code, subnormals, infinities, signed zeros and NaNs included", (dtype, exponentBits, mantissaBits) => {
  const values = widenToFloat32(dtype, new Uint8Array(everyCode.buffer));
  for (const code of everyCode)
    if (!Object.is(values[code], definition(code, exponentBits, mantissaBits))) throw new Error(`code ${code}: ${values[code]}`);
  expect(values.length).toBe(65536);
});

it("float16 at its limits", () => {
  const codes = Uint16Array.of(0x7bff, 0x0001, 0x0400, 0x8000, 0xfc00);
  expect([...widenToFloat32("float16", new Uint8Array(codes.buffer))]).toEqual([65504, 2 ** -24, 2 ** -14, -0, Number.NEGATIVE_INFINITY]);
});

it("float8_e4m3fn has no infinities: 0x7e is 448, 0x7f NaN", () => {
  expect([...widenToFloat32("float8_e4m3fn", Uint8Array.of(0x7e, 0x7f, 0xff, 0x01, 0x80))]).toEqual([448, Number.NaN, Number.NaN, 2 ** -9, -0]);
  expect([...widenToFloat32("float8_e5m2", Uint8Array.of(0x7b, 0x7c, 0x7d, 0x01))]).toEqual([57344, Number.POSITIVE_INFINITY, Number.NaN, 2 ** -16]);
});

it("float64 is rounded to the nearest float32", () => {
  const values = Float64Array.of(1 / 3, 1 + 2 ** -24, 1e-46, 1e39, -0);
  expect([...widenToFloat32("float64", new Uint8Array(values.buffer))]).toEqual([Math.fround(1 / 3), 1, 0, Number.POSITIVE_INFINITY, -0]);
});

it("bytes that begin at an odd address", () => {
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  expect([...widenToFloat32("float32", bytes.subarray(1))]).toEqual([1.5, -2]);
  expect([...widenToFloat64("int32", bytes.subarray(1))]).toEqual([0x3fc00000, -0x40000000]);
});

it("integers and booleans as float64", () => {
  expect([...widenToFloat64("int64", new Uint8Array(BigInt64Array.of(-5n, 2n ** 53n).buffer))]).toEqual([-5, 2 ** 53]);
  expect([...widenToFloat64("uint16", new Uint8Array(Uint16Array.of(65535).buffer))]).toEqual([65535]);
  expect([...widenToFloat64("int8", Uint8Array.of(0xff))]).toEqual([-1]);
  expect([...widenToFloat64("bool", Uint8Array.of(0, 1))]).toEqual([0, 1]);
});
