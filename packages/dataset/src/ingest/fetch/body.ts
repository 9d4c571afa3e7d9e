import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { FetchError } from "./fetch-error.js";

/**
 * The whole body of a response, unpacked as `content-encoding` says. Bytes are counted as they come, before and after unpacking, and the connection is dropped at
 * the first one too many.
 *
 * @throws FetchError `too-large`, `encoding`
 */
export async function limitedBody(url: URL, body: Readable, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new FetchError("too-large", "too-large", `safeFetch: expected at most ${maxBytes} bytes, got more from ${url.href}`);
  const unpack = unpacker(url, encoding, maxBytes);
  let packed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      packed += chunk.length;
      if (packed > maxBytes) throw tooLarge();
      yield chunk;
    }
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of unpack ? unpacked(counted(), unpack, url) : counted()) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    body.destroy();
    throw error;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

type Unpacker = ReturnType<typeof createGunzip>;

function unpacker(url: URL, encoding: string, maxBytes: number): Unpacker | undefined {
  const options = { chunkSize: Math.min(65_536, Math.max(64, maxBytes)) };
  switch (encoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip(options);
    case "deflate":
      return createInflate(options) as unknown as Unpacker;
    case "br":
      return createBrotliDecompress(options) as unknown as Unpacker;
    default:
      throw new FetchError(
        "network",
        "encoding",
        `safeFetch: expected an encoding of gzip, deflate or br, got ${JSON.stringify(encoding)} from ${url.href}`,
      );
  }
}

async function* unpacked(source: AsyncGenerator<Uint8Array>, unpack: Unpacker, url: URL): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (unpack.destroyed) return;
        if (!unpack.write(chunk))
          await new Promise<void>((resolve) => {
            unpack.once("drain", resolve).once("close", resolve);
          });
      }
      unpack.end();
    } catch (error) {
      failure = error;
      unpack.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  })();
  try {
    yield* unpack as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw new FetchError("network", "encoding", `safeFetch: expected data packed as the server says from ${url.href} (${(error as Error).message})`, {
      cause: error,
    });
  } finally {
    unpack.destroy();
    await feeding;
  }
}
