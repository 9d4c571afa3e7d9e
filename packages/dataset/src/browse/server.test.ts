import { request } from "node:http";
import { connect } from "node:net";
import { ArgumentError } from "@refadgen/errors";
import { decodeImage } from "@refadgen/image";
import { parse } from "parse5";
import { afterEach, describe, expect, it } from "vitest";
import { DatasetError } from "../error.js";
import { miniStore, plainItems } from "./items.test-support.js";
import { decisionStore } from "./memory-store.js";
import { type BrowseServer, browse } from "./server.js";
import type { BrowseItem, BrowsePage, DecisionStore } from "./store.js";

const servers: BrowseServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(store: DecisionStore, options: { readonly title?: string; readonly signal?: AbortSignal } = {}): Promise<BrowseServer> {
  const server = await browse({ store, ...options });
  servers.push(server);
  return server;
}

const noPicture = async () => undefined;

/** Any request, also those that fetch would not send. */
function ask(
  url: string,
  { method = "GET", headers = {}, body }: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
) {
  return new Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly body: Buffer }>((resolve, reject) => {
    const asked = request(url, { method, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces) }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

async function items(server: BrowseServer, query = ""): Promise<BrowsePage> {
  const { status, body } = await ask(`${server.url}api/items?${query}`);
  expect(status).toBe(200);
  return JSON.parse(body.toString()) as BrowsePage;
}

function decide(server: BrowseServer, body: unknown, headers: Record<string, string> = {}) {
  return ask(`${server.url}api/decide`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("the page", () => {
  it("is one valid document with a policy that lets nothing else in", async () => {
    const server = await serve(decisionStore([], { picture: noPicture }), { title: "<b>Mine</b>" });
    const { status, headers, body } = await ask(server.url);
    const errors: string[] = [];
    parse(body.toString(), { onParseError: ({ code }) => void errors.push(code) });
    expect([status, errors]).toEqual([200, []]);
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(body.toString()).toContain("&lt;b&gt;Mine&lt;/b&gt;");
    expect(body.toString()).not.toMatch(/https?:\/\/|sourceMappingURL|style="/);
  });
});

describe("who is answered", () => {
  it("listens on 127.0.0.1 and nowhere else", async () => {
    const server = await serve(decisionStore([], { picture: noPicture }));
    expect(server.url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.port}/[\\w-]{32}/$`));
    await expect(
      new Promise((resolve, reject) => {
        const socket = connect(server.port, "::1", () => resolve("open"));
        socket.on("error", reject);
      }),
    ).rejects.toThrow();
  });

  it("only whoever knows the token", async () => {
    const [server, other] = [await serve(miniStore(1)), await serve(miniStore(1))];
    const root = `http://127.0.0.1:${server.port}/`;
    const token = new URL(server.url).pathname.split("/")[1]!;
    expect(new URL(other.url).pathname).not.toBe(new URL(server.url).pathname);
    const paths = [
      "",
      "api/items",
      `${token.slice(0, -1)}/api/items`,
      `${token}x/`,
      `${token.toLowerCase()}/api/items`,
      "x/../",
      "%2e%2e/api/items",
      "picture/000000/ad",
    ];
    for (const path of paths)
      expect([path, (await ask(root + path)).status]).toEqual([path, path.includes(token) && path !== `${token}x/` ? 200 : 404]);
  });

  it("only by this machine's name, against DNS rebinding", async () => {
    const server = await serve(miniStore(1));
    for (const [host, status] of [
      ["evil.example", 421],
      [`evil.example:${server.port}`, 421],
      ["127.0.0.1", 421],
      [`127.0.0.1:${server.port}`, 200],
      [`localhost:${server.port}`, 200],
      [`127.0.0.1.evil.example:${server.port}`, 421],
    ] as const) {
      expect([host, (await ask(server.url, { headers: { host } })).status]).toEqual([host, status]);
    }
  });

  it("no page from elsewhere", async () => {
    const server = await serve(miniStore(1));
    const key = "000000";
    for (const headers of [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${server.port + 1}` },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      expect((await decide(server, { key, decision: "accepted" }, headers as Record<string, string>)).status).toBe(403);
      expect((await ask(`${server.url}picture/${key}/ad`, { headers: headers as Record<string, string> })).status).toBe(403);
    }
    // A form of another page cannot send JSON.
    for (const type of ["text/plain", "application/x-www-form-urlencoded", ""])
      expect((await decide(server, { key, decision: "accepted" }, { "content-type": type })).status).toBe(400);
    expect((await items(server)).counts).toEqual({ items: 1, accepted: 0, rejected: 0 });
    const own = { origin: `http://127.0.0.1:${server.port}`, "sec-fetch-site": "same-origin" };
    expect((await decide(server, { key, decision: "accepted" }, own)).status).toBe(200);
  });
});

describe("items", () => {
  it("come in pages that join to the whole, in every order", async () => {
    const server = await serve(decisionStore(plainItems(257), { picture: noPicture }));
    for (const order of ["", "&order=sharpness", "&order=watermark&direction=descending"]) {
      const keys: string[] = [];
      const values: (number | null)[] = [];
      for (let after: string | undefined, page: BrowsePage | undefined; page?.more !== false; after = page.items.at(-1)!.key) {
        page = await items(server, `limit=50${order}${after === undefined ? "" : `&after=${after}`}`);
        expect(page.total).toBe(257);
        keys.push(...page.items.map(({ key }) => key));
        values.push(...page.items.map(({ scores }) => (order.includes("sharpness") ? scores.sharpness! : scores.watermark!)));
      }
      expect(new Set(keys).size).toBe(257);
      if (order === "") expect(keys).toEqual([...keys].sort());
      const given = values.filter((value) => value !== null);
      if (order !== "") expect(given).toEqual([...given].sort((a, b) => (order.includes("desc") ? b - a : a - b)));
      // Those without the score come last.
      if (order.includes("watermark")) expect(values.slice(given.length).every((value) => value === null)).toBe(true);
    }
  });

  it("are filtered as by hand", async () => {
    const all = plainItems(400);
    const server = await serve(decisionStore(all, { picture: noPicture }));
    for (const key of ["000003", "000007"]) await decide(server, { key, decision: "rejected" });
    await decide(server, { key: "000011", decision: "accepted" });
    const cases: readonly (readonly [string, (item: BrowseItem) => boolean])[] = [
      ["category=cup", ({ category }) => category === "cup"],
      ["reason=watermark", ({ reasons }) => reasons.length > 0],
      ["reason=none&category=sneakers", ({ reasons, category }) => reasons.length === 0 && category === "sneakers"],
      ["score=sharpness&least=0.5&most=0.6", ({ scores }) => scores.sharpness! >= 0.5 && scores.sharpness! <= 0.6],
      ["score=watermark", ({ scores }) => scores.watermark !== null],
      ["decision=rejected", ({ key }) => ["000003", "000007"].includes(key)],
      ["decision=none", ({ key }) => !["000003", "000007", "000011"].includes(key)],
      ["decision=accepted", ({ key }) => key === "000011"],
      ["category=nothing", () => false],
      ["score=toString", () => false],
    ];
    for (const [query, expected] of cases) {
      const { items: found, total } = await items(server, `limit=200&${query}`);
      const keys = all.filter(expected).map(({ key }) => key);
      expect([query, total, found.map(({ key }) => key)]).toEqual([query, keys.length, keys.slice(0, 200)]);
    }
    expect(JSON.parse((await ask(`${server.url}api/facets`)).body.toString())).toEqual({
      categories: ["backpack", "cup", "sneakers", "umbrella"],
      reasons: ["watermark"],
      scores: ["sharpness", "watermark"],
    });
  });

  it("are a hundred thousand without a wait", async () => {
    const server = await serve(decisionStore(plainItems(100_000), { picture: noPicture }));
    await items(server, "order=sharpness");
    const started = performance.now();
    for (let page = 0; page < 10; page++) await items(server, `order=sharpness&decision=none&after=${String(page * 9999).padStart(6, "0")}`);
    expect((performance.now() - started) / 10).toBeLessThan(200);
  });
});

describe("decisions", () => {
  it("are kept before they count, taken back, and counted", async () => {
    const kept: unknown[] = [];
    const store = decisionStore(plainItems(3), { picture: noPicture, onDecide: (key, decision) => void kept.push([key, decision]) });
    const server = await serve(store);
    const counts: unknown[] = [];
    for (const [key, decision] of [
      ["000000", "accepted"],
      ["000001", "rejected"],
      ["000000", "rejected"],
      ["000001", null],
      ["000001", null],
    ] as const) {
      counts.push(JSON.parse((await decide(server, { key, decision })).body.toString()));
    }
    expect(kept).toEqual([
      ["000000", "accepted"],
      ["000001", "rejected"],
      ["000000", "rejected"],
      ["000001", undefined],
      ["000001", undefined],
    ]);
    expect(counts).toEqual(
      [
        [1, 0],
        [1, 1],
        [0, 2],
        [0, 1],
        [0, 1],
      ].map(([accepted, rejected]) => ({ items: 3, accepted, rejected })),
    );
    const page = await items(server);
    expect(page.items.map(({ decision }) => decision)).toEqual(["rejected", undefined, undefined]);
    // Decisions that are there already.
    const again = await store.list({ limit: 10 });
    expect((await decisionStore(again.items, { picture: noPicture }).list({ limit: 1 })).counts).toEqual({ items: 3, accepted: 0, rejected: 1 });
  });

  it("that cannot be kept do not count, and say why where it may be said", async () => {
    for (const [error, message] of [
      [new DatasetError("storage", "no space left"), "no space left"],
      [new Error("/secret/path"), "something went wrong"],
    ] as const) {
      const server = await serve(decisionStore(plainItems(2), { picture: noPicture, onDecide: () => Promise.reject(error) }));
      const { status, body } = await decide(server, { key: "000000", decision: "accepted" });
      expect([status, JSON.parse(body.toString())]).toEqual([500, { error: message }]);
      expect((await items(server)).counts.accepted).toBe(0);
    }
  });

  it.each([
    "",
    "{",
    "null",
    '{"key":"000000"}',
    '{"key":"000000","decision":"maybe"}',
    '{"key":"../x","decision":"accepted"}',
    '{"key":1,"decision":null}',
    `{"key":"000000","decision":"accepted","more":"${"x".repeat(5000)}"}`,
  ])("refuses %s", async (body) => {
    const server = await serve(decisionStore(plainItems(1), { picture: noPicture }));
    expect((await decide(server, body)).status).toBe(400);
    expect((await decide(server, { key: "nobody", decision: "accepted" })).status).toBe(404);
  });
});

describe("pictures", () => {
  it("come as they are, and small for the list", async () => {
    const server = await serve(miniStore(4));
    const ad = await ask(`${server.url}picture/000002/ad`);
    expect([ad.status, ad.headers["content-type"]]).toEqual([200, "image/png"]);
    expect(await decodeImage(ad.body)).toMatchObject({ width: 128, height: 160 });
    const small = await ask(`${server.url}thumbnail/000002`);
    expect([small.status, small.headers["content-type"], (await decodeImage(small.body)).height]).toEqual([200, "image/webp", 160]);
    expect(small.body.length).toBeLessThan(ad.body.length);
  });

  it("that are not there are not found, and those that cannot be read are no end", async () => {
    let broken = true;
    const fine = miniStore(1);
    const server = await serve({
      ...fine,
      picture: async (key, role) => (broken ? { bytes: Buffer.from("no picture"), type: "image/png" } : fine.picture(key, role)),
    });
    expect((await ask(`${server.url}thumbnail/000000`)).status).toBe(500);
    broken = false;
    expect((await ask(`${server.url}thumbnail/000000`)).status).toBe(200);
    expect((await ask(`${server.url}picture/000009/ad`)).status).toBe(404);
    for (const path of ["picture/..%2f/ad", "picture/000000/variant-9999", "picture/000000/../../x", "picture/000000/__proto__", "thumbnail/a.b"])
      expect((await ask(server.url + path)).status).toBeGreaterThanOrEqual(400);
  });

  it("are never anything but pictures", async () => {
    const script = { bytes: Buffer.from("<script>alert(1)</script>"), type: "text/html" as "image/png" };
    const server = await serve(decisionStore(plainItems(1), { picture: async () => script }));
    expect((await ask(`${server.url}picture/000000/ad`)).headers["content-type"]).toBe("application/octet-stream");
  });
});

describe("the server", () => {
  it.each(["limit=0", "limit=201", "limit=2.5", "after=..", "decision=maybe", "least=x", "strange=1", "direction=up", `category=${"x".repeat(300)}`])(
    "refuses the query %s",
    async (query) => {
      const server = await serve(decisionStore(plainItems(1), { picture: noPicture }));
      const { status, body } = await ask(`${server.url}api/items?${query}`);
      expect([status, JSON.parse(body.toString())]).toEqual([400, { error: expect.stringMatching(/^expected/) }]);
    },
  );

  it.each([
    ["PUT", "api/decide"],
    ["GET", "api/decide"],
    ["POST", "api/items"],
    ["GET", "api"],
    ["GET", "favicon.ico"],
    ["DELETE", ""],
  ])("has nothing for %s %s", async (method, path) => {
    const server = await serve(decisionStore([], { picture: noPicture }));
    expect((await ask(server.url + path, { method })).status).toBe(404);
  });

  it("ends when asked to, and says when a port is taken", async () => {
    const controller = new AbortController();
    const server = await serve(decisionStore([], { picture: noPicture }), { signal: controller.signal });
    await expect(browse({ store: decisionStore([], { picture: noPicture }), port: server.port })).rejects.toMatchObject({ code: "network" });
    controller.abort();
    await server.close();
    await expect(ask(server.url)).rejects.toThrow();
    await expect(browse({ store: decisionStore([], { picture: noPicture }), port: 70_000 })).rejects.toThrow(ArgumentError);
  });

  it("a store refuses two items of one key", () => {
    const [item] = plainItems(1);
    expect(() => decisionStore([item!, item!], { picture: noPicture })).toThrow(ArgumentError);
  });
});
