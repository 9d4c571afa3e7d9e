import { spawn, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { narrowedModel } from "./tools.test.support.js";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const micro = join(root, "assets", "micro");
const checkpoint = join(micro, "refadgen", "mp_rank_00_model_states.pt");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-tools-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function refadgen(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env: { ...process.env, ...env } });
  return { code: status, stdout, stderr };
}

describe("refadgen inspect", () => {
  it("recognises a published model, after any prefix, and says what is missing, extra and of another size", async () => {
    const path = join(folder, "known.safetensors");
    await writeFile(
      path,
      narrowedModel("lpips-lin-squeeze", {
        prefix: "net.",
        without: ["lin2.model.1.weight"],
        extra: { "net.other": [2, 3] },
        resized: { "lin3.model.1.weight": [1, 7, 1, 1] },
      }),
    );
    const { code, stdout } = refadgen(["inspect", path, "--json"]);
    expect(code).toBe(0);
    const { weights } = JSON.parse(stdout) as { readonly weights: readonly [{ readonly model: unknown; readonly dtypes: unknown }] };
    expect(weights[0].model).toMatchObject({
      name: "lpips-lin-squeeze",
      prefix: "net.",
      missing: ["lin2.model.1.weight"],
      extra: ["net.other"],
      misshapen: [{ key: "lin3.model.1.weight", found: "1x7x1x1" }],
    });
    const text = refadgen(["inspect", path]).stdout;
    expect(text).toMatch(/looks like lpips-lin-squeeze .*its keys after "net\."/);
    expect(text).toMatch(/missing: 1\n\s+lin2\.model\.1\.weight/);
    expect(text).toMatch(/extra: 1\n\s+net\.other/);
  });

  it("knows a whole model as itself", async () => {
    const path = join(folder, "whole.safetensors");
    await writeFile(path, narrowedModel("lpips-lin-alex", {}));
    expect(refadgen(["inspect", path]).stdout).toContain("is lpips-lin-alex (");
  });

  it("looks into folders, reads shards by their index, and goes on past what cannot be read", async () => {
    const place = join(folder, "models");
    await mkdir(place);
    await copyFile(join(micro, "ip-adapter-plus.bin"), join(place, "adapter.bin"));
    await writeFile(join(place, "broken.safetensors"), "not weights at all");
    const { stdout, code } = refadgen(["inspect", place]);
    expect(code).toBe(0);
    expect(stdout).toContain("has the layout, not the sizes, of ip-adapter-plus-sd15-image-proj");
    expect(stdout).toMatch(/broken\.safetensors\n {2}cannot be read: /);
  });

  it.each([
    ["nowhere", 2, /nothing is at/],
    [join(root, "assets", "product.png"), 3, /got a PNG image/],
    [join(root, "docs"), 2, /hold none/],
  ])("refuses %s", (path, expected, message) => {
    const { code, stderr } = refadgen(["inspect", path]);
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  });
});

