import { createHash } from "node:crypto";
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DownloadProgress, hubUsage, type LocateOptions, listFiles, locate, snapshot } from "./index.js";
import { gitOid, type HubServer, sendFile, startHubServer } from "./testing.js";

const weights = Buffer.from(Uint8Array.from({ length: 300_001 }, (_, index) => (index * 7 + (index >> 8)) & 255));
const weightsDigest = createHash("sha256").update(weights).digest("hex");
const commit = "a1".repeat(20);
const repositories = {
  "org/model": {
    files: {
      "config.json": '{"a": 1}\n',
      "unet/model.safetensors": weights,
      "unet/config.json": "{}",
      "unet/deep/er/x.txt": "x",
      "README.md": "# hello",
    },
    large: ["unet/model.safetensors"],
    commit,
  },
  "org/private": { files: { "a.bin": "secret" }, token: "hf_right" },
};

let folder: string;
let server: HubServer;
let options: LocateOptions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-hub-"));
  server = await startHubServer(repositories, { pageSize: 2 });
  options = { cacheDirectory: join(folder, "hub"), endpoint: server.url, token: "", retryDelay: 1, idleTimeout: 5000 };
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const model = "org/model/unet/model.safetensors";
/** Compared at once: element by element takes seconds. */
const holdsWeights = async (path: string) => weights.equals(await readFile(path));
const repositoryRoot = () => join(folder, "hub", "models--org--model");

/** Answers requests for the weights in its own way, the first `times` of them. */
function misbehave(times: number, how: (request: IncomingMessage, response: ServerResponse) => void): void {
  let left = times;
  server.intercept = (request, response, path) => {
    if (!path.endsWith("model.safetensors") || left-- <= 0) return false;
    how(request, response);
    return true;
  };
}

describe("locate on the hub", () => {
  it("fetches one file into the layout that Python shares, with every byte told", async () => {
    const told: DownloadProgress[] = [];
    const path = await locate(model, { ...options, onProgress: (progress) => told.push(progress) });
    expect(path).toBe(join(repositoryRoot(), "snapshots", commit, "unet", "model.safetensors"));
    expect(await holdsWeights(path)).toBe(true);
    expect(await readlink(path)).toBe(join("..", "..", "..", "blobs", weightsDigest));
    expect(await readFile(join(repositoryRoot(), "refs", "main"), "utf8")).toBe(commit);
    expect(await readdir(join(repositoryRoot(), "blobs"))).toEqual([weightsDigest]);
    expect(told.at(-1)).toEqual({ file: "unet/model.safetensors", done: weights.length, total: weights.length });
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(await filesBelow(join(folder, "hub", ".locks"))).toEqual([]);
  });

  it("names small files by git's digest, and takes addresses of the hub for what they name", async () => {
    const path = await locate(`${server.url}/org/model/resolve/main/config.json`, options);
    expect(await readlink(path)).toBe(join("..", "..", "blobs", gitOid('{"a": 1}\n')));
    expect(await locate("org/model/config.json@main", options)).toBe(path);
  });

  it("asks nobody for a file of a commit that is there, nor when offline", async () => {
    const path = await locate(model, options);
    const asked = server.requests.length;
    expect(await locate(model, { ...options, revision: commit })).toBe(path);
    expect(await locate(model, { ...options, offline: true })).toBe(path);
    expect(server.requests).toHaveLength(asked);
    await server.close();
    // No connection: what the cache knows of the revision.
    expect(await locate(model, { ...options, attempts: 1 })).toBe(path);
    await expect(locate("org/model/README.md", { ...options, offline: true })).rejects.toMatchObject({ code: "offline" });
    await expect(locate("org/other/README.md", { ...options, offline: true })).rejects.toMatchObject({ code: "offline" });
  });

  it("checks a digest and a size that are expected", async () => {
    await expect(locate(model, { ...options, sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "mismatch" });
    await expect(locate(model, { ...options, bytes: 5 })).rejects.toMatchObject({ code: "mismatch" });
    const small = createHash("sha256").update('{"a": 1}\n').digest("hex");
    await locate("org/model/config.json", { ...options, sha256: small, bytes: 9 });
    await expect(locate("org/model/config.json", { ...options, sha256: weightsDigest })).rejects.toMatchObject({ code: "mismatch" });
    await locate(model, { ...options, sha256: weightsDigest.toUpperCase(), bytes: weights.length });
  });

  it("fetches once for calls at the same time", async () => {
    await Promise.all([locate(model, options), locate(model, options), locate(model, options)]);
    expect(server.requests.filter(({ path }) => path.includes("/resolve/"))).toHaveLength(1);
  });

  it("stops at once when aborted and goes on from there", async () => {
    const abort = new AbortController();
    misbehave(1, (_, response) => {
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 100_000));
    });
    const reason = new Error("enough");
    const started = locate(model, { ...options, signal: abort.signal, onProgress: ({ done }) => done > 0 && abort.abort(reason) });
    await expect(started).rejects.toBe(reason);
    expect(await holdsWeights(await locate(model, options))).toBe(true);
    expect(server.requests.at(-1)!.range).toMatch(/^bytes=[1-9]\d*-$/);
  });
});

