import { extract, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import { type ReadTarOptions, type RefusedEntry, readTar, type TarEntry } from "./tar-read.js";
import { writeTar } from "./tar-write.js";
import { collect, each } from "./test-triplets.test.support.js";

const entries: readonly TarEntry[] = [
  { path: "k1.ad.png", bytes: Buffer.from("a picture") },
  { path: "k1.json", bytes: new Uint8Array(0) },
  { path: `${"long/".repeat(30)}name.bin`, bytes: Buffer.alloc(512, 7) },
  { path: `${"x".repeat(150)}.txt`, bytes: Buffer.alloc(1025, 9) },
  { path: "ünïcode/杯.json", bytes: Buffer.alloc(700) },
];
const plain = (list: readonly TarEntry[]) => list.map(({ path, bytes }) => ({ path, bytes: [...bytes] }));
const archive = async (list: readonly TarEntry[] = entries) => Buffer.concat(await collect(writeTar(list)));
const read = (bytes: Uint8Array, options?: ReadTarOptions) => collect(readTar(each([bytes]), options));
const coded = (code: DatasetErrorCode) => (error: unknown) => DatasetError.isInstance(error) && error.code === code;

async function packed(...headers: Parameters<ReturnType<typeof pack>["entry"]>[0][]): Promise<Buffer> {
  const stream = pack();
  for (const header of headers) stream.entry(header, header.type && header.type !== "file" ? "" : "data");
  stream.finalize();
  return Buffer.concat((await collect(stream as AsyncIterable<Uint8Array>)) as Uint8Array[]);
}

/** Sets the check sum of the header at the beginning right. */
function summed(bytes: Buffer): Buffer {
  bytes.fill(" ", 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

describe("writeTar and readTar", () => {
  it("give back every entry, in pieces of any size", async () => {
    const bytes = await archive();
    expect(plain(await read(bytes))).toEqual(plain(entries));
    for (const size of [1, 511, 513, 1000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
      expect(plain(await collect(readTar(each(pieces))))).toEqual(plain(entries));
    }
  });

  it("give the same bytes at any time", async () => {
    const first = await archive();
    await new Promise((resolve) => setTimeout(resolve, 1010));
    expect(Buffer.compare(await archive(), first)).toBe(0);
    expect(first.length % 512).toBe(0);
  });

  it("agree with tar-stream", async () => {
    const stream = extract();
    stream.end(await archive());
    const found: TarEntry[] = [];
    for await (const entry of stream) {
      expect({ mode: entry.header.mode, mtime: entry.header.mtime, uid: entry.header.uid, gid: entry.header.gid, uname: entry.header.uname }).toEqual(
        {
          mode: 0o444,
          mtime: new Date(0),
          uid: 0,
          gid: 0,
          uname: "",
        },
      );
      found.push({ path: entry.header.name, bytes: Buffer.concat((await collect(entry as AsyncIterable<Uint8Array>)) as Uint8Array[]) });
    }
    expect(plain(found)).toEqual(plain(entries));
  });

  it("refuse to write paths that leave the archive", async () => {
    for (const path of ["/etc/passwd", "../x", "a/../../x", "a\\b", "C:x", "", "a\nb", "."])
      await expect(archive([{ path, bytes: Buffer.from("") }])).rejects.toSatisfy(coded("refused"));
  });
});

describe("readTar", () => {
  it("finds an archive that is cut off at any block, or within one", async () => {
    const bytes = await archive();
    // The last block may be missing: one block of zeros marks the end.
    for (let length = 0; length < bytes.length - 1024; length += 256)
      await expect(read(bytes.subarray(0, length)), `${length}`).rejects.toThrow("cut off");
    expect(await read(bytes.subarray(0, -512))).toHaveLength(entries.length);
  });

  it("finds a flipped bit in a header", async () => {
    const bytes = await archive();
    for (const at of [0, 99, 124, 156, 300]) {
      const broken = Buffer.from(bytes);
      broken[at]! ^= 1;
      await expect(read(broken), `${at}`).rejects.toSatisfy(coded("format"));
    }
  });

  it("passes folders over and refuses links, devices and paths that leave the archive, or tells of them", async () => {
    const bytes = await packed(
      { name: "folder/", type: "directory" },
      { name: "good.txt" },
      { name: "link", type: "symlink", linkname: "/etc/passwd" },
      { name: "hard", type: "link", linkname: "good.txt" },
      { name: "device", type: "character-device" },
      { name: "../escape.txt" },
      { name: "/absolute.txt" },
      { name: "./last.txt" },
    );
    await expect(read(bytes)).rejects.toSatisfy(coded("refused"));
    const refused: RefusedEntry[] = [];
    const found = await read(bytes, { onRefused: (entry) => refused.push(entry) });
    expect(found.map(({ path }) => path)).toEqual(["good.txt", "last.txt"]);
    expect(refused.map(({ path, error }) => [path, error.code])).toEqual(
      ["link", "hard", "device", "../escape.txt", "/absolute.txt"].map((path) => [path, "refused"]),
    );
  });

  it("keeps to its limits", async () => {
    const bytes = await archive();
    await expect(read(bytes, { maxEntries: 4 })).rejects.toSatisfy(coded("too-large"));
    await expect(read(bytes, { maxEntryBytes: 1024 })).rejects.toSatisfy(coded("too-large"));
    await expect(read(bytes, { maxTotalBytes: 3000 })).rejects.toSatisfy(coded("too-large"));
    const refused: RefusedEntry[] = [];
    expect(await read(bytes, { maxEntryBytes: 1024, onRefused: (entry) => refused.push(entry) })).toHaveLength(4);
    expect(refused[0]!.error.code).toBe("too-large");
  });

  it("takes no memory for a size that is only said", async () => {
    const huge = Buffer.from(await archive([{ path: "a", bytes: Buffer.from("x") }]));
    huge.write("77777777777\0", 124, "latin1");
    await expect(read(summed(huge))).rejects.toSatisfy(coded("too-large"));
    await expect(read(huge, { maxEntryBytes: 2 ** 50, maxTotalBytes: 2 ** 50 })).rejects.toThrow("cut off");
    const beyond = Buffer.from(huge);
    beyond.fill(0xff, 124, 136);
    await expect(read(summed(beyond))).rejects.toSatisfy(coded("format"));
  });

  it("refuses sparse files and broken pax records, and takes sizes and paths from good ones", async () => {
    await expect(read(await packed({ name: "a", pax: { "GNU.sparse.major": "1" } } as never))).rejects.toSatisfy(coded("refused"));
    const bytes = await packed({ name: "a", pax: { path: "better.txt", size: "4" } } as never);
    expect((await read(bytes)).map(({ path, bytes: content }) => [path, Buffer.from(content).toString()])).toEqual([["better.txt", "data"]]);
    bytes.write("8", 512, "latin1");
    await expect(read(bytes)).rejects.toThrow("pax records");
  });

  it("stops when it is told to, and closes the stream when the caller has had enough", async () => {
    let closed = false;
    const bytes = await archive();
    async function* stream() {
      try {
        yield bytes;
        yield bytes;
      } finally {
        closed = true;
      }
    }
    for await (const _ of readTar(stream())) break;
    expect(closed).toBe(true);
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await expect(read(bytes, { signal: controller.signal })).rejects.toThrow("enough");
  });
});
