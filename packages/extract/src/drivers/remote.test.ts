import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ArgumentError } from "@refadgen/errors";
import { decodeImage, encodeImage, type Image, withAlpha } from "@refadgen/image";
import { afterEach, describe, expect, it } from "vitest";
import { remoteExtractor } from "./remote.js";

const image: Image = { width: 6, height: 4, channels: 3, data: Uint8Array.from({ length: 72 }, (_, index) => index * 3) };
const matte: Image = {
  width: 6,
  height: 4,
  channels: 1,
  data: Uint8Array.from({ length: 24 }, (_, index) => (index % 6 > 1 && index % 6 < 4 && index > 5 && index < 18 ? 255 : 0)),
};

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer, attempt: number) => void | Promise<void>;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function service(answer: Answer): Promise<{ readonly endpoint: string; readonly attempts: () => number }> {
  let attempts = 0;
  const server = createServer(async (request, response) => {
    attempts++;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    await answer(request, response, Buffer.concat(pieces), attempts);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/remove`, attempts: () => attempts };
}

const png = (picture: Image) => encodeImage(picture, { format: "png" });

describe("remoteExtractor", () => {
  it("sends the picture and takes the alpha of the answer", async () => {
    let got: { readonly type: string; readonly authorization: string | undefined; readonly body: Buffer } | undefined;
    const { endpoint } = await service(async (request, response, body) => {
      got = { type: request.headers["content-type"]!, authorization: request.headers.authorization, body };
      response.setHeader("x-score", "0.5").end(await png(withAlpha(image, matte)));
    });
    const found = await remoteExtractor({ endpoint, headers: { authorization: "Bearer key" }, field: "picture" }).extract(image, { category: "pen" });
    expect(found.matte).toEqual(matte.data);
    expect(found.score).toBe(0.5);
    const form = await new Response(new Uint8Array(got!.body), { headers: { "content-type": got!.type } }).formData();
    expect([got!.authorization, form.get("category")]).toEqual(["Bearer key", "pen"]);
    const sent = await decodeImage(new Uint8Array(await (form.get("picture") as File).arrayBuffer()));
    expect(sent).toEqual(image);
  });

  it("takes grey values when there is no alpha, and enlarges a smaller answer", async () => {
    const { endpoint } = await service(
      async (_, response) => void response.end(await png({ ...matte, width: 3, height: 2, data: Uint8Array.of(255, 255, 0, 255, 255, 0) })),
    );
    const { mask } = await remoteExtractor({ endpoint }).extract(image);
    expect(Array.from(mask.data.subarray(0, 6))).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it("tries again when the service is busy, as long as it asks", async () => {
    const { endpoint, attempts } = await service(async (_, response, __, attempt) => {
      if (attempt < 3) response.writeHead(attempt === 1 ? 429 : 503, { "retry-after": "0" }).end("busy");
      else response.end(await png(matte));
    });
    await remoteExtractor({ endpoint }).extract(image);
    expect(attempts()).toBe(3);
  });

  it.each<[string, Answer, string, number]>([
    [
      "gives up after three attempts",
      (_, response) => void response.writeHead(500, { "retry-after": "0" }).end("out of memory"),
      "answered 500: out of memory",
      3,
    ],
    ["does not repeat what is refused", (_, response) => void response.writeHead(401).end("who are you"), "answered 401: who are you", 1],
    ["refuses a page", (_, response) => void response.end("<html>sign in</html>"), "expected a picture as answer", 1],
    ["refuses half a picture", async (_, response) => void response.end((await png(matte)).subarray(0, 40)), "expected a picture as answer", 1],
    [
      "refuses another shape",
      async (_, response) => void response.end(await png({ ...matte, width: 4, height: 6 })),
      "expected a picture of the shape 6 × 4",
      1,
    ],
    ["refuses too much", (_, response) => void response.end(Buffer.alloc(5000)), "sent more than 2000 bytes", 1],
    [
      "follows nobody elsewhere",
      (_, response) => void response.writeHead(307, { location: "http://example.invalid/" }).end(),
      "cannot be reached",
      1,
    ],
  ])("%s", async (_, answer, message, expected) => {
    const { endpoint, attempts } = await service(answer);
    const remote = remoteExtractor({ endpoint, maxBytes: 2000, attempts: expected });
    await expect(remote.extract(image)).rejects.toMatchObject({ code: "remote", message: expect.stringContaining(message) });
    expect(attempts()).toBe(expected);
  });

  it("does not wait for ever", async () => {
    const { endpoint } = await service(() => undefined);
    await expect(remoteExtractor({ endpoint, timeout: 50, attempts: 1 }).extract(image)).rejects.toThrow("did not answer within 50 ms");
  });

  it("stops when aborted, also between attempts", async () => {
    const { endpoint } = await service((_, response) => void response.writeHead(503, { "retry-after": "20" }).end());
    const signal = AbortSignal.timeout(60);
    await expect(remoteExtractor({ endpoint }).extract(image, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it.each([{ endpoint: "file:///etc/passwd" }, { endpoint: "nowhere" }, { endpoint: "http://h", timeout: 0 }, { endpoint: "http://h", score: 2 }])(
    "refuses %o",
    (options) => {
      expect(() => remoteExtractor(options)).toThrow(ArgumentError);
    },
  );
});
