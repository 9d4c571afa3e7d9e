import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encodeImage } from "@refadgen/image";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import type { IngestRow, StageOutcome } from "../contract.js";
import { tarBytes, tarEnd } from "../formats/tar-write.js";
import { openSources } from "../run/open-sources.js";
import { folderStore } from "../store/folder-store.js";

let folder: string;
let server: Server;
let base: string;
const pictures = new Map<string, Uint8Array>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-sources-test-"));
  for (const [index, name] of ["red", "green", "blue"].entries()) {
    const data = new Uint8Array(7 * 5 * 3).map((_, at) => (at % 3 === index ? 200 : 10));
    pictures.set(name, await encodeImage({ width: 7, height: 5, channels: 3, data }, { format: "png" }));
  }
  server = createServer(({ url }, response) => {
    const found = pictures.get(url!.slice(1, -4));
    if (url === "/page.png") response.writeHead(200, { "content-type": "text/html" }).end("<p>");
    else if (found) response.writeHead(200, { "content-type": "image/png" }).end(found);
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Found {
  readonly key: string;
  readonly location: string;
  readonly outcome: StageOutcome<IngestRow>;
}

async function take(source: SourceSettings, ingest: IngestSettings = {}): Promise<Found[]> {
  const files = await folderStore(join(folder, "store"));
  const [opened] = openSources({ sources: [source], ingest } as never);
  await opened!.state();
  const found: Found[] = [];
  for await (const item of opened!.items(undefined)) found.push({ key: item.key, location: item.location, outcome: await item.ingest({ files }) });
  expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
  for (const { key } of found) expect(key).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
  return found;
}

/** What became of each: size and words, or the code of its refusal. */
function told(found: readonly Found[]): string[] {
  return found.map(({ location, outcome }) => {
    if (outcome.outcome === "rejected") return `${location}: ${outcome.reasons[0]!.code}`;
    const { width, height, category, captions, provenance } = outcome.row;
    return [`${location}:`, `${width}×${height}`, category, ...(captions ?? []), provenance.licence].filter((word) => word !== undefined).join(" ");
  });
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

describe("lists of addresses", () => {
  it("take pictures with words from csv, refuse what cannot be had, each with its reason", async () => {
    const path = await file(
      "list.csv",
      `url,caption,category,license\n${base}/red.png,"A red one, ""bright""",cup,CC0-1.0\n${base}/none.png,,,\n${base}/page.png,,,\nfile:///etc/passwd,,,\n"pipe:cat /etc/passwd",,,\n${base}/red.png,again,,\n,no url,,\n`,
    );
    const found = await take({ kind: "url-list", path, licence: "as listed" }, { allowPrivate: true });
    expect(told(found)).toEqual([
      `${base}/red.png: 7×5 cup A red one, "bright" CC0-1.0`,
      `${base}/none.png: http-404`,
      `${base}/page.png: content-type`,
      "file:///etc/passwd: bad-address",
      "pipe:cat /etc/passwd: bad-address",
      "line 7: repeated",
      "line 8: format",
    ]);
  });

  it("without leave ask no address of this network", async () => {
    const path = await file("list.txt", `# a comment\n${base}/red.png\n\nhttp://169.254.169.254/\n`);
    expect(told(await take({ kind: "url-list", path })).map((line) => line.slice(line.lastIndexOf(" ") + 1))).toEqual(["port", "private-address"]);
  });

  it("of JSON lines check the digest that they state", async () => {
    const sha256 = "0".repeat(64);
    const lines = [
      { url: `${base}/red.png`, text: "one" },
      { url: `${base}/blue.png`, sha256 },
    ].map((row) => JSON.stringify(row));
    const path = await file("list.jsonl", [...lines, "{broken", "[]"].join("\n"));
    expect(told(await take({ kind: "url-list", path, category: "bottle" }, { allowPrivate: true }))).toEqual([
      `${base}/red.png: 7×5 bottle one`,
      `${base}/blue.png: other-content`,
      "line 3: format",
      "line 4: format",
    ]);
  });
});

describe("archives", () => {
  const entries = () => [
    { path: "a/001.png", bytes: pictures.get("red")! },
    { path: "a/001.txt", bytes: Buffer.from("first\nsecond\n") },
    { path: "a/002.json", bytes: Buffer.from(JSON.stringify({ caption: "third", category: "cup", license: "MIT" })) },
    { path: "a/002.png", bytes: pictures.get("green")! },
    { path: "b.exe", bytes: Buffer.from("MZ") },
    { path: "cut.jpg", bytes: Buffer.from("no picture") },
  ];
  const expected = ["a/001.png: 7×5 first second", "a/002.png: 7×5 cup third MIT", "b.exe: unsupported", "cut.jpg: unsupported"];

  it("plain and compressed ones give their pictures and the words beside them; none is unpacked", async () => {
    const bytes = await tar(entries());
    await file("tars/one.tar", bytes);
    await file("tars/two.tar.gz", gzipSync(bytes));
    const found = told(await take({ kind: "tar", path: join(folder, "tars") }));
    expect(found).toEqual(["one.tar", "two.tar.gz"].flatMap((name) => expected.map((line) => `${name}/${line}`)));
    expect(await readdir(join(folder, "tars"))).toEqual(["one.tar", "two.tar.gz"]);
    expect(told(await take({ kind: "webdataset", path: join(folder, "tars", "one.tar") }))).toHaveLength(4);
  });

  it("escaping paths, links and broken ends are listed, and what is whole comes in", async () => {
    const hostile = await tar([
      { path: "good.png", bytes: pictures.get("blue")! },
      { path: "placeholder.png", bytes: pictures.get("red")! },
    ]);
    const name = Buffer.from("../../evil.png\0");
    const at = hostile.indexOf("placeholder.png");
    hostile.fill(0, at, at + 100);
    hostile.set(name, at);
    fixChecksum(hostile, at);
    const path = await file("hostile.tar", hostile.subarray(0, hostile.length - 1024));
    const found = told(await take({ kind: "tar", path }));
    expect(found.sort()).toEqual(["hostile.tar/../../evil.png: refused", "hostile.tar/good.png: 7×5", "hostile.tar/rest: format"]);
    expect((await readdir(folder)).includes("evil.png")).toBe(false);
  });

  it("of too many entries end with a refusal", async () => {
    const path = await file("many.tar", await tar(Array.from({ length: 30 }, (_, index) => ({ path: `${index}.txt`, bytes: Buffer.from("x") }))));
    expect(told(await take({ kind: "tar", path }, { maxEntries: 10 }))).toEqual(["many.tar/rest: too-large"]);
  });
});

describe("tables", () => {
  it("an ImageFolder without masks gives pictures and words, and stays inside", async () => {
    await file("images/train/x.png", pictures.get("red")!);
    await file("secret.png", pictures.get("green")!);
    await symlink(join(folder, "secret.png"), join(folder, "images/train/link.png"));
    const rows = ["x.png", "../../secret.png", "/etc/passwd", "link.png", "none.png"].map((file_name) =>
      JSON.stringify({ file_name, text: "words", label: "cup" }),
    );
    await file("images/train/metadata.jsonl", [...rows, "{", JSON.stringify({ text: "no file" })].join("\n"));
    expect(told(await take({ kind: "image-folder", path: join(folder, "images") }))).toEqual([
      "train/x.png: 7×5 cup words",
      "train/metadata.jsonl, row 2: refused",
      "train/metadata.jsonl, row 3: refused",
      "train/metadata.jsonl, row 4: refused",
      "train/metadata.jsonl, row 5: missing-file",
      "train/metadata.jsonl, row 6: format",
      "train/metadata.jsonl, row 7: format",
    ]);
  });

  it("Parquet without masks gives pictures and words", async () => {
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: "image", data: [pictures.get("red")!, pictures.get("blue")!, Buffer.from("broken")], type: "BYTE_ARRAY" },
        { name: "text", data: ["one", "two", "three"], type: "STRING" },
      ],
    });
    const path = await file("raw.parquet", new Uint8Array(buffer));
    expect(told(await take({ kind: "parquet", path, category: "cup" }))).toEqual([
      "raw.parquet, row 1: 7×5 cup one",
      "raw.parquet, row 2: 7×5 cup two",
      "raw.parquet, row 3: unsupported",
    ]);
  });
});

const tar = async (entries: Parameters<typeof tarBytes>[0]) => Buffer.concat([await tarBytes(entries), tarEnd]);

/** A tar header's sum of its bytes, its own field as spaces. */
function fixChecksum(bytes: Uint8Array, at: number): void {
  bytes.fill(32, at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
}
