import { ArgumentError } from "@refadgen/errors";
import { encodeImage } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import { decodeMask, encodeMask } from "./mask-file.js";
import { decodeNpy, encodeNpy } from "./npy.js";
import { testMask } from "./test-triplets.test.support.js";

function withCode(code: DatasetErrorCode): (error: unknown) => boolean {
  return (error) => DatasetError.isInstance(error) && error.code === code;
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error, got none");
}

/** A file of version 1.0 with any header. */
function file(header: string, content: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = Buffer.from(`${header}\n`, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from("\u0093NUMPY\u0001\u0000", "latin1"), length, text, content]);
}

describe("decodeNpy", () => {
  const six = Uint8Array.of(1, 2, 3, 4, 5, 6);

  it("turns Fortran's order into C's", () => {
    const { data } = decodeNpy(file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", six));
    expect([...data]).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it.each([
    ["objects", "{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", "refused"],
    ["records with objects", "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (6,), }", "refused"],
    ["more elements than allowed", "{'descr': '|u1', 'fortran_order': False, 'shape': (99999, 99999, 99999, 99999), }", "too-large"],
    ["less data than the shape says", "{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }", "format"],
    ["more data than the shape says", "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", "format"],
    ["negative sides", "{'descr': '|u1', 'fortran_order': False, 'shape': (-6,), }", "format"],
    ["a shape that is no tuple", "{'descr': '|u1', 'fortran_order': False, 'shape': (6), }", "format"],
    ["no order", "{'descr': '|u1', 'shape': (6,), }", "format"],
    ["a field twice", "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (6,), }", "format"],
    ["more fields", "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), 'x': 1}", "format"],
    ["a program", "__import__('os').system('true')", "format"],
    ["an unknown type", "{'descr': '<f16', 'fortran_order': False, 'shape': (6,), }", "format"],
    ["a type of prototypes", "{'descr': 'constructor', 'fortran_order': False, 'shape': (6,), }", "format"],
  ] as const)("refuses %s", (_, header, code) => {
    expect(thrownBy(() => decodeNpy(file(header, six)))).toSatisfy(withCode(code));
  });

  it("refuses a file that is cut off anywhere", () => {
    const whole = encodeNpy({ shape: [2, 3], data: six });
    for (let length = 0; length < whole.length; length++) expect(thrownBy(() => decodeNpy(whole.subarray(0, length)))).toSatisfy(withCode("format"));
    expect(decodeNpy(whole)).toEqual({ shape: [2, 3], data: six, type: "u1" });
  });

  it("reads from the middle of a larger buffer", () => {
    const whole = Buffer.concat([Buffer.alloc(3), encodeNpy({ shape: [2], data: Float64Array.of(1.5, -2) })]);
    expect(decodeNpy(whole.subarray(3)).data).toEqual(Float64Array.of(1.5, -2));
  });
});

describe("encodeNpy", () => {
  it("pads the header to 64 bytes and refuses a shape of another size", () => {
    const bytes = encodeNpy({ shape: [3, 2], data: new Uint8Array(6) });
    expect(bytes.length).toBe(128 + 6);
    expect(Buffer.from(bytes.subarray(6, 10))).toEqual(Buffer.from([1, 0, 118, 0]));
    expect(() => encodeNpy({ shape: [3, 3], data: new Uint8Array(6) })).toThrow(ArgumentError);
  });
});

describe("decodeMask", () => {
  const mask = testMask(3, 7, 5);
  const [width, height] = [7, 5];
  const npy = (values: Parameters<typeof encodeNpy>[0]["data"], shape: readonly number[] = [height, width]) => encodeNpy({ shape, data: values });
  const grey = (values: Uint8Array) => encodeImage({ width, height, channels: 1, data: values }, { format: "png" });
  const times = (factor: number) => mask.data.map((value) => value * factor);

  it.each(["png", "npy"] as const)("gives back what encodeMask made of it: %s", async (encoding) => {
    expect(await decodeMask("m", await encodeMask(mask, encoding))).toEqual(mask);
  });

  it("reads 0 and 255 as what was meant, and masks of any type with an axis too many", async () => {
    const forms = [
      npy(times(255)),
      npy(Float32Array.from(mask.data), [1, height, width]),
      npy(
        Float64Array.from(mask.data, (value) => value * 0.8),
        [height, width, 1],
      ),
      npy(BigInt64Array.from(mask.data, BigInt)),
      await grey(times(255)),
      await grey(times(1)),
      await grey(times(200)),
    ];
    for (const form of forms) expect(await decodeMask("m", form)).toEqual(mask);
  });

  it("reads an empty mask as one, which its file says", async () => {
    expect((await decodeMask("m", npy(new Uint8Array(35)))).data).toEqual(new Uint8Array(35));
  });

  it.each([
    ["numbers of instances, which would give an empty mask", () => npy(times(2))],
    ["weak fractions, which would too", () => npy(Float32Array.from(mask.data, (value) => value * 0.4))],
    ["dark pictures, which would too", () => grey(times(90))],
    ["negative values", () => npy(Int16Array.from(mask.data, (value) => -value))],
    ["values beyond 255", () => npy(Int16Array.from(mask.data, (value) => value * 256))],
    ["values that are no number", () => npy(Float32Array.from(mask.data, () => Number.NaN))],
    ["three planes", () => npy(new Uint8Array(105), [3, height, width])],
    ["a list", () => npy(new Uint8Array(35), [35])],
    ["colours", () => encodeImage({ width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) }, { format: "png" })],
    ["alpha", () => encodeImage({ width: 1, height: 1, channels: 4, data: Uint8Array.of(255, 255, 255, 9) }, { format: "png" })],
    ["anything else", () => Buffer.from("mask")],
  ] as const)("refuses %s", async (_, make) => {
    await expect(decodeMask("shard: k.mask", await make())).rejects.toSatisfy(
      (error) => withCode("format")(error) && String(error).includes("shard: k.mask"),
    );
  });

  it("refuses more pixels than allowed before decoding them", async () => {
    await expect(decodeMask("m", npy(mask.data), { maxPixels: 34 })).rejects.toSatisfy(withCode("too-large"));
    await expect(decodeMask("m", await grey(mask.data), { maxPixels: 34 })).rejects.toThrow(DatasetError);
  });
});