describe("a hub that misbehaves", () => {
  it("drops connections: goes on where it broke off", async () => {
    let part = 0;
    misbehave(6, (request, response) => {
      const start = Number(/(\d+)/.exec(request.headers.range ?? "bytes=0-")![1]);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": weights.length - start,
        ...(start > 0 && { "content-range": `bytes ${start}-${weights.length - 1}/${weights.length}` }),
      });
      response.write(weights.subarray(start, start + 40_000), () => setTimeout(() => response.destroy(), 5));
      part++;
    });
    expect(await holdsWeights(await locate(model, { ...options, attempts: 2 }))).toBe(true);
    expect(part).toBe(6);
    const ranges = server.requests.filter(({ path }) => path.includes("/resolve/")).map(({ range }) => range);
    expect(ranges.slice(0, 2)).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
  });

  it("ignores ranges: begins anew", async () => {
    misbehave(1, (_, response) => {
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 5));
    });
    const drop = server.intercept!;
    server.intercept = (request, response, path) => {
      if (drop(request, response, path)) return true;
      if (path.endsWith("model.safetensors")) {
        delete request.headers.range;
        sendFile(request, response, weights);
        return true;
      }
      return false;
    };
    expect(await holdsWeights(await locate(model, options))).toBe(true);
  });

  it("left a partial file of something else: found out by the digest, fetched anew", async () => {
    await locate("org/model/config.json", options);
    const partial = join(repositoryRoot(), "blobs", `${weightsDigest}.refadgen.incomplete`);
    await writeFile(partial, Buffer.alloc(1000, 9));
    expect(await holdsWeights(await locate(model, options))).toBe(true);
    await rm(join(repositoryRoot(), "blobs", weightsDigest));
    await writeFile(partial, Buffer.alloc(weights.length + 5));
    expect(await holdsWeights(await locate(model, options))).toBe(true);
    await rm(join(repositoryRoot(), "blobs", weightsDigest));
    await writeFile(partial, weights);
    expect(await holdsWeights(await locate(model, options))).toBe(true);
  });

  it("sends other bytes: refused, and nothing is kept", async () => {
    misbehave(9, (request, response) => sendFile(request, response, Buffer.alloc(weights.length)));
    await expect(locate(model, options)).rejects.toMatchObject({ code: "mismatch", message: expect.stringContaining(weightsDigest) });
    expect(await readdir(join(repositoryRoot(), "blobs"))).toEqual([]);
    server.intercept = undefined;
    expect(await holdsWeights(await locate(model, options))).toBe(true);
  });

  it.each([
    ["shorter", weights.subarray(0, 1000)],
    ["longer", Buffer.concat([weights, weights])],
  ])("announces a %s length: refused", async (_, content) => {
    misbehave(9, (request, response) => sendFile(request, response, content));
    await expect(locate(model, options)).rejects.toMatchObject({ code: "mismatch" });
  });

  it("sends more than it should without saying how much", async () => {
    misbehave(9, (_, response) => response.writeHead(200, { "transfer-encoding": "chunked" }).end(Buffer.concat([weights, weights])));
    await expect(locate(model, options)).rejects.toMatchObject({ code: "mismatch" });
  });

  it("sends a web page: says so", async () => {
    misbehave(9, (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>Log in</title>"));
    await expect(locate(model, options)).rejects.toMatchObject({ code: "unexpected-content" });
    server.intercept = (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html><title>Hotel Wi-Fi</title>");
      return true;
    };
    await expect(locate("org/model/config.json", options)).rejects.toThrow(/Hotel Wi-Fi/);
  });

  it("redirects in a circle, without end, or to plain http elsewhere: refused", async () => {
    misbehave(99, (_, response) => response.writeHead(302, { location: "/org/model/resolve/x/model.safetensors" }).end());
    await expect(locate(model, options)).rejects.toMatchObject({ code: "redirect", message: expect.stringContaining("circle") });
    let count = 0;
    misbehave(99, (_, response) => response.writeHead(302, { location: `/org/model/resolve/${count++}/model.safetensors` }).end());
    await expect(locate(model, options)).rejects.toMatchObject({ code: "redirect" });
    misbehave(99, (_, response) => response.writeHead(302, { location: "http://192.0.2.1/x" }).end());
    await expect(locate(model, options)).rejects.toMatchObject({ code: "redirect", message: expect.stringContaining("not https") });
  });

  it("is overloaded: waits as long as it asks for, and tells when that is too long", async () => {
    const begin = performance.now();
    misbehave(2, (_, response) => response.writeHead(429, { "retry-after": "1" }).end());
    expect(await holdsWeights(await locate(model, options))).toBe(true);
    expect(performance.now() - begin).toBeGreaterThan(1900);
    await rm(join(folder, "hub"), { recursive: true });
    misbehave(9, (_, response) => response.writeHead(429, { "retry-after": new Date(Date.now() + 600_000).toUTCString() }).end());
    await expect(locate(model, options)).rejects.toMatchObject({ code: "rate-limited", message: expect.stringMatching(/come back in [56]\d\d s/) });
    misbehave(9, (_, response) => response.writeHead(429).end());
    await expect(locate(model, { ...options, attempts: 2 })).rejects.toMatchObject({ code: "rate-limited" });
    misbehave(2, (_, response) => response.writeHead(503).end());
    expect(await holdsWeights(await locate(model, options))).toBe(true);
  });

  it("falls silent: given up, with what came kept", async () => {
    misbehave(9, (_, response) => {
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 5000));
    });
    const failed = locate(model, { ...options, idleTimeout: 100, attempts: 1 });
    await expect(failed).rejects.toMatchObject({ code: "unavailable" });
    const [partial] = await readdir(join(repositoryRoot(), "blobs"));
    expect((await stat(join(repositoryRoot(), "blobs", partial!))).size).toBe(5000);
    misbehave(9, () => {});
    await expect(failed.catch(() => locate(model, { ...options, idleTimeout: 100, attempts: 2 }))).rejects.toMatchObject({ code: "unavailable" });
  });

  it.each([
    [401, "GatedRepo", "unauthorized", /HF_TOKEN/],
    [401, "RepoNotFound", "not-found", /Check the name/],
    [403, undefined, "unauthorized", /granted/],
    [404, "EntryNotFound", "not-found", /nothing is there/],
    [404, "RevisionNotFound", "not-found", /no such revision/],
  ])("answers %i %s: %s, with the next step, without another try", async (status, reason, code, message) => {
    misbehave(9, (_, response) => response.writeHead(status, reason ? { "x-error-code": reason } : {}).end());
    await expect(locate(model, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(server.requests.filter(({ path }) => path.includes("/resolve/"))).toHaveLength(1);
  });

  it.each(["../../../../evil", "/etc/evil", "a/../../evil", "c:evil", "a\\..\\evil", "a//b", "x\0y"])("lists the name %j: refused", async (name) => {
    server.intercept = (_, response, path) => {
      if (!path.includes("/tree/")) return false;
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify([{ type: "file", path: name, size: 1, oid: "1".repeat(40) }]));
      return true;
    };
    await expect(snapshot("org/model", options)).rejects.toMatchObject({ code: "unsafe-name" });
  });

  it("lists a digest that is a path: refused", async () => {
    server.intercept = (_, response, path) => {
      if (!path.includes("/tree/")) return false;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify([{ type: "file", path: "a", size: 1, oid: "../../evil" }]));
      return true;
    };
    await expect(snapshot("org/model", options)).rejects.toMatchObject({ code: "unexpected-content" });
  });

  it("says when there is no room, before anything is fetched", async () => {
    server.intercept = (_, response, path) => {
      if (!path.includes("/tree/")) return false;
      const lfs = { oid: weightsDigest, size: 2 ** 52, pointerSize: 1 };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify([{ type: "file", path: "unet/model.safetensors", size: 1, lfs }]));
      return true;
    };
    await expect(locate(model, options)).rejects.toMatchObject({ code: "disk-full", message: expect.stringContaining("HF_HOME") });
    expect(server.requests.filter(({ path }) => path.includes("/resolve/"))).toHaveLength(0);
  });
});

