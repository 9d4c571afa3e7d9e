import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeImage, type Image } from "@refadgen/image";
import type { FileStore, Item, StoredFile } from "../contract.js";
import { miniTriplet } from "../mini/triplet.js";

export interface Asked {
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
    readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema: { readonly properties: unknown } } };
    readonly seed: number;
    readonly max_tokens?: number;
    readonly [name: string]: unknown;
  };
  readonly headers: IncomingMessage["headers"];
  readonly path: string;
  /** `data:` URL of the picture. */
  readonly picture: string;
  /** The words beside the picture. */
  readonly words: string;
}

export type Behaviour = (asked: Asked, response: ServerResponse, attempt: number) => void | Promise<void>;

export interface ChatServer {
  /** Up to `/v1`. */
  readonly url: string;
  readonly asked: readonly Asked[];
  /** The most requests that were open at once. */
  readonly most: () => number;
  close(): void;
}

/** A chat endpoint on this machine that behaves as told. */
export async function chatServer(behaviour: Behaviour): Promise<ChatServer> {
  const asked: Asked[] = [];
  let [open, most] = [0, 0];
  const server = createServer(async (request, response) => {
    open++;
    most = Math.max(most, open);
    response.on("close", () => void open--);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const body = JSON.parse(Buffer.concat(pieces).toString("utf8")) as Asked["body"];
    const parts = body.messages.at(-1)!.content as readonly {
      readonly type: string;
      readonly text?: string;
      readonly image_url?: { readonly url: string };
    }[];
    const picture = parts.find(({ type }) => type === "image_url")!.image_url!.url;
    const words = parts.map(({ text }) => text ?? "").join("");
    const one: Asked = { body, headers: request.headers, path: request.url!, picture, words };
    asked.push(one);
    await behaviour(one, response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    most: () => most,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What such a server answers when all is well. */
export function reply(content: unknown, { finish = "stop", usage }: { readonly finish?: string; readonly usage?: unknown } = {}): string {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return JSON.stringify({
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: finish }],
    ...(usage !== undefined && { usage }),
  });
}

export const goodCaptions: readonly string[] = [
  "A green backpack stands on a wooden table beside a window, with soft daylight falling over its straps.",
  "Diffuse morning light shapes the folds of the backpack, placed left of centre in an open composition.",
  "Ready for the weekend: a roomy backpack waits by the door for its next trip.",
  "A green backpack on a table.",
];

export function memoryFiles(): FileStore {
  const held = new Map<string, Uint8Array>();
  return {
    put: async (bytes, type) => {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      held.set(sha256, bytes);
      return { sha256, bytes: bytes.length, type };
    },
    get: async ({ sha256 }) => held.get(sha256)!,
  };
}

/** An item of AdProd-Mini as it is after `ingest` and `extract`. */
export async function miniItem(
  files: FileStore,
  {
    index = 0,
    category,
    captions,
    width = 96,
    height = 120,
  }: { index?: number; category?: string; captions?: readonly string[]; width?: number; height?: number } = {},
): Promise<Item> {
  const mini = miniTriplet(index, { seed: 7, width, height, ...(category !== undefined && { categories: [category] }) });
  const put = async (image: Image): Promise<StoredFile> => files.put(await encodeImage(image, { format: "png" }), "image/png");
  const { ad } = mini;
  const mask = await put({ width, height, channels: 1, data: ad.mask.data.map((value) => 255 * value) });
  return {
    key: mini.key,
    rows: {
      ingest: {
        provenance: { kind: "mini", location: mini.key, sha256: "0".repeat(64), orientation: 1, format: "png" },
        picture: await put(ad.image),
        width,
        height,
        category: mini.category,
        ...(captions && { captions }),
      },
      extract: { product: await put(mini.product.image), mask, driver: "mini", score: 1, reasons: [] },
    },
  };
}
