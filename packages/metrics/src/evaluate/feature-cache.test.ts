import { createHash } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Inception, InceptionLevel, Picture } from "../networks/contract.js";
import { cachedInception } from "./cached-networks.js";
import { FeatureCache } from "./feature-cache.js";
import { temporaryFolder, writeImages } from "./fixture-images.test-support.js";
import { PictureReader } from "./pictures.js";
import { StateCache } from "./state-cache.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

const digest = (name: string) => createHash("sha256").update(name).digest("hex");
const row = (seed: number) => Float32Array.from({ length: 5 }, (_, index) => Math.fround(seed + index / 7));

describe("FeatureCache", () => {
  it("keeps rows for later processes and several writers", async () => {
    const place = join(folder, "several");
    const first = await FeatureCache.open(place, 5);
    const second = await FeatureCache.open(place, 5);
    await first.put(new Map([[digest("a"), row(1)]]));
    await second.put(new Map([[digest("b"), row(2)]]));
    expect(await first.get(digest("a"))).toEqual(row(1));
    expect(await first.get(digest("b"))).toBeUndefined();
    await Promise.all([first.close(), second.close()]);
    const later = await FeatureCache.open(place, 5);
    expect([await later.get(digest("a")), await later.get(digest("b")), await later.get(digest("c"))]).toEqual([row(1), row(2), undefined]);
    await later.close();
  });

  it("takes what is half-written or damaged for absent", async () => {
    const place = join(folder, "damaged");
    const cache = await FeatureCache.open(place, 5);
    await cache.put(new Map(["a", "b", "c"].map((name, index) => [digest(name), row(index)])));
    await cache.close();
    const [name] = await readdir(place);
    const bytes = await readFile(join(place, name!));
    bytes[40 + 56] = bytes[40 + 56]! ^ 1; // a value of the second of three records of 56 bytes
    await writeFile(join(place, name!), bytes);
    await appendFile(join(place, name!), bytes.subarray(0, 30));
    const later = await FeatureCache.open(place, 5);
    expect([await later.get(digest("a")), await later.get(digest("b")), await later.get(digest("c"))]).toEqual([row(0), undefined, row(2)]);
    await later.put(new Map([[digest("b"), row(9)]]));
    expect(await later.get(digest("b"))).toEqual(row(9));
    await later.close();
  });
});

describe("cachedInception", () => {
  it("runs the network only for pictures and levels that it has not seen", async () => {
    await writeImages(folder, { "1.png": 1, "2.png": 2, "3.png": 3 });
    const ran: number[] = [];
    const network: Inception = {
      name: "counting",
      weights: [],
      contentKey: async () => "key",
      dispose: async () => undefined,
      tensorFeatures: () => Promise.reject(new Error("not needed")),
      features: async (pictures, { levels = [2048] }) => {
        ran.push(pictures.length);
        return new Map(levels.map((level) => [level, features(pictures, level)]));
      },
    };
    const features = (pictures: readonly Picture[], level: InceptionLevel) => {
      const width = level as number;
      const data = Float32Array.from({ length: pictures.length * width }, (_, index) => {
        const picture = pictures[Math.floor(index / width)]!;
        return ("image" in picture ? picture.image : picture).data[index % width]! + width;
      });
      return { dtype: "float32" as const, dims: [pictures.length, width], data };
    };
    const reader = new PictureReader();
    const read = async (...names: readonly string[]) =>
      Promise.all(
        names.map(async (name) => {
          const result = await reader.read(join(folder, `${name}.png`));
          if (!("picture" in result)) throw new Error(result.reason);
          return result.picture;
        }),
      );
    const complaints: string[] = [];
    const store = { folder: join(folder, "cache"), onFailure: (message: string) => void complaints.push(message) };
    const first = cachedInception(network, store);
    const expected = features(await read("2", "1", "3"), 64);
    await first.features(await read("1", "2"), { input: "pytorch-fid", levels: [64] });
    expect((await first.features(await read("2", "1", "3"), { input: "pytorch-fid", levels: [64] })).get(64)).toEqual(expected);
    await first.dispose();
    const later = cachedInception(network, store);
    expect((await later.features(await read("2", "1", "3"), { input: "pytorch-fid", levels: [64] })).get(64)).toEqual(expected);
    expect(ran).toEqual([2, 1]);
    await later.features(await read("1"), { input: "clean-fid", levels: [64] });
    await later.features(await read("1"), { input: "pytorch-fid", levels: [64, 192] });
    expect(ran).toEqual([2, 1, 1, 1]);
    await later.dispose();
    expect(complaints).toEqual([]);
  });

  it("computes everything where the disk refuses, and says so once", async () => {
    const blocked = join(folder, "a-file");
    await writeFile(blocked, "");
    const complaints: string[] = [];
    const network = {
      ...{ name: "n", weights: [], contentKey: async () => "key", dispose: async () => undefined, tensorFeatures: () => Promise.reject(new Error()) },
      features: async (pictures: readonly Picture[]) =>
        new Map<InceptionLevel, { dtype: "float32"; dims: number[]; data: Float32Array }>([
          [64, { dtype: "float32", dims: [pictures.length, 64], data: new Float32Array(pictures.length * 64).fill(3) }],
        ]),
    } satisfies Inception;
    const cached = cachedInception(network, { folder: blocked, onFailure: (message) => void complaints.push(message) });
    await writeImages(folder, { "x.png": 5 });
    const result = await new PictureReader().read(join(folder, "x.png"));
    const pictures = "picture" in result ? [result.picture] : [];
    for (let time = 0; time < 2; time++) expect((await cached.features(pictures, { input: "pytorch-fid", levels: [64] })).get(64)!.data[0]).toBe(3);
    expect(complaints).toEqual([expect.stringMatching(/^features cannot be kept/)]);
  });
});

describe("StateCache", () => {
  it("gives back typed arrays and maps, and takes damage for absence", async () => {
    const place = join(folder, "states");
    const failures: string[] = [];
    const cache = new StateCache(place, (message) => void failures.push(message));
    const key = digest("chunk");
    const value = { sums: Float64Array.of(1, Number.NaN), names: ["a"], map: new Map([[1, 2n]]) };
    expect(await cache.get(key)).toBeUndefined();
    await cache.put(key, value);
    expect(await cache.get(key)).toEqual(value);
    const path = join(place, "states", key.slice(0, 2), `${key}.state`);
    const bytes = await readFile(path);
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(path, bytes);
    expect(await cache.get(key)).toBeUndefined();
    await writeFile(path, "");
    expect(await cache.get(key)).toBeUndefined();
    expect(failures).toEqual([]);
  });

  it("goes on where it cannot write, and says so once", async () => {
    await mkdir(join(folder, "blocked"));
    await writeFile(join(folder, "blocked", "states"), "");
    const failures: string[] = [];
    const cache = new StateCache(join(folder, "blocked"), (message) => void failures.push(message));
    await cache.put(digest("a"), 1);
    await cache.put(digest("b"), 2);
    expect(failures).toEqual([expect.stringMatching(/a stopped run begins anew/)]);
  });
});