describe("the token", () => {
  it("opens what is private, and goes to the endpoint alone", async () => {
    await expect(locate("org/private/a.bin", options)).rejects.toMatchObject({ code: "unauthorized" });
    const elsewhere = await startHubServer({});
    elsewhere.intercept = (request, response) => {
      sendFile(request, response, Buffer.from("secret"));
      return true;
    };
    server.intercept = (request, response, path) => {
      if (!path.includes("/resolve/") || request.headers.authorization !== "Bearer hf_right") return false;
      response.writeHead(302, { location: `${elsewhere.url}/blob?signature=1` }).end();
      return true;
    };
    expect(await readFile(await locate("org/private/a.bin", { ...options, token: "hf_right" }), "utf8")).toBe("secret");
    expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
    await elsewhere.close();
  });
});

describe("plain addresses and paths", () => {
  it("keeps a file by its name, asks once, and checks its digest", async () => {
    const other = await startHubServer({});
    let served = 0;
    other.intercept = (request, response) => {
      served++;
      sendFile(request, response, weights);
      return true;
    };
    const address = `${other.url}/files/net%20a.pt?download=1`;
    const path = await locate(address, { ...options, sha256: weightsDigest });
    expect([path.endsWith("net_a.pt"), await holdsWeights(path)]).toEqual([true, true]);
    expect(await locate(address, { ...options, sha256: weightsDigest, offline: true })).toBe(path);
    expect(served).toBe(1);
    await expect(locate(address, { ...options, sha256: "1".repeat(64) })).rejects.toMatchObject({ code: "mismatch" });
    expect(await locate(address, { ...options, sha256: weightsDigest.slice(0, 8) })).toBe(path);
    await expect(locate(address, { ...options, sha256: "12345678" })).rejects.toMatchObject({ code: "mismatch" });
    await writeFile(path, "damaged");
    await expect(locate(address, { ...options, sha256: weightsDigest })).rejects.toMatchObject({ code: "mismatch" });
    await other.close();
    await expect(locate(`${other.url}/b.pt`, { ...options, attempts: 2 })).rejects.toMatchObject({ code: "unavailable" });
  });

  it("takes what is on the disk from there", async () => {
    const path = join(folder, "x.bin");
    await writeFile(path, "abc");
    expect(await locate(path, options)).toBe(path);
    expect(await locate(`file://${path}`, { ...options, bytes: 3 })).toBe(path);
    await expect(locate(path, { ...options, sha256: weightsDigest })).rejects.toMatchObject({ code: "mismatch" });
    await expect(locate(join(folder, "y.bin"), options)).rejects.toMatchObject({ code: "not-found" });
  });

  it.each(["", "name", "org/name", "http://192.0.2.1/x.bin", "ftp://a/b", "https://user:pass@h/x", "org/name/../x", "org/name/a@../b", "-/a/b"])(
    "refuses %j",
    async (source) => {
      await expect(locate(source, options)).rejects.toThrow();
      expect(server.requests).toEqual([]);
    },
  );
});