describe("refadgen convert", () => {
  it("writes one safetensors file with the keys of a part", () => {
    const out = join(folder, "unet.safetensors");
    const { code, stdout } = refadgen(["convert", checkpoint, out, "--only", "module.unet.", "--dtype", "fp32"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("716 tensors")]);
    const { weights } = JSON.parse(refadgen(["inspect", out, "--json"]).stdout) as {
      readonly weights: readonly [{ readonly dtypes: unknown; readonly model: { readonly prefix: string } }];
    };
    expect(weights[0].dtypes).toEqual({ float32: 716 });
    expect(weights[0].model.prefix).toBe("");
  });

  it.each([
    [["convert", checkpoint, "x.bin"], /end with \.safetensors/],
    [["convert", checkpoint, "x.safetensors", "--only", "nothing."], /no key of .* begins with "nothing\."/],
    [["convert", checkpoint, "x.safetensors", "--dtype", "fp8"], /Allowed choices are fp32, fp16, bf16/],
  ])("refuses %o", (args, message) => {
    const { code, stderr } = refadgen(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it("does not replace a file unless told", async () => {
    const out = join(folder, "there.safetensors");
    await writeFile(out, "mine");
    expect(refadgen(["convert", checkpoint, out]).code).toBe(2);
    expect(await readFile(out, "utf8")).toBe("mine");
    expect(refadgen(["convert", checkpoint, out, "--force"]).code).toBe(0);
    expect((await stat(out)).size).toBeGreaterThan(4e6);
  });
});

describe("refadgen doctor", () => {
  it("says what runs here, for people and for programs", () => {
    const { code, stdout } = refadgen(["doctor", "--json"], { REFADGEN_CACHE: join(folder, "doctor") });
    const { ok, findings } = JSON.parse(stdout) as {
      readonly ok: boolean;
      readonly findings: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
    };
    expect([code, ok]).toEqual([0, true]);
    const named = (name: string) => findings.find((finding) => finding.name === name)!;
    expect(named("Node").detail).toContain(process.versions.node);
    expect(named("ONNX Runtime, cpu")).toMatchObject({ status: "ok", detail: "runs" });
    expect(named("Cache").detail).toContain(join(folder, "doctor"));
  });

  it("fails, with the next step, where the cache cannot be written", async () => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const { code, stdout } = refadgen(["doctor"], { REFADGEN_CACHE: join(file, "below") });
    expect(stdout).toMatch(/FAILED\s+Cache .*cannot be written/);
    expect(stdout).toContain("→ set REFADGEN_CACHE to a folder that can");
    expect(code).toBe(1);
  });
});

describe("refadgen cache", () => {
  async function filled(name: string): Promise<{ readonly env: Readonly<Record<string, string>>; readonly cache: string; readonly hub: string }> {
    const [cache, hub] = [join(folder, name, "cache"), join(folder, name, "hub")];
    const files = {
      [join(cache, "float32", "a.bin")]: 3000,
      [join(cache, "optimized", "k", "model.onnx")]: 10,
      [join(cache, "optimized", "k", "weights.bin")]: 5000,
      [join(hub, "models--org--name", "blobs", "b")]: 700,
    };
    for (const [path, size] of Object.entries(files)) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, Buffer.alloc(size));
    }
    await mkdir(join(hub, "models--org--name", "snapshots", "c"), { recursive: true });
    await symlink("../../blobs/b", join(hub, "models--org--name", "snapshots", "c", "model.bin"));
    return { env: { REFADGEN_CACHE: cache, HF_HUB_CACHE: hub }, cache, hub };
  }

  it("lists by size what belongs together", async () => {
    const { env } = await filled("ls");
    const { items } = JSON.parse(refadgen(["cache", "ls", "--json"], env).stdout) as {
      readonly items: readonly { readonly kind: string; readonly name: string; readonly bytes: number }[];
    };
    expect(items.map(({ kind, name, bytes }) => [kind, name, bytes])).toEqual([
      ["graph", "k", 5010],
      ["weights", "a.bin", 3000],
      ["hub", "org/name", 700],
    ]);
    expect(refadgen(["cache", "ls"], { REFADGEN_CACHE: join(folder, "none"), HF_HUB_CACHE: join(folder, "none") }).stdout).toContain(
      "The cache is empty",
    );
  });

  it("clears our own, and what others share only when told", async () => {
    const { env, cache, hub } = await filled("clear");
    expect(refadgen(["cache", "clear", "--dry-run"], env).stdout).toContain("Would free 8.0 kB");
    expect(refadgen(["cache", "clear", "--older-than", "1h"], env).stdout).toContain("Freed 0 B");
    expect(refadgen(["cache", "clear"], env).stdout).toContain("Freed 8.0 kB");
    expect([await readdir(join(cache, "float32")), await readdir(join(cache, "optimized")), await readdir(hub)]).toEqual([
      [],
      [],
      ["models--org--name"],
    ]);
    expect(refadgen(["cache", "clear", "--hub", "another/one"], env).stdout).toContain("Freed 0 B");
    expect(refadgen(["cache", "clear", "--hub", "org/name"], env).stdout).toContain("Freed 700 B");
    expect(await readdir(hub)).toEqual([]);
  });

  it.runIf(process.platform === "linux")("leaves what a running program has open", async () => {
    const { env, cache } = await filled("open");
    const holder = spawn(process.execPath, [
      "-e",
      `require("fs").openSync(${JSON.stringify(join(cache, "float32", "a.bin"))}); console.log("open"); setInterval(() => {}, 1000)`,
    ]);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    try {
      const { removed, inUse } = JSON.parse(refadgen(["cache", "clear", "--json"], env).stdout) as Record<
        "removed" | "inUse",
        readonly { readonly name: string }[]
      >;
      expect([removed.map(({ name }) => name), inUse.map(({ name }) => name)]).toEqual([["k"], ["a.bin"]]);
      expect(await readdir(join(cache, "float32"))).toEqual(["a.bin"]);
    } finally {
      holder.kill();
    }
  });
});

describe("refadgen completion", () => {
  const complete = (...words: readonly string[]) => {
    const script = `source <(${process.execPath} ${main} completion --shell bash); COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _refadgen; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8", cwd: join(root, "assets") });
    expect(stderr).toBe("");
    return stdout.split("\n").filter((word) => word !== "");
  };

  it.runIf(process.platform !== "win32")("completes commands, options, choices and files in a real bash", () => {
    expect(complete("refadgen", "")).toEqual(expect.arrayContaining(["generate", "inspect", "convert", "doctor", "cache", "completion"]));
    expect(complete("refadgen", "con")).toEqual(["convert"]);
    expect(complete("refadgen", "cache", "cl")).toEqual(["clear"]);
    expect(complete("refadgen", "cache", "clear", "--d")).toEqual(["--dry-run"]);
    expect(complete("refadgen", "convert", "--dtype", "f")).toEqual(["fp32", "fp16"]);
    expect(complete("refadgen", "generate", "--product", "prod")).toEqual(["product.png"]);
    expect(complete("refadgen", "inspect", "mic")).toEqual(["micro"]);
  });

  it.each(["zsh", "fish"])("names every command for %s", (shell) => {
    const { stdout, code } = refadgen(["completion", "--shell", shell]);
    expect(code).toBe(0);
    for (const word of ["generate", "inspect", "clear", "dry-run", "fp16"]) expect(stdout).toContain(word);
  });
});
