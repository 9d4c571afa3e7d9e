import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isPublicAddress } from "./address.js";
import { FetchError } from "./fetch-error.js";
import { parseRobots, robotsTags } from "./robots.js";
import { createFetcher, type FetcherOptions } from "./safe-fetch.js";

let server: Server;
let port: number;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url === "/robots.txt" && !robots) return void response.writeHead(404).end();
    if (request.url === "/robots.txt") return void response.end(robots);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
let robots = "";
beforeEach(() => {
  asked = [];
  robots = "";
});

const picture = Buffer.from("a picture's bytes");
const image = { "content-type": "image/png" };

async function reasonOf(path: string, options: FetcherOptions = {}): Promise<string> {
  const pauses: number[] = [];
  let slept = 0;
  const sleep = async (milliseconds: number): Promise<void> => {
    if (milliseconds >= 100) pauses.push(milliseconds);
    slept += milliseconds;
  };
  const wait = { now: () => performance.now() + slept, sleep };
  const fetcher = createFetcher({ privateHosts: [`127.0.0.1:${port}`, `shop.test:${port}`], perSecond: 1000, wait, timeout: 5, ...options });
  try {
    const url = path.startsWith("/") ? `http://127.0.0.1:${port}${path}` : path;
    const { bytes, robots: said } = await fetcher.fetch(url);
    return `${bytes.length} bytes${said.length > 0 ? `, ${said}` : ""}${pauses.length > 0 ? `, after ${pauses}` : ""}`;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return `${error.code} ${error.reason}`;
  } finally {
    await fetcher.dispose();
  }
}

describe("addresses", () => {
  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
  ])("%s is not of the public internet", (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])("%s is", (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ["http://2130706433/", "refused private-address"],
    ["http://0x7f.1/", "refused private-address"],
    ["http://0177.0.0.1/", "refused private-address"],
    ["http://[::1]/", "refused private-address"],
    ["http://[::ffff:10.0.0.1]/", "refused private-address"],
    ["http://localhost/", "refused private-address"],
    ["http://169.254.169.254/latest/meta-data", "refused private-address"],
    ["http://metadata.google.internal/", "refused private-address"],
    ["http://example.com:22/", "refused port"],
    ["ftp://example.com/", "refused bad-address"],
    ["file:///etc/passwd", "refused bad-address"],
    ["pipe:cat /etc/passwd", "refused bad-address"],
    ["http://user:secret@example.com/", "refused bad-address"],
    ["not an address", "refused bad-address"],
  ])("%s: %s", async (url, reason) => expect(await reasonOf(url)).toBe(reason));

  it("names are judged by what they resolve to, all of it, and once", async () => {
    answer = (_, response) => response.writeHead(200, image).end(picture);
    let asks = 0;
    const resolve = async () => {
      asks++;
      return [
        { address: "93.184.216.34", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ];
    };
    expect(await reasonOf("http://mixed.test/", { resolve, honourRobots: false })).toBe("refused private-address");
    expect(asks).toBe(1);
    // A name that was public when it was asked for first, and is not any more, gains nothing: the answer that was judged is connected to.
    const allowed = async () => [{ address: "127.0.0.1", family: 4 }];
    expect(await reasonOf(`http://shop.test:${port}/a`, { resolve: allowed })).toBe("17 bytes");
  });
});

describe("redirects", () => {
  it.each([
    ["http://169.254.169.254/", "refused private-address"],
    ["http://127.0.0.1:1/", "refused port"],
    ["file:///etc/passwd", "refused bad-address"],
    ["//[::1]/x", "refused private-address"],
    ["/loop", "refused redirects"],
  ])("to %s: %s", async (location, reason) => {
    answer = (_, response) => response.writeHead(302, { location }).end();
    expect(await reasonOf("/start")).toBe(reason);
  });

  it("are followed to a picture", async () => {
    answer = ({ url }, response) => (url === "/a" ? response.writeHead(301, { location: "b?c" }).end() : response.writeHead(200, image).end(picture));
    expect(await reasonOf("/a")).toBe("17 bytes");
    expect(asked).toEqual(["/robots.txt", "/a", "/b?c"]);
  });
});