describe("snapshot", () => {
  it("fetches the files of a folder that are wanted, through pages of the listing", async () => {
    const path = await snapshot("org/model/unet", { ...options, files: ["config.json", "deep/er/x.txt"] });
    expect(path).toBe(join(repositoryRoot(), "snapshots", commit, "unet"));
    expect((await filesBelow(path)).sort()).toEqual(["config.json", join("deep", "er", "x.txt")]);
    await expect(snapshot("org/model/unet", { ...options, files: ["config.json", "nothing.bin"] })).rejects.toThrow(/nothing\.bin/);
    expect(await snapshot("org/model@main", { ...options, subfolder: "unet", files: ["config.json"], offline: true })).toBe(path);
    await expect(snapshot("org/model", { ...options, files: ["config.json", "unet/config.json"], offline: true })).rejects.toMatchObject({
      code: "offline",
    });
  });

  it("fits patterns: * within a level, ** across", async () => {
    const told: DownloadProgress[] = [];
    const path = await snapshot("org/model", { ...options, patterns: ["*.json", "unet/**/*.txt"], onProgress: (progress) => told.push(progress) });
    expect((await filesBelow(path)).sort()).toEqual(["config.json", join("unet", "deep", "er", "x.txt")]);
    expect(told.at(-1)).toMatchObject({ done: 10, total: 10 });
    await expect(snapshot("org/model", { ...options, patterns: ["*.onnx"] })).rejects.toMatchObject({ code: "not-found" });
  });

  it("lists what is there, and offline what is cached", async () => {
    expect((await listFiles("org/model", options)).files).toHaveLength(5);
    await snapshot("org/model", { ...options, patterns: ["unet/*"] });
    const offline = await listFiles("org/model/unet", { ...options, offline: true });
    expect(offline.files.map(({ path, oid }) => [path, oid])).toEqual([
      ["unet/config.json", gitOid("{}")],
      ["unet/model.safetensors", weightsDigest],
    ]);
    const [item] = await hubUsage({ cacheDirectory: join(folder, "hub") });
    expect(item).toMatchObject({ name: "org/model", kind: "repository", bytes: weights.length + 2, busy: false });
    expect((await lstat(join(offline.files[0] ? repositoryRoot() : "", "refs", "main"))).isFile()).toBe(true);
  });
});

async function filesBelow(path: string): Promise<string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}
