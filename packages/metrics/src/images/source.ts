import { open, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import { type Image, tensorToImages } from "@refadgen/image";
import { glob, isDynamicPattern } from "tinyglobby";
import { MetricError } from "../metrics/error.js";
import type { Picture } from "../networks/contract.js";
import { byCodePoints, isListed, type ListOptions, listFolder } from "./listing.js";
import { tarPictures } from "./tar.js";

/** One picture, or a tensor of some: float32 in [0, 1], `[C, H, W]` or `[B, C, H, W]` with 1 or 3 channels. */
export type ImageItem = string | Uint8Array | Picture | Tensor<"float32"> | NamedItem;

export interface NamedItem {
  readonly name: string;
  /** A path, an encoded file, or pixels. */
  readonly content: string | Uint8Array | Picture;
}

/**
 * Where pictures come from: a folder, a file, a tar shard (`.tar`, `.tar.gz`, `.tgz`), a glob pattern; or a list or stream of paths, encoded
 * files, pixels and tensors.
 */
export type ImageSource = string | Iterable<ImageItem> | AsyncIterable<ImageItem>;

/** A picture that is yet to be read. */
export interface UnreadImage {
  readonly name: string;
  readonly content: string | Uint8Array | Picture;
}

export interface OpenSource {
  /** Absent for streams and shards, whose number shows at the end. */
  readonly count?: number;
  readonly images: AsyncIterable<UnreadImage> | Iterable<UnreadImage>;
}

/**
 * Lists a source. Names are paths relative to the folder, to what a glob pattern has in common, or inside the shard; else numbers.
 *
 * @throws ArgumentError for what is no source; MetricError `no-images`
 */
export async function openSource(role: string, source: ImageSource, options: ListOptions = {}): Promise<OpenSource> {
  if (typeof source === "string") return openPath(role, source, options);
  if (source === null || typeof source !== "object") throw new ArgumentError(`${role}: expected a path, a list or a stream, got ${String(source)}`);
  if (Array.isArray(source)) {
    const images = source.flatMap((item, index) => unread(role, item as ImageItem, index));
    if (images.length === 0) throw new MetricError("no-images", `${role}: expected at least one picture, got an empty list`);
    return { count: images.length, images };
  }
  if (source instanceof Uint8Array || "dtype" in source || ("width" in source && "data" in source))
    throw new ArgumentError(`${role}: expected a path, a list or a stream, got one picture; put it into a list`);
  return { images: streamed(role, source as AsyncIterable<ImageItem>) };
}

async function openPath(role: string, path: string, options: ListOptions): Promise<OpenSource> {
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) {
    const names = await listFolder(path, options);
    if (names.length === 0)
      throw new MetricError("no-images", `${role}: there are no pictures in ${path} that count for "${options.listing ?? "all"}"`);
    return { count: names.length, images: names.map((name) => ({ name, content: join(path, name) })) };
  }
  if (status) {
    if (await isTar(path)) return { images: tarPictures(path, (name) => isListed(name, "all")) };
    return { count: 1, images: [{ name: basename(path), content: path }] };
  }
  if (!isDynamicPattern(path)) throw new MetricError("no-images", `${role}: there is no such file or folder: ${path}`);
  const found = (await glob(path, { absolute: true, onlyFiles: true, expandDirectories: false })).sort(byCodePoints);
  if (found.length === 0) throw new MetricError("no-images", `${role}: no file fits the pattern ${path}`);
  const shards = await Promise.all(found.map(async (file) => /\.(tar|tgz|tar\.gz)$/i.test(file) && (await isTar(file))));
  if (shards.every(Boolean)) return { images: joined(found.map((file) => tarPictures(file, (name) => isListed(name, "all")))) };
  const root = fixedPart(path);
  const images = found.map((file) => ({ name: relative(root, file).replaceAll("\\", "/"), content: file }));
  return { count: images.length, images };
}

/** The folder that a pattern begins with. */
function fixedPart(pattern: string): string {
  const parts = pattern.replaceAll("\\", "/").split("/");
  const first = parts.findIndex((part) => isDynamicPattern(part));
  const fixed = parts.slice(0, first).join("/");
  return isAbsolute(pattern) ? fixed || "/" : resolve(fixed);
}

function unread(role: string, item: ImageItem, index: number): readonly UnreadImage[] {
  const name = String(index);
  if (typeof item === "string") return [{ name: item, content: item }];
  if (item instanceof Uint8Array) return [{ name, content: item }];
  if (typeof item !== "object" || item === null) throw new ArgumentError(`${role}: expected a picture at ${index}, got ${String(item)}`);
  if ("content" in item) return [item];
  if (!("dtype" in item)) return [{ name, content: item }];
  const images = fromTensor(role, item);
  return images.map((content, row) => ({ name: images.length === 1 && item.dims.length === 3 ? name : `${name}.${row}`, content }));
}

function fromTensor(role: string, { dtype, dims, data }: Tensor): Image[] {
  const [channels, height, width] = dims.slice(-3);
  if (dtype !== "float32" || (dims.length !== 3 && dims.length !== 4) || (channels !== 1 && channels !== 3))
    throw new ArgumentError(`${role}: expected tensors float32 [C, H, W] or [B, C, H, W] with 1 or 3 channels, got ${dtype} [${dims.join(", ")}]`);
  const values = data as Float32Array;
  const outside = values.find((value) => !(value >= 0 && value <= 1));
  if (outside !== undefined) throw new ArgumentError(`${role}: expected tensors with values from 0 to 1, got ${outside}`);
  return tensorToImages(values, { width: width!, height: height!, channels, range: [0, 1] });
}

async function* streamed(role: string, items: AsyncIterable<ImageItem> | Iterable<ImageItem>): AsyncGenerator<UnreadImage> {
  let index = 0;
  for await (const item of items) yield* unread(role, item, index++);
}

async function* joined(parts: readonly AsyncIterable<UnreadImage>[]): AsyncGenerator<UnreadImage> {
  for (const part of parts) yield* part;
}

/** By content: gzip, or "ustar" where tar headers have it. */
async function isTar(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, 512, 0);
    if (bytesRead < 2) return false;
    return head.readUInt16BE(0) === 0x1f8b || (bytesRead === 512 && head.toString("latin1", 257, 262) === "ustar");
  } finally {
    await file.close();
  }
}