describe("answers", () => {
  it.each<[string, string, (response: ServerResponse) => void]>([
    ["a page", "network content-type", (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
    ["nothing there", "network http-404", (response) => response.writeHead(404).end()],
    ["too long by its header", "too-large too-large", (response) => response.writeHead(200, { ...image, "content-length": 2e6 }).end()],
    [
      "without end",
      "too-large too-large",
      (response) => {
        response.writeHead(200, image);
        const more = () => void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)));
        more();
      },
    ],
    [
      "a bomb",
      "too-large too-large",
      (response) => response.writeHead(200, { ...image, "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(5e7))),
    ],
    ["packed, and small", "17 bytes", (response) => response.writeHead(200, { ...image, "content-encoding": "gzip" }).end(gzipSync(picture))],
    ["badly packed", "network encoding", (response) => response.writeHead(200, { ...image, "content-encoding": "gzip" }).end("no gzip at all")],
    [
      "cut off",
      "network connection",
      (response) => {
        response.writeHead(200, { ...image, "content-length": 100 });
        response.write(picture, () => response.destroy());
      },
    ],
    ["reserved", "refused robots", (response) => response.writeHead(200, { ...image, "x-robots-tag": "NoImageAI" }).end(picture)],
  ])("%s: %s", async (_, reason, give) => {
    answer = (_request, response) => give(response);
    expect(await reasonOf("/x", { maxBytes: 1e6, attempts: 1 })).toBe(reason);
  });

  it("drip by drip ends at the time limit", async () => {
    answer = (_, response) => {
      response.writeHead(200, image);
      const timer = setInterval(() => response.write("."), 50);
      response.on("close", () => clearInterval(timer));
    };
    expect(await reasonOf("/drip", { timeout: 0.5, attempts: 1 })).toBe("network timeout");
  });

  it("of a busy server are asked for again, as late as it says, and not for ever", async () => {
    let calls = 0;
    answer = (_, response) => (++calls < 3 ? response.writeHead(429, { "retry-after": "2" }).end() : response.writeHead(200, image).end(picture));
    expect(await reasonOf("/busy")).toBe("17 bytes, after 2000,2000");
    calls = -10;
    expect(await reasonOf("/busy")).toBe("network http-429");
    answer = (_, response) => response.writeHead(503, { "retry-after": "86400" }).end();
    expect(await reasonOf("/busy")).toBe("network http-503");
  });

  it("stop when aborted", async () => {
    answer = () => undefined;
    const fetcher = createFetcher({ privateHosts: "all" });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(fetcher.fetch(`http://127.0.0.1:${port}/x`, { signal: controller.signal })).rejects.toThrow("enough");
    await fetcher.dispose();
  });
});

describe("robots.txt", () => {
  it("is read once for an origin and kept to, unless told otherwise", async () => {
    answer = (_, response) => response.writeHead(200, { ...image, "x-robots-tag": "noai" }).end(picture);
    robots = "User-agent: *\nDisallow: /private/\nAllow: /private/open$\n\nUser-agent: other\nDisallow: /";
    expect(await reasonOf("/private/x")).toBe("refused robots");
    expect(asked).toEqual(["/robots.txt"]);
    expect(await reasonOf("/private/x", { honourRobots: false })).toBe("17 bytes, noai");
  });

  it.each([
    ["User-agent: *\nDisallow: /", "/a", false],
    ["User-agent: *\nDisallow:", "/a", true],
    ["User-agent: refadgen\nAllow: /\n\nUser-agent: *\nDisallow: /", "/a", true],
    ["User-agent: RefAdGen/2.0\nDisallow: /a", "/abc", false],
    ["User-agent: *\nDisallow: /*.jpg$", "/x/y.jpg", false],
    ["User-agent: *\nDisallow: /*.jpg$", "/x/y.jpg?a", true],
    ["User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true],
    ["User-agent: *\nDisallow: /%7Ejoe", "/~joe/x", false],
    ["nonsense\n\u0000: x", "/a", true],
  ])("%j lets %s in: %s", (text, path, allowed) => expect(parseRobots(text, "refadgen").allows(path)).toBe(allowed));

  it("headers count for us alone", () => {
    expect(robotsTags({ "x-robots-tag": ["otherbot: noindex", "refadgen: noai"], "tdm-reservation": "1" }, "refadgen")).toEqual([
      "noai",
      "tdm-reservation",
    ]);
    expect(robotsTags({}, "refadgen")).toEqual([]);
  });
});

it("refuses options that make no sense", () => {
  expect(() => createFetcher({ maxBytes: 0 })).toThrow(ArgumentError);
  expect(() => createFetcher({ product: "two words" })).toThrow(ArgumentError);
});
